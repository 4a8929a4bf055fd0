/**
 * A file onto a data connection in the kernel, without a stop for a disk: what lies in memory by sendfile, what does not
 * by another thread that reads it into a pipe, while the kernel is told to read what comes after it.
 */
import { DataCallError, WOULD_WAIT } from "../sys/data-calls.ts";
import { PIPE_LEAST, READ_AHEAD, SMALL_SEND } from "./limits.ts";
import type { NativeConnection } from "./native-connection.ts";
import type { Pipe } from "./pipes.ts";
import type { FileSpan, Moved } from "./transport.ts";

/** For short files: calls are synchronous, and the kernel has taken the octets when one returns. */
const scrap = Buffer.allocUnsafeSlow(SMALL_SEND);

/** Errors of sendfile(2) that are the socket's and not the file's. */
const CONNECTION_FAULTS: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "EPIPE",
  "ENOTCONN",
  "ETIMEDOUT",
  "ECONNABORTED",
]);

export class FileSender {
  readonly #connection: NativeConnection;
  readonly #file: number;
  readonly #moved: Moved;
  #position = 0;
  #end = 0;
  /** Up to here the file was found in memory. */
  #warmUntil = 0;
  /** Under way on another thread. */
  #reading: Promise<void> | undefined;

  constructor(connection: NativeConnection, file: number, moved: Moved) {
    this.#connection = connection;
    this.#file = file;
    this.#moved = moved;
  }

  /** @returns the position reached: see `DataTransport.sendFile`. @throws {DataError} */
  async send({ start, end }: FileSpan): Promise<number> {
    this.#position = start;
    this.#end = end;
    this.#warmUntil = start;
    if (end - start <= SMALL_SEND && this.#sendAtOnce()) return this.#position;
    try {
      while (this.#position < this.#end) {
        const wanted = Math.min(this.#connection.quantum, this.#end - this.#position, this.#mostAtOnce);
        const length = await this.#connection.leave(wanted);
        const isDone = this.#isWarm(length) ? await this.#sendWarm(length) : await this.#sendCold(length);
        if (!isDone) break;
      }
      return this.#position;
    } finally {
      // The file may be closed after this.
      await this.#reading;
    }
  }

  /** A short file that lies in memory, onto a connection that takes it: two calls and no wait. @returns whether it is all out. */
  #sendAtOnce(): boolean {
    const { calls, descriptor, throttle } = this.#connection;
    const length = this.#end - this.#position;
    if (length <= 0) return true;
    if (throttle?.limited === true) return false;
    if (calls.readIfInMemory(this.#file, scrap, length, this.#position) !== length) return false;
    const octets = length === scrap.length ? scrap : scrap.subarray(0, length);
    const sent = this.#connection.try(() => calls.send(descriptor, octets, false));
    if (sent === WOULD_WAIT) return false;
    this.#position += sent;
    this.#moved(sent);
    return sent === length;
  }

  /** What a throttle gives leave for must all go out: a pipe may be in the way. */
  get #mostAtOnce(): number {
    return this.#connection.throttle?.limited === true ? PIPE_LEAST : Infinity;
  }

  #isWarm(length: number): boolean {
    if (this.#position + length <= this.#warmUntil) return true;
    const range = { position: this.#position, length };
    if (this.#connection.calls.warmth(this.#file, range) !== "in-memory") return false;
    this.#warmUntil = this.#position + length;
    return true;
  }

  /** @returns false at the end of the file, and after a fault of it. */
  async #sendWarm(length: number): Promise<boolean> {
    const { calls, descriptor } = this.#connection;
    for (let left = length; left > 0;) {
      const sent = this.#onFile(() =>
        calls.sendFile(descriptor, this.#file, { position: this.#position, length: left }),
      );
      if (sent === 0) return false;
      if (sent === WOULD_WAIT) await this.#connection.until("writable");
      else {
        left -= sent;
        await this.#note(sent);
      }
    }
    return true;
  }

  /** @returns false at the end of the file, after a fault of it, and where no pipe is free. */
  async #sendCold(length: number): Promise<boolean> {
    using pipe = this.#connection.pipes.borrow();
    if (pipe === undefined) return false;
    const range = { position: this.#position, length: Math.min(length, pipe.octets) };
    this.#readAhead(range.position + range.length);
    const count = await this.#connection.calls.spliceElsewhere(this.#file, pipe.writing, range);
    if (count > 0) pipe.held = count;
    this.#connection.check();
    if (count <= 0) return false;
    await this.#empty(pipe);
    return true;
  }

  async #empty(pipe: Pipe): Promise<void> {
    const { calls, descriptor } = this.#connection;
    while (pipe.held > 0) {
      const sent = this.#connection.try(() => calls.splice(pipe.reading, descriptor, { length: pipe.held }));
      if (sent === WOULD_WAIT) await this.#connection.until("writable");
      else {
        pipe.held -= sent;
        await this.#note(sent);
      }
    }
  }

  /** Has the kernel read what comes next, so that it lies in memory when its turn comes. */
  #readAhead(position: number): void {
    const length = Math.min(READ_AHEAD, this.#end - position);
    if (this.#reading !== undefined || length <= 0) return;
    this.#reading = this.#connection.calls.readAhead(this.#file, { position, length }).then(() => {
      this.#reading = undefined;
    });
  }

  async #note(sent: number): Promise<void> {
    this.#position += sent;
    this.#moved(sent);
    await this.#connection.turn(sent);
  }

  /** 0 for a fault of the file. @throws {DataError} for one of the connection. */
  #onFile(call: () => number): number {
    this.#connection.check();
    try {
      return call();
    } catch (error) {
      if (!(error instanceof DataCallError)) throw error;
      if (!CONNECTION_FAULTS.has(error.code)) return 0;
      return this.#connection.try(() => {
        throw error;
      });
    }
  }
}
