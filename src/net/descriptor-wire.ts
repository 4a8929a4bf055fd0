/**
 * A control connection in clear text as a bare descriptor, watched as data connections are: a command and its reply cost
 * three system calls and next to nothing of Node's streams, and an idle one no more than this object.
 */
import { Socket } from "node:net";
import { type DataCalls, WOULD_WAIT, type Watch } from "../sys/data-calls.ts";
import type { Endpoint } from "./addresses.ts";
import { KEEP_ALIVE_MS } from "./limits.ts";
import type { Ears, Wire } from "./wire.ts";

/** Octets of one read, and of a reply that is sent without a buffer of its own. */
const OCTETS_AT_ONCE = 65_536;
/** One for all, because calls are synchronous: what is read is split, and what is sent is gone, before the next call. */
const received = Buffer.allocUnsafeSlow(OCTETS_AT_ONCE);
const sending = Buffer.allocUnsafeSlow(OCTETS_AT_ONCE);
const NOTHING = Buffer.alloc(0);
const FORGETFUL: Ears = { onOctets: () => {}, onEnd: () => {} };

export class DescriptorWire implements Wire {
  readonly peer: Endpoint;
  readonly local: Endpoint;
  readonly #descriptor: number;
  readonly #calls: DataCalls;
  readonly #watch: Watch;
  readonly #wake = (): void => this.#look();
  #ears: Ears | undefined;
  #onClosed: (() => void)[] = [];
  #drained: (() => void)[] = [];
  #unsent = NOTHING;
  #paused = false;
  /** The other end's FIN has come; ours is to go, or has gone, after what is unsent. */
  #heardEnd = false;
  #ending = false;
  #closed = false;
  /** What the descriptor is watched for. */
  #armed: "readable" | "writable" | "both" | undefined;

  /** Owns the descriptor from here on. */
  constructor(
    { descriptor, peer, local }: { readonly descriptor: number; readonly peer: Endpoint; readonly local: Endpoint },
    calls: DataCalls,
  ) {
    this.#descriptor = descriptor;
    this.peer = peer;
    this.local = local;
    this.#calls = calls;
    this.#watch = calls.watch(descriptor);
    this.#try(() => calls.setForCommands(descriptor, KEEP_ALIVE_MS / 1_000));
  }

  get unsent(): number {
    return this.#unsent.length;
  }

  get isWritable(): boolean {
    return !this.#closed && !this.#ending;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  hear(ears: Ears): void {
    this.#ears = ears;
    this.#arm();
  }

  pause(): void {
    this.#paused = true;
    this.#arm();
  }

  resume(): void {
    this.#paused = false;
    this.#arm();
  }

  ignore(): void {
    this.#ears = FORGETFUL;
    this.resume();
  }

  write(octets: string): void {
    if (!this.isWritable) return;
    if (this.#unsent.length > 0 || octets.length > OCTETS_AT_ONCE) {
      this.#unsent = Buffer.concat([this.#unsent, Buffer.from(octets, "latin1")]);
      this.#flush();
      return;
    }
    const length = sending.write(octets, "latin1");
    const chunk = sending.subarray(0, length);
    const sent = this.#try(() => this.#calls.send(this.#descriptor, chunk, false));
    if (sent === undefined || sent === length) return;
    this.#unsent = Buffer.from(chunk.subarray(Math.max(sent, 0)));
    this.#arm();
  }

  async drained(): Promise<void> {
    if (this.#closed || this.#unsent.length === 0) return;
    await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  end(): void {
    if (!this.isWritable) return;
    this.#ending = true;
    this.#endSoon();
  }

  destroy(): void {
    if (!this.#closed) this.#close();
  }

  onClosed(act: () => void): void {
    this.#onClosed.push(act);
  }

  toSocket(): Socket {
    // The number may be another connection's by now.
    if (this.#closed) return new Socket().destroy();
    this.#watch[Symbol.dispose]();
    this.#closed = true;
    const socket = new Socket({ fd: this.#descriptor, allowHalfOpen: true, readable: true, writable: true });
    socket.pause();
    if (this.#unsent.length > 0) socket.write(this.#unsent);
    for (const act of this.#onClosed) socket.once("close", act);
    this.#settle();
    return socket;
  }

  #look(): void {
    if (this.#unsent.length > 0) this.#flush();
    if (!this.#paused && !this.#heardEnd && !this.#closed) this.#read();
  }

  #read(): void {
    const count = this.#try(() => this.#calls.receive(this.#descriptor, received));
    if (count === undefined || count === WOULD_WAIT) return;
    if (count > 0) {
      this.#ears?.onOctets(received.subarray(0, count));
      return;
    }
    this.#heardEnd = true;
    this.#arm();
    this.#ears?.onEnd();
    if (this.#ending) this.#endSoon();
  }

  #flush(): void {
    const sent = this.#try(() => this.#calls.send(this.#descriptor, this.#unsent, false));
    if (sent === undefined) return;
    this.#unsent = sent === this.#unsent.length ? NOTHING : this.#unsent.subarray(Math.max(sent, 0));
    if (this.#unsent.length === 0) {
      this.#settle();
      if (this.#ending) this.#endSoon();
    }
    this.#arm();
  }

  #endSoon(): void {
    if (this.#closed || this.#unsent.length > 0) return;
    if (this.#heardEnd) this.#close();
    else this.#try(() => this.#calls.shutdownSending(this.#descriptor));
  }

  #arm(): void {
    if (this.#closed) return;
    const reads = this.#ears !== undefined && !this.#paused && !this.#heardEnd;
    const writes = this.#unsent.length > 0;
    const wanted = reads && writes ? "both" : reads ? "readable" : writes ? "writable" : undefined;
    if (wanted === this.#armed) return;
    this.#armed = wanted;
    if (wanted === undefined) this.#watch.stop();
    else this.#watch.always(wanted, this.#wake);
  }

  /** @returns undefined: the connection has failed, and is closed. */
  #try<Result>(call: () => Result): Result | undefined {
    try {
      return call();
    } catch {
      // A call on a socket fails for one reason alone: the other end is gone.
      this.destroy();
      return undefined;
    }
  }

  #close(): void {
    this.#closed = true;
    this.#unsent = NOTHING;
    this.#watch[Symbol.dispose]();
    this.#calls.close(this.#descriptor);
    this.#settle();
    // Not within the call that met the fault: whoever made it is in the middle of something.
    const acts = this.#onClosed;
    this.#onClosed = [];
    process.nextTick(() => {
      for (const act of acts) act();
    });
  }

  #settle(): void {
    for (const act of this.#drained.splice(0)) act();
  }
}
