/**
 * A data connection in clear text on the native path: a bare descriptor that the event loop watches. Octets go between
 * file and socket by plain system calls (decision 018); what must pass through us does so by plain calls. No call
 * on the loop's thread waits, neither for the peer nor for a disk.
 */
import { Turns } from "../base/turns.ts";
import { type DataCalls, DataCallError, WOULD_WAIT, type Watch } from "../sys/data-calls.ts";
import type { Endpoint } from "./addresses.ts";
import { DataError, type DataFault, type DataTerms } from "./data-connection.ts";
import {
  DATA_LINGER_MS,
  QUANTUM_LEAST,
  QUANTUM_MOST,
  RECEIVE_BUFFER,
  STEPS_A_TURN,
  STREAMS_AT_ONCE,
  STREAMS_WAITING,
  TURN_OCTETS,
} from "./limits.ts";
import { UploadBuffers } from "./upload-buffers.ts";
import { FileReceiver } from "./receive-file.ts";
import { FileSender } from "./send-file.ts";
import type { Throttle } from "./throttle.ts";
import type { DataTransport, FileSpan, Moved } from "./transport.ts";

/** What all native connections of a process share. */
class Shared {
  readonly buffers = new UploadBuffers();
  /** Calls that wait for clients. */
  readonly streams = new Turns({ atOnce: STREAMS_AT_ONCE, waiting: STREAMS_WAITING });
  /** Transfers under way. */
  active = 0;
  readonly #ready: (() => void)[] = [];

  /**
   * Lets a transfer go on, in the order in which they asked, and few in one round of the event loop: commands of other
   * sessions are answered between two rounds, however many connections are ready at once.
   */
  admit(goOn: () => void): void {
    if (this.#ready.push(goOn) === 1) setImmediate(this.#serve);
  }

  readonly #serve = (): void => {
    for (let step = 0; step < STEPS_A_TURN; step++) this.#ready.shift()?.();
    if (this.#ready.length > 0) setImmediate(this.#serve);
  };
}

const sharedBy = new WeakMap<DataCalls, Shared>();

function sharedOf(calls: DataCalls): Shared {
  const shared = sharedBy.get(calls) ?? new Shared();
  sharedBy.set(calls, shared);
  return shared;
}

/** Octets of one buffer of `receive`. */
const RECEIVE_OCTETS = 262_144;

const NO_OCTETS = Buffer.alloc(0);

export class NativeConnection implements DataTransport {
  readonly memory: number;
  readonly peer: Endpoint;
  readonly calls: DataCalls;
  readonly descriptor: number;
  readonly throttle: Throttle | undefined;
  readonly #shared: Shared;
  readonly #watch: Watch;
  readonly #stallMs: number;
  readonly #signal: AbortSignal;
  readonly #abort = (): void => this.#fail("aborted");
  #fault: DataError | undefined;
  #wake: (() => void) | undefined;
  #stall: NodeJS.Timeout | undefined;
  #waiting: AbortController | undefined;
  #buffer: Buffer | undefined;
  #receiver: FileReceiver | undefined;
  /** Our FIN has gone out, or the peer's has come: it ends softly. */
  #finished = false;
  #isOver = false;
  #closed = false;
  /** Calls on other threads that use the descriptor. */
  #held = 0;
  #disposed = false;
  /** Octets moved in this turn of the event loop. */
  #moved = 0;

  /** Owns the descriptor from here on. As `DataConnection` otherwise. */
  constructor(
    { descriptor, peer }: { readonly descriptor: number; readonly peer: Endpoint },
    { stallMs, signal, throttle, memory = RECEIVE_BUFFER }: DataTerms,
    calls: DataCalls,
  ) {
    this.descriptor = descriptor;
    this.peer = peer;
    this.memory = memory;
    this.calls = calls;
    this.throttle = throttle;
    this.#stallMs = stallMs;
    this.#signal = signal;
    this.#shared = sharedOf(calls);
    this.#shared.active += 1;
    this.#watch = calls.watch(descriptor);
    if (signal.aborted) this.#abort();
    signal.addEventListener("abort", this.#abort, { once: true });
  }

  async send(chunk: Buffer, moved?: Moved): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      const leave = await this.leave(rest.length);
      let part = rest.subarray(0, leave);
      rest = rest.subarray(leave);
      while (part.length > 0) {
        const sent = this.try(() => this.calls.send(this.descriptor, part, rest.length > 0));
        if (sent === WOULD_WAIT) await this.until("writable");
        else {
          moved?.(sent);
          part = part.subarray(sent);
        }
      }
    }
  }

  async finish(): Promise<void> {
    const isQuiet = this.try(() => this.calls.peek(this.descriptor)) <= 0;
    // Once the peer has confirmed all of it, closing sends our FIN and can lose nothing. Before, whatever it sends
    // would turn our FIN into a reset, and what is still on its way would be gone.
    if (isQuiet && this.try(() => this.calls.unconfirmed(this.descriptor)) === 0) this.#close();
    else this.try(() => this.calls.shutdownSending(this.descriptor));
    this.#finished = true;
  }

  async receive(): Promise<readonly Buffer[]> {
    this.#buffer ??= Buffer.allocUnsafeSlow(Math.min(RECEIVE_OCTETS, this.memory));
    const room = Math.min(this.#buffer.length, this.throttle?.limited === true ? this.throttle.quantum : Infinity);
    const into = this.#buffer.subarray(0, Math.max(room, 1));
    let count: number;
    while ((count = this.try(() => this.calls.receive(this.descriptor, into))) === WOULD_WAIT) {
      await this.until("readable");
    }
    if (count === 0) {
      this.#noteEnd();
      return [];
    }
    await this.#takeTurn(count);
    for (let passed = 0; passed < count;) passed += await this.leave(count - passed);
    return [into.subarray(0, count)];
  }

  async sendFile(file: number, span: FileSpan, moved: Moved): Promise<number> {
    return new FileSender(this, file, moved).send(span);
  }

  async receiveFile(file: number, moved: Moved): Promise<"end" | readonly Buffer[]> {
    this.#receiver ??= new FileReceiver(this, file, moved);
    const outcome = await this.#receiver.receive();
    if (outcome === "end") this.#noteEnd();
    return outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#shared.active -= 1;
    this.#signal.removeEventListener("abort", this.#abort);
    clearTimeout(this.#stall);
    if (this.#closed) return;
    if (!this.#finished) this.#cut();
    else if (this.#isOver) this.#close();
    else this.#linger();
  }

  /** The peer has sent all, and we have sent nothing: there is nobody to wait for. */
  #noteEnd(): void {
    this.#finished = true;
    this.#isOver = true;
  }

  /** Buffers for uploads. */
  get buffers(): UploadBuffers {
    return this.#shared.buffers;
  }

  /** Places for calls that wait for clients on other threads. */
  get streams(): Turns {
    return this.#shared.streams;
  }

  /** Does something with the descriptor, unless that may be another's by now. */
  ifOpen(act: () => void): void {
    if (!this.#closed) act();
  }

  /** Transfers of this process that are under way. */
  get sharers(): number {
    return this.#shared.active;
  }

  /** A call on the descriptor that another thread does: until it is back the descriptor stays open, whatever happens. */
  async hold(call: Promise<number>): Promise<number> {
    this.#held += 1;
    try {
      return await call;
    } finally {
      this.#held -= 1;
      if (this.#closed && this.#held === 0) this.calls.close(this.descriptor);
    }
  }

  /** After a call on another thread that failed. @throws {DataError} if it is the connection that has failed. */
  probe(): void {
    this.check();
    try {
      this.calls.send(this.descriptor, NO_OCTETS, false);
    } catch (error) {
      if (!(error instanceof DataCallError)) throw error;
      // The other thread's call has used up the socket's error; only a peer that is gone leaves it so.
      this.#fail("reset", error);
      this.check();
    }
  }

  /** Octets that one step may move, so that all transfers of the process have their turn. */
  get quantum(): number {
    const fair = Math.floor(TURN_OCTETS / this.#shared.active);
    return Math.min(Math.max(fair, QUANTUM_LEAST), QUANTUM_MOST);
  }

  /** @throws {DataError} when the connection has failed meanwhile. */
  check(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  /** A call on the socket. @throws {DataError} in place of its error. */
  try<Result>(call: () => Result): Result {
    this.check();
    try {
      return call();
    } catch (error) {
      if (!(error instanceof DataCallError)) throw error;
      this.#fail(error.code === "ECONNRESET" ? "reset" : "closed", error);
      throw this.#fault ?? error;
    }
  }

  /** Counts octets; settles at once, or in the next turn of the event loop when this one's share is used up. */
  async turn(octets: number): Promise<void> {
    this.#stall?.refresh();
    await this.#takeTurn(octets);
    this.check();
  }

  /** Waits for the socket; at most for as long as nothing may move. @throws {DataError} */
  async until(what: "readable" | "writable"): Promise<void> {
    this.check();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    this.#moved = 0;
    this.#startStall();
    this.#watch.once(what, () => this.#shared.admit(resolve));
    await promise;
    this.#wake = undefined;
    this.#stopStall();
    this.check();
  }

  /** Leave of the throttle to move octets, at most `wanted`. That wait is ours, so the peer does not stall meanwhile. */
  async leave(wanted: number): Promise<number> {
    this.check();
    if (this.throttle?.limited !== true) return wanted;
    const waiting = new AbortController();
    const leave = this.throttle.take(wanted, waiting.signal);
    if (typeof leave === "number") return leave;
    this.#waiting = waiting;
    try {
      return await leave;
    } finally {
      this.#waiting = undefined;
      this.check();
    }
  }

  async #takeTurn(octets: number): Promise<void> {
    this.#moved += octets;
    if (this.#moved < this.quantum) return;
    this.#moved = 0;
    await new Promise<void>((resolve) => this.#shared.admit(resolve));
  }

  #startStall(): void {
    if (this.#stall === undefined) this.#stall = setTimeout(() => this.#fail("stalled"), this.#stallMs);
    else this.#stall.refresh();
  }

  #stopStall(): void {
    clearTimeout(this.#stall);
    this.#stall = undefined;
  }

  #fail(fault: DataFault, cause?: Error): void {
    if (this.#finished || this.#fault !== undefined) return;
    this.#fault = new DataError(fault, cause === undefined ? undefined : { cause });
    this.#cut();
    this.#waiting?.abort(this.#fault);
    this.#wake?.();
  }

  #cut(): void {
    if (this.#closed) return;
    this.calls.resetOnClose(this.descriptor);
    this.#close();
  }

  #close(): void {
    this.#closed = true;
    this.#watch[Symbol.dispose]();
    // Its number must not become another file's while a thread is about to use it.
    if (this.#held === 0) this.calls.close(this.descriptor);
    // The thread is not to wait for a client of whom nothing more is wanted; a FIN would tell him that all was sent.
    else this.calls.waitNoMore(this.descriptor);
  }

  /** Waits for the peer's FIN. What it sends on a download is thrown away; one that takes nothing is not waited for long. */
  #linger(): void {
    const scrap = Buffer.allocUnsafe(4_096);
    let left = this.calls.unconfirmed(this.descriptor);
    const end = (): void => {
      clearInterval(timer);
      if (!this.#closed) this.#close();
    };
    const empty = (): boolean => {
      try {
        for (let count; (count = this.calls.receive(this.descriptor, scrap)) !== WOULD_WAIT;)
          if (count === 0) return false;
        return true;
      } catch {
        return false;
      }
    };
    const look = (): void => {
      if (empty()) this.#watch.once("readable", look);
      else end();
    };
    // As long as the peer confirms some of it, it is given more time.
    const timer = setInterval(() => {
      const now = this.#closed ? 0 : this.calls.unconfirmed(this.descriptor);
      if (now === 0 || now >= left) end();
      left = now;
    }, DATA_LINGER_MS);
    look();
  }
}
