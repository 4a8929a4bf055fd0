/**
 * An open file of this host. Its calls run on the event loop for as long as the disk answers at once: for a small file a
 * hop to another thread costs ten times the call. A disk that makes us wait, as one over a network does, is found out by
 * its first wait, and is left to other threads for a while.
 */
import fs, { type Stats } from "node:fs";
import { promisify } from "node:util";
import { LoopGuard } from "../base/loop-guard.ts";
import { SLOW_DISK_MS, SLOW_WRITE_MS } from "../net/limits.ts";

const onLoop = new LoopGuard({ mostMs: SLOW_WRITE_MS, restMs: SLOW_DISK_MS });

/** @param now does it at once. @param later the same on another thread. @throws what they do. */
export async function soon<T>(now: () => T, later: () => Promise<T>): Promise<T> {
  const done = onLoop.try(() => ({ value: now() }));
  return done === undefined ? await later() : done.value;
}

/** Octets of one read or write on the event loop: more would hold up other transfers, and is worth the hop. */
const SHORT = 65_536;

const later = {
  open: promisify(fs.open),
  close: promisify(fs.close),
  stat: promisify(fs.fstat),
  truncate: promisify(fs.ftruncate),
  times: promisify(fs.futimes),
  read: promisify(fs.read),
  write: promisify(fs.write),
};

/** Errors of all its methods are those of the file system. */
export class LocalFile implements AsyncDisposable {
  readonly #descriptor: number;
  #isClosed = false;
  /** Calls on other threads. */
  #held = 0;
  #onFree: (() => void) | undefined;

  readonly #isBorrowed: boolean;

  /** Owns the descriptor, unless it is another's who closes it. */
  constructor(descriptor: number, { isBorrowed = false } = {}) {
    this.#descriptor = descriptor;
    this.#isBorrowed = isBorrowed;
  }

  /** Never of a pipe: opening one waits for its other end. */
  static async open(path: string, flags: number, mode?: number): Promise<LocalFile> {
    const descriptor = await soon(
      () => fs.openSync(path, flags, mode),
      async () => await later.open(path, flags, mode),
    );
    return new LocalFile(descriptor);
  }

  /** On another thread, whatever it is. */
  static async openLater(path: string, flags: number): Promise<LocalFile> {
    return new LocalFile(await later.open(path, flags));
  }

  /** While it is open: afterwards the number may be another's. */
  get fd(): number {
    if (this.#isClosed) throw new Error("a file that is closed");
    return this.#descriptor;
  }

  async stat(): Promise<Stats> {
    const { fd } = this;
    return await soon(
      () => fs.fstatSync(fd),
      async () => await this.#hold(later.stat(fd)),
    );
  }

  /** @returns octets read, 0 at the end. */
  async read(into: Buffer, position: number): Promise<number> {
    const { fd } = this;
    const elsewhere = async (): Promise<number> =>
      (await this.#hold(later.read(fd, into, 0, into.length, position))).bytesRead;
    if (into.length > SHORT) return await elsewhere();
    return await soon(() => fs.readSync(fd, into, 0, into.length, position), elsewhere);
  }

  /** All of it, at the file's own position. */
  async write(octets: Buffer): Promise<void> {
    const { fd } = this;
    for (let at = 0; at < octets.length;) {
      const rest = octets.length - at;
      const elsewhere = async (): Promise<number> =>
        (await this.#hold(later.write(fd, octets, at, rest, null))).bytesWritten;
      at += rest > SHORT ? await elsewhere() : await soon(() => fs.writeSync(fd, octets, at, rest, null), elsewhere);
    }
  }

  async truncate(octets: number): Promise<void> {
    const { fd } = this;
    await soon(
      () => fs.ftruncateSync(fd, octets),
      async () => await this.#hold(later.truncate(fd, octets)),
    );
  }

  /** The time of its last change; that of the last access is now. */
  async setTime(modifiedMs: number): Promise<void> {
    const { fd } = this;
    const [accessed, modified] = [new Date(), new Date(modifiedMs)];
    await soon(
      () => fs.futimesSync(fd, accessed, modified),
      async () => await this.#hold(later.times(fd, accessed, modified)),
    );
  }

  /** After what other threads do with it. More than once is as good as once. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#held > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onFree = resolve;
      await promise;
    }
    if (this.#isBorrowed) return;
    await soon(
      () => fs.closeSync(this.#descriptor),
      async () => await later.close(this.#descriptor),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Its number must not become another file's while a thread is about to use it. */
  async #hold<T>(call: Promise<T>): Promise<T> {
    this.#held += 1;
    try {
      return await call;
    } finally {
      this.#held -= 1;
      if (this.#held === 0) this.#onFree?.();
    }
  }
}
