/**
 * What comes on a data connection into a file. The socket is emptied on the event loop, into buffers used again; writing,
 * which may have to wait for a disk (the kernel holds up whoever has made too many pages dirty), happens on other threads,
 * one write at a time, while the loop fills a second buffer.
 */
import { LoopGuard } from "../base/loop-guard.ts";
import { DataCallError, WOULD_WAIT } from "../sys/data-calls.ts";
import { SLOW_DISK_MS, SLOW_WRITE_MS, SMALL_RECEIVE } from "./limits.ts";
import type { NativeConnection } from "./native-connection.ts";
import type { Moved } from "./transport.ts";
import type { UploadBuffer } from "./upload-buffers.ts";

/** For short files: calls are synchronous, and what was received is written before the next one. */
const scrap = Buffer.allocUnsafeSlow(SMALL_RECEIVE);

const onLoop = new LoopGuard({ mostMs: SLOW_WRITE_MS, restMs: SLOW_DISK_MS });

type Outcome = "end" | readonly Buffer[];
const NOTHING: readonly Buffer[] = [];

export class FileReceiver {
  readonly #connection: NativeConnection;
  readonly #file: number;
  readonly #moved: Moved;
  /** Octets of this upload that may still be written on the event loop. */
  #short = SMALL_RECEIVE;

  constructor(connection: NativeConnection, file: number, moved: Moved) {
    this.#connection = connection;
    this.#file = file;
    this.#moved = moved;
  }

  /** See `DataTransport.receiveFile`; may be called again after it gave something back. */
  async receive(): Promise<Outcome> {
    const start = await this.#receiveAtOnce();
    if (start !== undefined) return start;
    using first = this.#connection.buffers.borrow();
    if (first === undefined) return NOTHING;
    using second = this.#connection.buffers.borrow();
    return await this.#receiveThrough(first, second ?? first);
  }

  /** The first octets, which are all of a short file. @returns undefined: more may come, and by way of buffers. */
  async #receiveAtOnce(): Promise<Outcome | undefined> {
    const { calls, descriptor } = this.#connection;
    while (this.#short > 0) {
      if (this.#connection.throttle?.limited === true) return NOTHING;
      const count = this.#connection.try(() => calls.receive(descriptor, scrap));
      if (count === 0) return "end";
      if (count === WOULD_WAIT) {
        await this.#connection.until("readable");
        continue;
      }
      this.#moved(count);
      this.#short -= count;
      const written = this.#writeNow(count);
      if (written < count) return [Buffer.from(scrap.subarray(written, count))];
    }
    return undefined;
  }

  /** @returns octets written of the front of `scrap`; fewer for a fault, or a disk that is slow just now. */
  #writeNow(count: number): number {
    try {
      return onLoop.try(() => this.#connection.calls.write(this.#file, scrap, count)) ?? 0;
    } catch (error) {
      if (error instanceof DataCallError) return 0;
      throw error;
    }
  }

  async #receiveThrough(first: UploadBuffer, second: UploadBuffer): Promise<Outcome> {
    let [filling, other] = [first, second];
    let writing: Promise<boolean> = Promise.resolve(true);
    try {
      for (;;) {
        const state = await this.#fill(filling);
        // One write at a time: octets keep their order, and the file's own position is where they go.
        if (!(await writing)) return this.#takeBack([other, filling]);
        this.#connection.check();
        writing = this.#empty(filling);
        // It is awaited later, and a fault before that must not be nobody's.
        writing.catch(() => {});
        if (state === "more" && filling !== other) {
          [filling, other] = [other, filling];
          continue;
        }
        if (!(await writing)) return this.#takeBack([filling]);
        if (state !== "more") return state === "end" ? "end" : NOTHING;
      }
    } finally {
      // The file may be closed after this, and the buffers lent to others.
      await writing;
    }
  }

  /** Empties the socket into a buffer, up to one turn's share; waits while there is nothing at all. */
  async #fill(buffer: UploadBuffer): Promise<"more" | "end" | "throttled"> {
    const { calls, descriptor } = this.#connection;
    const room = Math.min(buffer.octets.length, this.#connection.quantum);
    while (buffer.held < room) {
      if (this.#connection.throttle?.limited === true) return "throttled";
      const into = buffer.octets.subarray(buffer.held, room);
      const count = this.#connection.try(() => calls.receive(descriptor, into));
      if (count === 0) return "end";
      if (count === WOULD_WAIT) {
        if (buffer.held > 0) return "more";
        await this.#connection.until("readable");
        continue;
      }
      buffer.held += count;
      this.#moved(count);
      await this.#connection.turn(count);
    }
    return "more";
  }

  /** Writes what a buffer holds, on another thread. @returns false: the file did not take all of it. */
  async #empty(buffer: UploadBuffer): Promise<boolean> {
    while (buffer.written < buffer.held) {
      const rest = buffer.octets.subarray(buffer.written, buffer.held);
      const count = await this.#connection.calls.writeElsewhere(this.#file, rest);
      if (count <= 0) return false;
      buffer.written += count;
    }
    buffer.held = 0;
    buffer.written = 0;
    return true;
  }

  /** What lies in buffers, in their order: for the plain way of writing, which names the fault. */
  #takeBack(buffers: readonly UploadBuffer[]): readonly Buffer[] {
    return [...new Set(buffers)].flatMap((buffer) => {
      const rest = Buffer.from(buffer.octets.subarray(buffer.written, buffer.held));
      buffer.held = 0;
      buffer.written = 0;
      return rest.length === 0 ? [] : [rest];
    });
  }
}
