/**
 * A file onto a data connection in the kernel, without a stop for a disk. The first octets after each wait go out on the
 * event loop if they lie in memory: a slow client's socket takes no more. Where it takes more, sendfile runs on another
 * thread, in which it may wait for the disk, nothing has to be known of the page cache, and the loop stays free. For a
 * fast client it waits there for the socket too: one call is then as much as he takes in some milliseconds.
 */
import { DataCallError, WOULD_WAIT } from "../sys/data-calls.ts";
import {
  ELSEWHERE_FAIR,
  ELSEWHERE_GOOD_MS,
  ELSEWHERE_LEAST,
  ELSEWHERE_MOST,
  ELSEWHERE_SLOW_MS,
  ELSEWHERE_TRIES,
  LOOP_SEND,
  SMALL_SEND,
  STREAM_LEAST,
  STREAM_LONGEST_MS,
  STREAM_MOST,
  STREAM_MS,
  STREAM_TRIAL,
  STREAM_UNSENT,
  STREAM_WAIT_MS,
  THROTTLED_SEND,
  UNSENT_LOW,
} from "./limits.ts";
import type { NativeConnection } from "./native-connection.ts";
import { sendShort } from "./short-send.ts";
import type { FileSpan, Moved } from "./transport.ts";

/** Errors of sendfile(2) that are the socket's and not the file's. */
const CONNECTION_FAULTS: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "EPIPE",
  "ENOTCONN",
  "ETIMEDOUT",
  "ECONNABORTED",
]);

/** How many waits for the socket lie between two trials whether a client is fast, of which a vain one keeps a thread. */
const [TRIAL_REST_LEAST, TRIAL_REST_MOST] = [32, 4_096];
/** Too many wait for a thread. */
const NONE_SENT = { sent: WOULD_WAIT, ms: 0 } as const;

export class FileSender {
  readonly #connection: NativeConnection;
  readonly #file: number;
  readonly #moved: Moved;
  #position = 0;
  #end = 0;
  /** Octets that may still go out on the event loop before it is another thread's work. */
  #onLoop = LOOP_SEND;
  #isExpected = false;
  /** Octets that another thread is asked for at once. */
  #elsewhere = ELSEWHERE_LEAST;
  /** Octets that the client has taken in a millisecond of late; 0: not known. */
  #pace = 0;
  /** Waits for the socket before it is tried again whether a thread may wait, and as many after the next vain trial. */
  #untilTrial = 0;
  #isTrial = false;
  #restAfterTrial = TRIAL_REST_LEAST;
  /** The socket is one whose calls wait. */
  #waits = false;

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
    try {
      await this.#sendAll();
    } finally {
      this.#letWait(false);
    }
    return this.#position;
  }

  async #sendAll(): Promise<void> {
    while (this.#position < this.#end) {
      if (this.#isFast) {
        if (!(await this.#stream())) return;
        continue;
      }
      const length = await this.#connection.leave(Math.min(this.#wanted, this.#end - this.#position));
      const isHere = this.#onLoop > 0 && this.#isWarm(length);
      if (!(await (isHere ? this.#sendHere(length) : this.#sendElsewhere(length)))) return;
    }
  }

  /** He takes as much as is worth a thread that waits for him. */
  get #isFast(): boolean {
    return (
      this.#pace * STREAM_MS >= STREAM_LEAST &&
      this.#end - this.#position >= STREAM_TRIAL &&
      this.#connection.throttle?.limited !== true
    );
  }

  /** One call that waits for the client. @returns false at the end of the file, and after a fault of it. */
  async #stream(): Promise<boolean> {
    const wanted = this.#isTrial ? STREAM_TRIAL : Math.min(this.#pace * STREAM_MS, STREAM_MOST);
    const length = Math.floor(Math.min(wanted, this.#end - this.#position));
    this.#isTrial = false;
    const { sent, ms } = (await this.#connection.streams.run(async () => this.#sendWaiting(length))) ?? NONE_SENT;
    this.#connection.check();
    if (sent === 0) return false;
    this.#pace = sent === length ? sent / Math.max(ms, 1) : 0;
    if (this.#isFast) return true;
    // He takes less, or there is a fault, which the other way finds out.
    this.#untilTrial = this.#restAfterTrial;
    this.#restAfterTrial = Math.min(this.#restAfterTrial * 2, TRIAL_REST_MOST);
    this.#letWait(false);
    return true;
  }

  #tryStream(): void {
    this.#untilTrial -= 1;
    this.#isTrial = this.#untilTrial < 0;
    if (this.#isTrial) this.#pace = STREAM_LEAST / STREAM_MS;
  }

  async #sendWaiting(length: number): Promise<{ readonly sent: number; readonly ms: number }> {
    const { calls, descriptor } = this.#connection;
    this.#connection.check();
    this.#expect();
    this.#letWait(true);
    const begun = performance.now();
    const range = { position: this.#position, length };
    // Its time-out begins anew with each octet: one who takes a little now and then would keep the thread for minutes.
    const limit = setTimeout(() => this.#letWait(false), STREAM_LONGEST_MS);
    const sent = await this.#connection.hold(calls.sendFileElsewhere(descriptor, this.#file, range));
    clearTimeout(limit);
    if (sent > 0) this.#note(sent);
    return { sent, ms: performance.now() - begun };
  }

  /** What goes out by other threads may have to be read: from front to back. */
  #expect(): void {
    if (!this.#isExpected) this.#connection.calls.expectInOrder(this.#file);
    this.#isExpected = true;
  }

  #letWait(waits: boolean): void {
    if (this.#waits === waits) return;
    this.#waits = waits;
    const { calls, descriptor } = this.#connection;
    this.#connection.ifOpen(() =>
      calls.letWait(descriptor, waits ? STREAM_WAIT_MS : 0, waits ? STREAM_UNSENT : UNSENT_LOW),
    );
  }

  /** Octets of the next step. What a throttle gives leave for must all go out. */
  get #wanted(): number {
    if (this.#connection.throttle?.limited === true) return THROTTLED_SEND;
    return this.#onLoop > 0 ? Math.min(this.#onLoop, this.#connection.quantum) : this.#atOnceElsewhere;
  }

  /** Others wait for the same threads. */
  get #atOnceElsewhere(): number {
    const fair = Math.floor(ELSEWHERE_MOST / this.#connection.sharers);
    return Math.min(this.#elsewhere, Math.max(fair, ELSEWHERE_FAIR));
  }

  /** A short file that lies in memory, onto a connection that takes it: two calls and no wait. @returns whether it is all out. */
  #sendAtOnce(): boolean {
    const { calls, descriptor, throttle } = this.#connection;
    if (throttle?.limited === true) return false;
    const [ends, span] = [
      { socket: descriptor, file: this.#file },
      { start: this.#position, end: this.#end },
    ];
    const sent = this.#connection.try(() => sendShort(calls, ends, span));
    if (sent > 0) this.#note(sent);
    return this.#position >= this.#end;
  }

  #isWarm(length: number): boolean {
    return this.#connection.calls.warmth(this.#file, { position: this.#position, length }) === "in-memory";
  }

  /** @returns false at the end of the file, and after a fault of it. */
  async #sendHere(length: number): Promise<boolean> {
    const { calls, descriptor } = this.#connection;
    for (let left = length; left > 0;) {
      const sent = this.#onFile(() =>
        calls.sendFile(descriptor, this.#file, { position: this.#position, length: left }),
      );
      if (sent === 0) return false;
      if (sent === WOULD_WAIT) await this.#untilWritable();
      else {
        left -= sent;
        this.#onLoop -= sent;
        this.#note(sent);
        await this.#connection.turn(sent);
      }
    }
    // He has taken at once whatever there was: he may be fast.
    if (this.#onLoop === 0) this.#tryStream();
    return true;
  }

  /** @returns false at the end of the file, and after a fault of it. */
  async #sendElsewhere(length: number): Promise<boolean> {
    const { calls, descriptor } = this.#connection;
    // Under a throttle all that it gave leave for has to go out.
    const isExact = this.#connection.throttle?.limited === true;
    this.#expect();
    let tries = 0;
    for (let left = length; left > 0;) {
      const range = { position: this.#position, length: left };
      const begun = performance.now();
      const sent = await this.#connection.hold(calls.sendFileElsewhere(descriptor, this.#file, range));
      if (sent > 0) this.#note(sent);
      this.#connection.check();
      if (sent === 0) return false;
      if (sent === WOULD_WAIT) {
        // A socket that is full, or a fault, which has no name here: of the connection, or else of the file.
        this.#connection.probe();
        if ((tries += 1) > ELSEWHERE_TRIES) return false;
        await this.#untilWritable();
        continue;
      }
      this.#adapt(sent === left, performance.now() - begun);
      tries = 0;
      left -= sent;
      // Also of a file that never lies in memory the next calls are larger ones.
      this.#onLoop = Math.max(this.#onLoop - sent, 0);
      if (left === 0) {
        if (this.#onLoop === 0) this.#tryStream();
        return true;
      }
      await this.#untilWritable(sent);
      if (sent > LOOP_SEND) this.#tryStream();
      if (!isExact) return true;
    }
    return true;
  }

  /** Long calls keep a thread, and those who wait for it; short ones cost their way there and back. */
  #adapt(all: boolean, ms: number): void {
    if (ms > ELSEWHERE_SLOW_MS) this.#elsewhere = Math.max(this.#elsewhere / 2, ELSEWHERE_LEAST);
    else if (all && ms < ELSEWHERE_GOOD_MS) this.#elsewhere = Math.min(this.#elsewhere * 2, ELSEWHERE_MOST);
  }

  /** @param sent octets of the call before: what a socket took will be what it takes. */
  async #untilWritable(sent = 0): Promise<void> {
    this.#onLoop = sent > LOOP_SEND ? 0 : LOOP_SEND;
    await this.#connection.until("writable");
  }

  #note(sent: number): void {
    this.#position += sent;
    this.#moved(sent);
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
