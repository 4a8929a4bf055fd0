/**
 * A tap (`tap.ts`) for uploads, on a bare descriptor. It reads as much as is there into one buffer that all of them share,
 * and the engine takes all of that before the call returns: nothing is made and kept for each 64 KiB as Node's sockets do,
 * which cost an upload more than its decryption.
 */
import { type DataCalls, DataCallError, WOULD_WAIT, type Watch } from "../../sys/data-calls.ts";
import type { Endpoint } from "../addresses.ts";
import { CutStream } from "./cut.ts";
import { TAPS_TURN_OCTETS, TAP_LEAST, TAP_OCTETS } from "./limits.ts";

/** Made when it is first needed. It holds what came over the network, still encrypted. */
let shared: Buffer | undefined;

/** Taps that are open. */
let active = 0;

export class DescriptorTap extends CutStream {
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Octets of one read at most: all of them are in memory as clear text afterwards. */
  most: number = TAP_OCTETS;
  readonly #descriptor: number;
  readonly #calls: DataCalls;
  readonly #watch: Watch;
  #flowing = false;
  /** A look at the descriptor is on its way: in the next turn of the loop, or when it has something. */
  #awaited = false;
  #dry = false;
  #unsent: { rest: Buffer; readonly done: (error?: Error | null) => void } | undefined;

  /** Owns the descriptor from here on. */
  constructor({ descriptor, peer }: { readonly descriptor: number; readonly peer: Endpoint }, calls: DataCalls) {
    super();
    this.#descriptor = descriptor;
    this.#calls = calls;
    this.remoteAddress = peer.address;
    this.remotePort = peer.port;
    this.#watch = calls.watch(descriptor);
    active += 1;
  }

  override resume(): this {
    super.resume();
    this.#flowing = true;
    this.#lookSoon();
    return this;
  }

  override pause(): this {
    super.pause();
    this.#flowing = false;
    return this;
  }

  /** Whether all is read that had come at the last look. */
  get isDry(): boolean {
    return this.#dry;
  }

  /** Calls each time that all is read that had come. */
  onDry(listener: () => void): void {
    this.on("dry", listener);
  }

  /** What is still to go is thrown away, and the peer sees a reset. */
  resetAndDestroy(): void {
    if (this.destroyed) return;
    this.#calls.resetOnClose(this.#descriptor);
    this.destroy();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#unsent = { rest: chunk, done };
    this.#send();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#try(() => this.#calls.shutdownSending(this.#descriptor));
    done();
    this.once("finish", () => {
      if (this.cut) this.destroy();
      else this.#lookSoon();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#flowing = false;
    active -= 1;
    this.#watch[Symbol.dispose]();
    this.#calls.close(this.#descriptor);
    done(error);
  }

  /** In the next turn of the loop, so that others have theirs. */
  #lookSoon(): void {
    if (this.#awaited || this.cut || this.destroyed) return;
    this.#awaited = true;
    setImmediate(this.#look);
  }

  /** Not on the spot: streams settle what they promised when the callback that woke us ends, and that is once a turn so. */
  readonly #woken = (): void => {
    this.#awaited = false;
    this.#dry = false;
    this.#lookSoon();
  };

  readonly #look = (): void => {
    this.#awaited = false;
    // Once we have ended it is only the peer's FIN that counts.
    if (this.destroyed || this.#unsent !== undefined || !(this.#flowing || this.writableFinished)) return;
    shared ??= Buffer.allocUnsafeSlow(TAP_OCTETS);
    const fair = Math.max(Math.floor(TAPS_TURN_OCTETS / active), TAP_LEAST);
    const into = shared.subarray(0, Math.min(this.most, fair));
    const count = this.#try(() => this.#calls.receive(this.#descriptor, into));
    if (count === undefined) return;
    if (count === WOULD_WAIT) {
      this.#awaited = true;
      this.#watch.once("readable", this.#woken);
      this.#dry = true;
      this.emit("dry");
      return;
    }
    if (count === 0) {
      this.noteCut();
      if (this.writableFinished) this.destroy();
      return;
    }
    // Not by push(), which may keep it: whoever listens takes it now, as Node's engine does.
    if (!this.writableFinished) this.emit("data", into.subarray(0, count));
    this.#lookSoon();
  };

  readonly #sendRest = (): void => {
    this.#send();
    if (this.#unsent === undefined) this.#woken();
  };

  #send(): void {
    const unsent = this.#unsent;
    if (unsent === undefined || this.destroyed) return;
    while (unsent.rest.length > 0) {
      const count = this.#try(() => this.#calls.send(this.#descriptor, unsent.rest, false));
      if (count === undefined) return;
      if (count === WOULD_WAIT) {
        // One wait for each descriptor: who does not take our few octets is not read from either, until he does.
        this.#awaited = true;
        this.#watch.once("writable", this.#sendRest);
        return;
      }
      unsent.rest = unsent.rest.subarray(count);
    }
    this.#unsent = undefined;
    unsent.done();
  }

  #try<Result>(call: () => Result): Result | undefined {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof DataCallError)) throw error;
      // After our own end nobody asks why.
      if (this.writableEnded) this.destroy();
      else this.destroy(error);
      return undefined;
    }
  }
}
