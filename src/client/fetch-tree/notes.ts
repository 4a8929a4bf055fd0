/** What a job of fetching has to say: counts, failures and warnings within bounds, and events for whoever listens. */
import type { FtpError } from "../errors.ts";
import { FAILURES_KEPT, WARNINGS_KEPT } from "../limits.ts";
import { PROGRESS_MS } from "./limits.ts";
import type { FetchEvent, FetchFailure, FetchOptions, FetchReport, LeftOutReason } from "./types.ts";

export class Notes {
  readonly #begun = performance.now();
  readonly #listener: FetchOptions["onEvent"];
  readonly #failed: FetchFailure[] = [];
  readonly #warnings: string[] = [];
  readonly #said = new Set<string>();
  #failures = 0;
  #files = 0;
  #linked = 0;
  readonly #leftOut = new Map<LeftOutReason, number>();
  octets = 0;
  stopped: FtpError | undefined;

  constructor(listener: FetchOptions["onEvent"]) {
    this.#listener = listener;
  }

  emit(event: FetchEvent): void {
    this.#listener?.(event);
  }

  done(url: string, path: string, { bytes, ms }: { bytes: number; ms: number }): void {
    this.#files += 1;
    this.emit({ kind: "done", url, path, bytes, ms });
  }

  linked(url: string, path: string): void {
    this.#linked += 1;
    this.emit({ kind: "linked", url, path });
  }

  leaveOut(url: string, why: LeftOutReason): void {
    this.#leftOut.set(why, (this.#leftOut.get(why) ?? 0) + 1);
    this.emit({ kind: "left-out", url, why });
  }

  fail(url: string, error: FtpError): void {
    this.#failures += 1;
    if (this.#failed.length < FAILURES_KEPT) this.#failed.push({ url, error });
    this.emit({ kind: "failed", url, error });
  }

  warn(text: string): void {
    if (this.#warnings.length < WARNINGS_KEPT) this.#warnings.push(text);
    this.emit({ kind: "warning", text });
  }

  /** A warning that holds for the whole job. @param id is fixed in the source: the set stays small. */
  warnOnce(id: string, text: string): void {
    if (this.#said.has(id)) return;
    this.#said.add(id);
    this.warn(text);
  }

  /** @returns what hears of octets of one file, and passes on some of it. */
  progress(url: string, path: string): (bytes: number, total: number | undefined) => void {
    let last = 0;
    return (bytes, total) => {
      const now = performance.now();
      if (now - last < PROGRESS_MS) return;
      last = now;
      this.emit({ kind: "progress", url, path, bytes, total });
    };
  }

  report(): FetchReport {
    return {
      files: this.#files,
      linked: this.#linked,
      leftOut: [...this.#leftOut.values()].reduce((sum, count) => sum + count, 0),
      leftOutBy: Object.fromEntries(this.#leftOut),
      octets: this.octets,
      ms: Math.round(performance.now() - this.#begun),
      failed: this.#failed,
      failures: this.#failures,
      warnings: this.#warnings,
      stopped: this.stopped,
    };
  }
}
