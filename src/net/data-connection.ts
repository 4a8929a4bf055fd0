/**
 * A data connection while it carries one transfer. Both directions are pulled by the caller, so a slow disk slows the
 * peer and a slow peer the disk, and neither fills our memory. The portable path; the native one will stand beside it
 * with the same shape.
 */
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { systemCode } from "../base/system-code.ts";
import { type Endpoint, plainAddress } from "./addresses.ts";
import { takeOctets } from "./chunks.ts";
import type { CutStream } from "./tls/cut.ts";
import type { Inflow } from "./tls/inflow.ts";
import { DATA_LINGER_MS, RECEIVE_BUFFER } from "./limits.ts";
import type { Throttle } from "./throttle.ts";

/** Why a data connection failed, for the 426 and the log. */
export type DataFault = "reset" | "closed" | "truncated" | "incomplete" | "stalled" | "aborted";

export class DataError extends Error {
  override readonly name = "DataError";
  readonly fault: DataFault;

  constructor(fault: DataFault, options?: ErrorOptions) {
    super(`data connection ${fault}`, options);
    this.fault = fault;
  }
}

/** The stream of a data connection: a TCP socket, or a TLS one and what is below it. */
export type DataStream = {
  readonly socket: Socket;
  /** Where that is known; asking the system for it takes longer. */
  readonly peer?: Endpoint;
  /** TCP below TLS: only that can be reset. */
  readonly raw?: Reset;
  /** Of uploads over TLS: tells an end of TLS from a mere end of TCP (attack 14). */
  readonly tap?: CutStream;
  /** Of uploads over TLS: what the socket would have told by "data". */
  readonly inflow?: Inflow | undefined;
};

/** What is asked of TCP itself: a socket of Node's or a `DescriptorTap`. */
export type Reset = {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly writableEnded: boolean;
  destroy(): unknown;
  resetAndDestroy(): unknown;
};

const NOTHING = Buffer.alloc(0);

export type DataTerms = {
  readonly stallMs: number;
  readonly signal: AbortSignal;
  readonly throttle?: Throttle | undefined;
  /** Octets that may lie in memory for this transfer. Absent: `RECEIVE_BUFFER`. */
  readonly memory?: number;
};

export class DataConnection implements AsyncDisposable {
  /** Octets of this transfer that may lie in memory; a sender's buffers are to keep to it too. */
  readonly memory: number;
  readonly peer: Endpoint;
  readonly #socket: Socket;
  readonly #raw: Reset;
  readonly #tap: CutStream | undefined;
  readonly #inflow: Inflow | undefined;
  #fault: DataError | undefined;
  #arrived: Buffer[] = [];
  #arrivedOctets = 0;
  /** What the last call of `receive` gave; its caller is done with it at the next one. */
  #lent: readonly Buffer[] = [];
  #receiving = false;
  #hasSent = false;
  #ended = false;
  #hasWritten = false;
  #wake: (() => void) | undefined;
  #failWrite: ((fault: DataError) => void) | undefined;
  /** True once the transfer came to its good end: the socket may then close by itself. */
  #finished = false;
  readonly #stallMs: number;
  readonly #throttle: Throttle | undefined;
  /** Ends a wait for the throttle when the connection fails. */
  #waiting: AbortController | undefined;

  /**
   * @param stallMs milliseconds without one octet moving before the transfer fails as "stalled".
   * @param signal aborts the transfer; the peer sees a reset.
   * @param throttle of the one direction in which octets will move.
   */
  constructor(
    { socket, peer, raw = socket, tap, inflow }: DataStream,
    { stallMs, signal, throttle, memory = RECEIVE_BUFFER }: DataTerms,
  ) {
    this.memory = memory;
    this.#socket = socket;
    this.#raw = raw;
    this.#tap = tap;
    this.#inflow = inflow;
    this.#stallMs = stallMs;
    this.#throttle = throttle;
    this.peer = peer ?? { address: plainAddress(raw.remoteAddress ?? ""), port: raw.remotePort ?? 0 };
    socket.setTimeout(stallMs, () => this.#fail("stalled"));
    const failed = (error: Error): void => this.#fail(systemCode(error) === "ECONNRESET" ? "reset" : "closed", error);
    socket.on("error", failed);
    // Node's TLS sockets keep errors of what is below them to themselves.
    tap?.on("error", failed);
    socket.on("close", () => {
      if (!this.#ended) this.#fail("closed");
      this.#wake?.();
    });
    const abort = (): void => this.#fail("aborted");
    if (signal.aborted) abort();
    else if (socket.destroyed) this.#fail("closed");
    signal.addEventListener("abort", abort, { once: true });
    socket.once("close", () => signal.removeEventListener("abort", abort));
  }

  /**
   * Sends one buffer; settles when the kernel has taken all of it, so the buffer may then be reused.
   * @param moved hears of octets as the kernel takes them: of the whole buffer, or of slices if there is a throttle.
   * @throws {DataError}
   */
  async send(chunk: Buffer, moved?: (octets: number) => void): Promise<void> {
    let rest = chunk;
    while (this.#throttle?.limited === true && rest.length > 0) {
      const count = await this.#leave(this.#throttle, rest.length);
      await this.#write(rest.subarray(0, count));
      moved?.(count);
      rest = rest.subarray(count);
    }
    if (rest.length === 0) return;
    await this.#write(rest);
    moved?.(rest.length);
  }

  async #write(chunk: Buffer): Promise<void> {
    this.#check();
    this.#hasSent = true;
    // Nothing is to be read on a download, but a FIN or a reset of the peer must be seen.
    if (!this.#socket.readableFlowing) this.#socket.resume();
    // Who ends TLS in the middle of a download takes no more of it, and the engine may wait for him for ever.
    const ended = (): void => this.#fail("closed");
    const isPrivate = this.#socket !== this.#raw;
    if (isPrivate && this.#socket.readableEnded) ended();
    this.#check();
    if (isPrivate) this.#socket.once("end", ended);
    this.#hasWritten = true;
    await new Promise<void>((resolve, reject) => {
      this.#failWrite = reject;
      this.#socket.write(chunk, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(this.#fault ?? new DataError("closed", { cause: error }));
      });
    });
    this.#failWrite = undefined;
    if (isPrivate) this.#socket.off("end", ended);
  }

  /** Ends a download: all is sent and our FIN follows it. @throws {DataError} */
  async finish(): Promise<void> {
    // Node counts what a handshake has written as in flight until the next turn, and an end in this one goes out without
    // its close_notify: the peer would take an empty file for one that was cut.
    if (this.#socket !== this.#raw && !this.#hasSent) await turn();
    this.#check();
    this.#socket.resume();
    await new Promise<void>((resolve, reject) => {
      this.#failWrite = reject;
      this.#socket.once("close", () => {
        // After the good end there is nobody to tell, and an error costs its stack trace.
        if (!this.#finished) reject(this.#fault ?? new DataError("closed"));
      });
      this.#end((error?: Error | null) => {
        if (error === undefined || error === null) resolve();
        else reject(this.#fault ?? new DataError("closed", { cause: error }));
      });
    });
    this.#finished = true;
  }

  /**
   * What has come since the last call: at least one buffer, or none at the end of the upload. The end is the peer's
   * FIN alone; a reset or a silent close throws, so that half a file is never taken for a whole one.
   * The next call takes the buffers' memory back.
   * @throws {DataError}
   */
  async receive(): Promise<readonly Buffer[]> {
    if (!this.#receiving) this.#startReceiving();
    this.#takeBack();
    while (!this.#hasArrived() && !this.#ended) {
      this.#check();
      if (this.#tap?.cut === true && (await this.#tap.quiet(() => this.#hasNews()))) this.#fail("truncated");
      if (this.#hasNews()) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#arrived.length > 0 && this.#throttle?.limited === true) return this.#takeSome(this.#throttle);
    const chunks = this.#arrived;
    if (chunks.length > 0) {
      this.#arrived = [];
      this.#arrivedOctets = 0;
      if (this.#socket.isPaused()) this.#socket.resume();
      if (this.#inflow === undefined) this.#lent = chunks;
      return chunks;
    }
    this.#check();
    this.#finished = true;
    this.#end();
    return chunks;
  }

  /**
   * While the last octets of a handshake go out, Node's TLS engine ends TCP without its close_notify, and the peer takes
   * an empty file for a cut one. A write, of nothing, is called back when they are out; its end waits for it.
   */
  #end(done?: (error?: Error | null) => void): void {
    if (this.#socket === this.#raw || this.#hasWritten) this.#socket.end(done);
    else this.#socket.end(NOTHING, done);
  }

  /** Closes it on every way out: softly after a good end, with a reset otherwise. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.destroyed) return;
    if (!this.#finished) {
      this.#cut();
      return;
    }
    // The peer's FIN closes it; a peer that never sends one is not waited for long.
    this.#socket.resume();
    this.#socket.setTimeout(0);
    const timer = setTimeout(() => this.#socket.destroy(), DATA_LINGER_MS);
    this.#socket.once("close", () => clearTimeout(timer));
  }

  #hasArrived(): boolean {
    const isLast = this.#ended || this.#fault !== undefined;
    if (this.#inflow !== undefined && this.#arrived.length === 0 && (this.#inflow.isReady || isLast)) {
      this.#arrivedOctets = this.#inflow.octets;
      this.#arrived = this.#inflow.take();
    }
    return this.#arrived.length > 0;
  }

  /** Collecting the garbage of 16 KiB pieces took longer than decrypting them. A part of a piece may have others beside it. */
  #takeBack(): void {
    for (const { buffer, length } of this.#lent) {
      if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
    }
    this.#lent = [];
  }

  /** What has arrived, as far as the throttle lets it pass. */
  async #takeSome(throttle: Throttle): Promise<readonly Buffer[]> {
    const count = await this.#leave(throttle, this.#arrivedOctets);
    this.#arrivedOctets -= count;
    const chunks = takeOctets(this.#arrived, count);
    if (this.#arrivedOctets < this.#readAhead() && this.#socket.isPaused()) this.#socket.resume();
    return chunks;
  }

  /** Octets that may lie here before the socket is paused. One read more may come then, and after it TCP slows the peer. */
  #readAhead(): number {
    return this.#throttle === undefined ? this.memory : Math.min(this.memory, this.#throttle.quantum);
  }

  /** Waits for the throttle. That wait is ours, so the peer does not stall meanwhile. @throws {DataError} */
  async #leave(throttle: Throttle, wanted: number): Promise<number> {
    this.#check();
    const waiting = new AbortController();
    const leave = throttle.take(wanted, waiting.signal);
    if (typeof leave === "number") return leave;
    this.#waiting = waiting;
    this.#socket.setTimeout(0);
    try {
      const count = await leave;
      this.#check();
      return count;
    } finally {
      this.#waiting = undefined;
      this.#socket.setTimeout(this.#stallMs);
    }
  }

  #hasNews(): boolean {
    return this.#arrived.length > 0 || this.#inflow?.isReady === true || this.#ended || this.#fault !== undefined;
  }

  #startReceiving(): void {
    this.#receiving = true;
    this.#tap?.onCut(() => this.#wake?.());
    // TLS may have ended in the very segment that ended the handshake.
    this.#ended = this.#socket.readableEnded;
    if (this.#inflow === undefined) this.#socket.on("data", this.#keep);
    else this.#inflow.begin(this.#readAhead(), () => this.#wake?.());
    this.#socket.once("end", () => {
      this.#ended = true;
      this.#wake?.();
    });
    this.#socket.resume();
  }

  readonly #keep = (chunk: Buffer): void => {
    this.#arrived.push(chunk);
    this.#arrivedOctets += chunk.length;
    if (this.#arrivedOctets >= this.#readAhead()) this.#socket.pause();
    this.#wake?.();
  };

  #fail(fault: DataFault, cause?: Error): void {
    if (this.#finished || this.#fault !== undefined) return;
    this.#fault = new DataError(fault, cause === undefined ? undefined : { cause });
    if (!this.#socket.destroyed) this.#cut();
    this.#waiting?.abort(this.#fault);
    // A TLS socket that is destroyed does not always call back for what it was still to write.
    this.#failWrite?.(this.#fault);
    this.#wake?.();
  }

  /** With a reset, unless our FIN is on its way: libuv refuses that, and Node would keep the descriptor for ever. */
  #cut(): void {
    if (this.#raw.writableEnded || this.#socket.writableEnded) this.#raw.destroy();
    else this.#raw.resetAndDestroy();
    // Node frees a TLS engine at once when the socket below it has closed already, and we may be inside that engine's own
    // read, whose end of the handshake brought us here: it would go on with memory that is gone.
    if (this.#socket !== this.#raw) setImmediate(() => this.#socket.destroy());
  }

  #check(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }
}
