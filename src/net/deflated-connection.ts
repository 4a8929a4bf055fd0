/**
 * MODE Z (draft-preston-ftpext-deflate-04 §3): a data connection on which one stream of zlib's format (RFC 1950) goes.
 * It stands between a transfer and any other data connection, so clear text, TLS, throttles and ABOR are as without it;
 * only the ways of the kernel are not open to it. zlib works on libuv's threads, never on the event loop.
 */
import { type Deflate, type Inflate, type ZlibOptions, createDeflate, createInflate } from "node:zlib";
import { Turns } from "../base/turns.ts";
import { DataError } from "./data-connection.ts";
import { CODED_AT_ONCE, CODING_BUFFER, COMPRESSING_AT_ONCE, INFLATE_GRACE, INFLATE_RATIO } from "./limits.ts";
import type { DataTransport, Moved } from "./transport.ts";

/** Why what came was no compressed file, for the reply and the log. An end before its time is a DataError. */
export type CodingFault = "corrupt" | "trailing" | "expands";

export class CodingError extends Error {
  override readonly name = "CodingError";
  readonly fault: CodingFault;

  constructor(fault: CodingFault, options?: ErrorOptions) {
    super(`compressed data ${fault}`, options);
    this.fault = fault;
  }
}

/** Of the whole process, as the threads are. Each transfer waits for one turn at most, so the queue has room for all. */
const compressing = new Turns({ atOnce: COMPRESSING_AT_ONCE, waiting: CODED_AT_ONCE });
let coded = 0;

/** Counts a compressed transfer of this process. @returns undefined when there are as many as may be. */
export function takeCodingPlace(): Disposable | undefined {
  if (coded >= CODED_AT_ONCE) return undefined;
  coded += 1;
  return {
    [Symbol.dispose]: () => {
      coded -= 1;
    },
  };
}

export type CodingTerms = {
  /** Of compressing, 1 to 9. */
  readonly level: number;
  /** Octets that an upload may inflate to: `grace`, and `ratio` for each octet that came. */
  readonly ratio?: number;
  readonly grace?: number;
};

/** Octets are counted as the transfer knows them: a file's own, not those of the wire, which the throttle counts. */
export class DeflatedConnection implements DataTransport {
  readonly memory: number;
  readonly #inner: DataTransport;
  readonly #options: ZlibOptions;
  readonly #terms: Required<CodingTerms>;
  #deflate: Compressor | undefined;
  #inflate: Decompressor | undefined;
  /** What the next `receive` gives: it is inflated while the caller stores what it has. */
  #ahead: Promise<Buffer | undefined> | undefined;

  /** Owns the other connection from here on. */
  constructor(inner: DataTransport, { level, ratio = INFLATE_RATIO, grace = INFLATE_GRACE }: CodingTerms) {
    this.#inner = inner;
    this.memory = inner.memory;
    this.#terms = { level, ratio, grace };
    this.#options = { level, chunkSize: Math.min(CODING_BUFFER, inner.memory) };
  }

  /** Settles when zlib has taken the buffer and all that came out of earlier ones is sent. */
  async send(chunk: Buffer, moved?: Moved): Promise<void> {
    this.#deflate ??= new Compressor(this.#options);
    const made = this.#deflate.takeMade();
    await Promise.all([this.#deflate.push(chunk), this.#sendAll(made)]);
    moved?.(chunk.length);
  }

  async finish(): Promise<void> {
    this.#deflate ??= new Compressor(this.#options);
    await this.#deflate.end();
    await this.#sendAll(this.#deflate.takeMade());
    await this.#inner.finish();
  }

  /** @throws {DataError} "incomplete" when the peer's FIN came before zlib's end. @throws {CodingError} */
  async receive(): Promise<readonly Buffer[]> {
    this.#inflate ??= new Decompressor(this.#inner, { ...this.#options, ...this.#terms });
    const inflated = await (this.#ahead ?? this.#inflate.next());
    if (inflated === undefined) return [];
    this.#ahead = this.#inflate.next();
    // A fault is told by the next call, after what came before it is stored.
    this.#ahead.catch(() => {});
    return [inflated];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#deflate?.[Symbol.dispose]();
    this.#inflate?.[Symbol.dispose]();
    await this.#inner[Symbol.asyncDispose]();
  }

  async #sendAll(octets: readonly Buffer[]): Promise<void> {
    for (const each of octets) await this.#inner.send(each);
  }
}

/** zlib's stream as calls: a buffer in, and what came out of it so far. */
class Compressor implements Disposable {
  readonly #stream: Deflate;
  #made: Buffer[] = [];
  #fail: ((fault: Error) => void) | undefined;

  constructor(options: ZlibOptions) {
    this.#stream = createDeflate(options);
    this.#stream.on("data", (octets: Buffer) => this.#made.push(octets));
    this.#stream.on("error", (fault) => this.#fail?.(fault));
    // Disposed in the middle of a job: whoever waits for that has a fault of its own to tell.
    this.#stream.on("close", () => this.#fail?.(new DataError("closed")));
  }

  async push(chunk: Buffer): Promise<void> {
    await this.#work((done) => this.#stream.write(chunk, done));
  }

  async end(): Promise<void> {
    await this.#work((done) => this.#stream.once("end", done).end());
  }

  takeMade(): readonly Buffer[] {
    const made = this.#made;
    this.#made = [];
    return made;
  }

  [Symbol.dispose](): void {
    this.#stream.destroy();
  }

  async #work(start: (done: (fault?: Error | null) => void) => void): Promise<void> {
    const turn = compressing.run(async () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#fail = reject;
      if (this.#stream.destroyed) reject(new DataError("closed"));
      else start((fault) => (fault instanceof Error ? reject(fault) : resolve()));
      await promise;
    });
    if (turn === undefined) throw new Error("more transfers compress than have a place");
    await turn;
  }
}

/** Pulls what is compressed from a connection and inflates it, no further ahead than one buffer. */
class Decompressor implements Disposable {
  readonly #inner: DataTransport;
  readonly #stream: Inflate;
  readonly #terms: Required<CodingTerms>;
  readonly #source: AsyncGenerator<Buffer, void, void>;
  #fault: Error | undefined;
  /** zlib's own end was met. */
  #ended = false;
  #wake: (() => void) | undefined;
  #received = 0;
  #inflated = 0;

  constructor(inner: DataTransport, terms: ZlibOptions & Required<CodingTerms>) {
    this.#inner = inner;
    this.#terms = terms;
    this.#stream = createInflate({ chunkSize: terms.chunkSize });
    this.#stream.on("readable", () => this.#wake?.());
    this.#stream.on("end", () => {
      this.#ended = true;
      this.#wake?.();
    });
    this.#stream.on("error", (error) => this.#fail(error));
    this.#stream.on("close", () => {
      if (!this.#ended) this.#fail(new DataError("closed"));
    });
    this.#source = this.#inflate();
  }

  /** @returns undefined at the end. */
  async next(): Promise<Buffer | undefined> {
    const { value } = await this.#source.next();
    return value ?? undefined;
  }

  [Symbol.dispose](): void {
    this.#stream.destroy();
  }

  async *#inflate(): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      // Once disposed the connection below is no more, and its descriptor may be another's.
      if (this.#stream.destroyed) throw this.#fault ?? new DataError("closed");
      const chunks = await this.#inner.receive();
      if (chunks.length === 0) break;
      for (const chunk of chunks) yield* this.#feed(chunk);
    }
    yield* this.#drain((done) => this.#stream.end(done));
    if (!this.#ended) throw new DataError("incomplete");
  }

  async *#feed(chunk: Buffer): AsyncGenerator<Buffer, void, void> {
    if (chunk.length === 0) return;
    this.#received += chunk.length;
    yield* this.#drain((taken) => this.#stream.write(chunk, taken));
    // zlib ended before the peer did: a second stream, or what belongs to none.
    if (this.#ended || this.#stream.bytesWritten < this.#received) throw new CodingError("trailing");
  }

  /** What comes out, until zlib has taken what `start` gives it or has met its end. */
  async *#drain(start: (done: () => void) => void): AsyncGenerator<Buffer, void, void> {
    let taken = false;
    start(() => {
      taken = true;
      this.#wake?.();
    });
    for (;;) {
      const octets: Buffer | null = this.#stream.read();
      if (this.#fault !== undefined) throw faultOf(this.#fault);
      if (octets !== null) {
        this.#count(octets.length);
        yield octets;
      } else if (this.#ended || (taken && !this.#stream.writableEnded)) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }

  #count(octets: number): void {
    this.#inflated += octets;
    const { grace, ratio } = this.#terms;
    if (this.#inflated > grace + ratio * this.#received) throw new CodingError("expands");
  }

  #fail(fault: Error): void {
    this.#fault ??= fault;
    this.#wake?.();
  }
}

/** zlib's errors by their code. */
function faultOf(fault: Error): Error {
  const code = "code" in fault ? fault.code : undefined;
  if (code === "Z_BUF_ERROR") return new DataError("incomplete", { cause: fault });
  if (code === "Z_DATA_ERROR" || code === "Z_NEED_DICT") return new CodingError("corrupt", { cause: fault });
  return fault;
}
