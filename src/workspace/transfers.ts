/** A transfer as the log sees it: counted while it runs, told of exactly once, whatever way it ends. */
import type { VirtualPath } from "../protocol/path.ts";
import type { FileReader, Upload } from "../storage/storage.ts";
import type { Transferred } from "./events.ts";

export type Outcome = Transferred["outcome"];

export class TransferLog implements Disposable {
  /** Octets moved, as they are without MODE Z; the data path adds to it. */
  octets = 0;
  readonly #report: (log: { octets: number; outcome: Outcome; reason?: string }) => void;
  #ended = false;

  constructor(report: (log: { octets: number; outcome: Outcome; reason?: string }) => void) {
    this.#report = report;
  }

  /** How it ended. Only the first call counts. @param reason for our log alone. */
  end(outcome: Outcome, reason?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    const { octets } = this;
    this.#report(reason === undefined ? { octets, outcome } : { octets, outcome, reason });
  }

  [Symbol.dispose](): void {
    this.end("failed", "it ended without a word");
  }
}

export class Reading implements AsyncDisposable {
  readonly reader: FileReader;
  readonly log: TransferLog;

  constructor(reader: FileReader, log: TransferLog) {
    this.reader = reader;
    this.log = log;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.log[Symbol.dispose]();
    await this.reader[Symbol.asyncDispose]();
  }
}

export class Writing implements AsyncDisposable {
  readonly upload: Upload;
  readonly log: TransferLog;
  /** The name under which it will appear; STOU chooses it. */
  readonly path: VirtualPath;

  constructor(upload: Upload, log: TransferLog, path: VirtualPath) {
    this.upload = upload;
    this.log = log;
    this.path = path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.log[Symbol.dispose]();
    await this.upload[Symbol.asyncDispose]();
  }
}
