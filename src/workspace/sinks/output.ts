/**
 * Where log lines go: a standard stream or a file. Never in the way of a session: lines wait in a bounded buffer, and
 * when the reader is too slow or gone they are counted and dropped.
 */
import { close, constants, fstatSync, open, write } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

/** Octets of lines that wait for a slow reader: some 5,000 lines, a second of a busy server's log. */
const BUFFER_LIMIT = 1_048_576;
/** Milliseconds until a full pipe or terminal is tried again; a person does not see it, and a CPU neither. */
const RETRY_MS = 20;
/** Milliseconds that closing waits for a reader that stands still; the supervisor's patience (10 s and more) is longer. */
const CLOSE_WAIT_MS = 2_000;
/** Permission bits of a new log file: it names accounts and addresses, so it is not for everybody. */
const FILE_MODE = 0o640;

const openFile = promisify(open);
const closeFile = promisify(close);
const writeFile = promisify(write);

export type LogTarget = "stdout" | "stderr" | { readonly file: string };

type Place = { readonly descriptor: number; readonly ours: boolean };

/** @throws the system's error when a file cannot be opened. */
export async function openOutput(target: LogTarget, lossLine: LossLine): Promise<LogOutput> {
  return new LogOutput(await openPlace(target), { target, lossLine });
}

/** The line that says in a log that lines before it are lost; undefined where the format has none. */
export type LossLine = (lines: number) => string | undefined;

export class LogOutput {
  readonly #target: LogTarget;
  readonly #lossLine: LossLine;
  #place: Place;
  #waiting: Buffer[] = [];
  /** Octets in `#waiting` and on their way. */
  #size = 0;
  #flushing: Promise<void> | undefined;
  /** Lines lost since the log last said so. */
  #unreported = 0;
  #dropped = 0;
  /** The last octets written were not the end of a line. */
  #torn = false;
  readonly #stop = new AbortController();

  constructor(place: Place, { target, lossLine }: { readonly target: LogTarget; readonly lossLine: LossLine }) {
    this.#place = place;
    this.#target = target;
    this.#lossLine = lossLine;
  }

  /** Lines lost so far: the buffer was full, the reader gone, the disk full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** @param line without its line end. */
  write(line: string): void {
    const octets = Buffer.from(`${line}\n`, "utf8");
    if (this.#stop.signal.aborted || this.#size + octets.length > BUFFER_LIMIT) return this.#lose(1);
    this.#enqueue(octets);
    this.#flushing ??= this.#flush();
  }

  #enqueue(octets: Buffer): void {
    this.#waiting.push(octets);
    this.#size += octets.length;
  }

  /** Opens the file again under its name, after logrotate has moved it. Nothing for a standard stream. @throws as `openOutput`; the old file stays then. */
  async reopen(): Promise<void> {
    if (typeof this.#target === "string") return;
    const fresh = await openPlace(this.#target);
    const old = this.#place;
    this.#place = fresh;
    await this.#flushing;
    await closeFile(old.descriptor);
  }

  /** Writes what waits, unless the reader stands still. Later lines are lost. */
  async close(): Promise<void> {
    await this.#flushedWithin(CLOSE_WAIT_MS);
    this.#stop.abort();
    // Stopped, it gives up at once, unless the system itself holds a write: that one's descriptor is left to the end.
    if ((await this.#flushedWithin(RETRY_MS)) && this.#place.ours) await closeFile(this.#place.descriptor);
  }

  async #flushedWithin(milliseconds: number): Promise<boolean> {
    const waited = new AbortController();
    const timer = delay(milliseconds, undefined, { signal: waited.signal }).catch(() => {});
    await Promise.race([this.#flushing, timer]);
    waited.abort();
    return this.#flushing === undefined;
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      const octets = Buffer.concat(lines);
      try {
        await this.#writeAll(octets);
        this.#reportLoss();
      } catch (error) {
        this.#lose(lines.length);
        // The reader is gone for good. A disk that is full may have room again for the next line.
        if (isFault(error, "EPIPE")) this.#stop.abort();
      }
      this.#size -= octets.length;
    }
    this.#flushing = undefined;
  }

  async #writeAll(octets: Buffer): Promise<void> {
    const all = this.#torn ? Buffer.concat([Buffer.from("\n"), octets]) : octets;
    const { descriptor } = this.#place;
    for (let at = 0; at < all.length;) {
      try {
        const { bytesWritten } = await writeFile(descriptor, all, at, all.length - at);
        at += bytesWritten;
        this.#torn = all[at - 1] !== 0x0a;
      } catch (error) {
        if (!isFault(error, "EAGAIN")) throw error;
        await delay(RETRY_MS, undefined, { signal: this.#stop.signal });
      }
    }
  }

  #lose(lines: number): void {
    this.#dropped += lines;
    this.#unreported += lines;
  }

  #reportLoss(): void {
    if (this.#unreported === 0 || this.#stop.signal.aborted) return;
    const line = this.#lossLine(this.#unreported);
    this.#unreported = 0;
    // Past the limit: there is one such line per write at most, and it stands right behind what it tells of.
    if (line !== undefined) this.#enqueue(Buffer.from(`${line}\n`, "utf8"));
  }
}

async function openPlace(target: LogTarget): Promise<Place> {
  if (typeof target !== "string") {
    return { descriptor: await openFile(target.file, "a", FILE_MODE), ours: true };
  }
  const descriptor = target === "stdout" ? 1 : 2;
  // A write to a full pipe would hold a thread of libuv's pool, and the process's end. Opened anew it has a
  // non-blocking mode of its own; a file must share its offset with whoever else writes to it.
  const kind = fstatSync(descriptor);
  if (process.platform === "linux" && (kind.isFIFO() || kind.isCharacterDevice())) {
    try {
      const again = await openFile(`/dev/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK);
      return { descriptor: again, ours: true };
    } catch {
      // Another user's terminal, or no /dev/fd in this jail: the descriptor that we have will do.
    }
  }
  return { descriptor, ours: false };
}

function isFault(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
