/**
 * What comes on a data connection into a file, in the kernel. The socket is emptied on the event loop; writing, which
 * may have to wait for a disk (the kernel holds up whoever has made too many pages dirty), happens on other threads,
 * one write at a time, while the loop fills a second pipe.
 */
import { readSync } from "node:fs";
import { LoopGuard } from "../base/loop-guard.ts";
import { DataCallError, WOULD_WAIT } from "../sys/data-calls.ts";
import { SLOW_DISK_MS, SLOW_WRITE_MS, SMALL_RECEIVE, WRITE_MOST } from "./limits.ts";
import type { NativeConnection } from "./native-connection.ts";
import type { Pipe } from "./pipes.ts";
import type { Moved } from "./transport.ts";

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
    using first = this.#connection.pipes.borrow();
    if (first === undefined) return NOTHING;
    using second = this.#connection.pipes.borrow();
    return await this.#receiveThrough(first, second ?? first);
  }

  /** The first octets, which are all of a short file. @returns undefined: more may come, and by a pipe. */
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

  async #receiveThrough(first: Pipe, second: Pipe): Promise<Outcome> {
    let [filling, other] = [first, second];
    let writing: Promise<boolean> = Promise.resolve(true);
    try {
      for (;;) {
        const state = await this.#fill(filling);
        // One write at a time: octets keep their order, and the file's own position is where they go.
        if (!(await writing)) return this.#takeBack([other, filling]);
        this.#connection.check();
        writing = this.#empty(filling);
        if (state === "more" && filling !== other) {
          [filling, other] = [other, filling];
          continue;
        }
        if (!(await writing)) return this.#takeBack([filling]);
        if (state !== "more") return state === "end" ? "end" : NOTHING;
      }
    } finally {
      // The file may be closed after this, and the pipes lent to others.
      await writing;
    }
  }

  /** Empties the socket into a pipe, up to one turn's share; waits while there is nothing at all. */
  async #fill(pipe: Pipe): Promise<"more" | "end" | "throttled"> {
    const { calls, descriptor } = this.#connection;
    const room = Math.min(pipe.octets, this.#connection.quantum);
    while (pipe.held < room) {
      if (this.#connection.throttle?.limited === true) return "throttled";
      const length = room - pipe.held;
      const count = this.#connection.try(() => calls.splice(descriptor, pipe.writing, { length }));
      if (count === 0) return "end";
      if (count === WOULD_WAIT) {
        // The socket is empty, or the pipe full of small pieces: what is there is written either way.
        if (pipe.held > 0) return "more";
        await this.#connection.until("readable");
        continue;
      }
      pipe.held += count;
      this.#moved(count);
      await this.#connection.turn(count);
    }
    return "more";
  }

  /** Writes what a pipe holds, on another thread. @returns false: the file did not take all of it. */
  async #empty(pipe: Pipe): Promise<boolean> {
    while (pipe.held > 0) {
      const length = Math.min(pipe.held, WRITE_MOST);
      const count = await this.#connection.calls.spliceElsewhere(pipe.reading, this.#file, { length });
      if (count <= 0) return false;
      pipe.held -= count;
    }
    return true;
  }

  /** What lies in pipes, in their order: for the plain way of writing, which names the fault. */
  #takeBack(pipes: readonly Pipe[]): readonly Buffer[] {
    const chunks: Buffer[] = [];
    for (const pipe of new Set(pipes)) {
      while (pipe.held > 0) {
        const chunk = Buffer.allocUnsafe(pipe.held);
        const count = readSync(pipe.reading, chunk);
        if (count === 0) break;
        pipe.held -= count;
        chunks.push(chunk.subarray(0, count));
      }
    }
    return chunks;
  }
}
