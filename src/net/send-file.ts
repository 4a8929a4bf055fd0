/** A file onto a data connection in the kernel: from the page cache by splice, without a stop for a disk. */
import { DataCallError, WOULD_WAIT } from "../sys/data-calls.ts";
import { SMALL_SEND } from "./limits.ts";
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

  constructor(connection: NativeConnection, file: number, moved: Moved) {
    this.#connection = connection;
    this.#file = file;
    this.#moved = moved;
  }

  /** @returns the position reached: see `DataTransport.sendFile`. @throws {DataError} */
  async send({ start, end }: FileSpan): Promise<number> {
    this.#position = start;
    this.#end = end;
    if (end - start <= SMALL_SEND && this.#sendAtOnce()) return this.#position;
    using pipe = this.#connection.pipes.borrow();
    if (pipe === undefined) await this.#sendWithout();
    else await this.#sendThrough(pipe);
    return this.#position;
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

  async #sendThrough(pipe: Pipe): Promise<void> {
    const { calls, descriptor } = this.#connection;
    let filled = this.#position;
    while (this.#position < this.#end) {
      // Filled up again before it is empty, so that the socket always finds something. What a throttle gave leave for
      // is not saved up.
      const isHeld = this.#connection.throttle?.limited === true;
      if (filled < this.#end && pipe.held <= (isHeld ? 0 : pipe.octets / 2)) {
        const count = await this.#fill(pipe, filled);
        if (count > 0) filled += count;
        // The file is shorter than it was, or cannot be read this way: what is in the pipe still goes out.
        else this.#end = filled;
        continue;
      }
      const more = filled < this.#end && !isHeld;
      const sent = this.#connection.try(() => calls.splice(pipe.reading, descriptor, { length: pipe.held, more }));
      if (sent === WOULD_WAIT) await this.#connection.until("writable");
      else {
        pipe.held -= sent;
        await this.#note(sent);
      }
    }
  }

  /** @returns octets that came into the pipe; 0 at the end of the file and after a fault of it. */
  async #fill(pipe: Pipe, position: number): Promise<number> {
    const { calls, quantum } = this.#connection;
    const wanted = Math.min(pipe.octets - pipe.held, this.#end - position, quantum);
    const length = await this.#connection.leave(wanted);
    const range = { position, length };
    if (calls.warmth(this.#file, range) === "in-memory") {
      const count = this.#onFile(() => calls.splice(this.#file, pipe.writing, range));
      if (count > 0) pipe.held += count;
      // It has more pieces than the pipe has places: first some must go out.
      if (count !== WOULD_WAIT || pipe.held === 0) return count;
    }
    const count = await calls.spliceElsewhere(this.#file, pipe.writing, range);
    if (count > 0) pipe.held += count;
    this.#connection.check();
    return count;
  }

  /** By sendfile, while what it would read lies in memory. */
  async #sendWithout(): Promise<void> {
    const { calls, descriptor } = this.#connection;
    while (this.#position < this.#end) {
      const length = await this.#connection.leave(Math.min(this.#connection.quantum, this.#end - this.#position));
      for (let left = length; left > 0;) {
        const range = { position: this.#position, length: left };
        if (calls.warmth(this.#file, range) !== "in-memory") return;
        const sent = this.#onFile(() => calls.sendFile(descriptor, this.#file, range));
        if (sent === 0) return;
        if (sent === WOULD_WAIT) await this.#connection.until("writable");
        else {
          left -= sent;
          await this.#note(sent);
        }
      }
    }
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
