/**
 * What a TLS engine decrypts, in buffers that are used again. Node makes a new one for each record, and to make and collect
 * them costs more than to decrypt them. Its sockets have an option against this, `onread`; a TLSSocket passes it on only for
 * connections that it opens itself, so it is set here, as Node does (lib/net.js). Where a Node to come has it elsewhere,
 * there is no inflow, and uploads are slower and no less safe.
 */
import type { TLSSocket } from "node:tls";
import type { DescriptorTap } from "./descriptor-tap.ts";
import { INFLOW_EARLY, RECORD_MOST, TAP_OCTETS } from "./limits.ts";

/** Into which all engines decrypt; one at a time, and it is emptied before the next. Made when it is first needed. */
let clear: Buffer | undefined;

export class Inflow {
  readonly #socket: TLSSocket;
  readonly #tap: DescriptorTap;
  /** What came first, or found no room. */
  readonly #loose: Buffer[] = [];
  #looseOctets = 0;
  #early = INFLOW_EARLY;
  #size = 0;
  #filling: Buffer | undefined;
  #filled = 0;
  /** Given out by the last `take`. */
  #lent: Buffer | undefined;
  #isStopped = false;
  #onEnough: () => void = () => {};

  /** @returns undefined where this Node has no such thing. */
  static of(socket: TLSSocket, tap: DescriptorTap): Inflow | undefined {
    const inflow = new Inflow(socket, tap);
    clear ??= Buffer.allocUnsafeSlow(RECORD_MOST);
    if (!readInto(socket, clear, inflow.#take)) return undefined;
    // A Node that has the buffer's names and another use for them: slower, and as right.
    socket.on("data", (chunk: Buffer) => {
      if (!inflow.#add(chunk)) socket.pause();
    });
    return inflow;
  }

  private constructor(socket: TLSSocket, tap: DescriptorTap) {
    this.#socket = socket;
    this.#tap = tap;
    tap.most = INFLOW_EARLY;
  }

  get octets(): number {
    return this.#looseOctets + this.#filled;
  }

  /**
   * From now on more may come.
   * @param memory octets that may lie here or at who took them last.
   * @param onEnough called when there is a good deal, or all that has come for now.
   */
  begin(memory: number, onEnough: () => void): void {
    this.#onEnough = onEnough;
    this.#size = Math.max(Math.floor(memory / 2), 4 * RECORD_MOST);
    this.#setMost();
    this.#tap.onDry(() => {
      if (this.octets > 0) onEnough();
    });
  }

  /** Whether it is time to take: there is a good deal, or all that has come. Each write of a few costs the waking of a thread. */
  get isReady(): boolean {
    return this.octets > 0 && (this.#isStopped || this.#tap.isDry || this.#tap.cut);
  }

  /** All that is there. The next call takes the memory back. */
  take(): Buffer[] {
    const taken = this.#loose.splice(0);
    if (this.#filling !== undefined && this.#filled > 0) {
      taken.unshift(this.#filling.subarray(0, this.#filled));
      [this.#filling, this.#lent] = [this.#lent, this.#filling];
    }
    this.#filled = 0;
    this.#looseOctets = 0;
    if (this.#size > 0) this.#setMost();
    if (this.#isStopped) {
      this.#isStopped = false;
      this.#socket.resume();
    }
    return taken;
  }

  /** @returns false: no more for now. */
  readonly #take = (octets: number): boolean => {
    return clear !== undefined && this.#add(clear.subarray(0, octets));
  };

  /** Copies a part. @returns false: no more for now. */
  #add(part: Buffer): boolean {
    const octets = part.length;
    this.#early -= octets;
    if (this.#size === 0 || this.#early >= 0 || this.#loose.length > 0) this.#keepLoose(part);
    else {
      this.#filling ??= Buffer.allocUnsafeSlow(this.#size);
      if (octets > this.#size - this.#filled) this.#keepLoose(part);
      else {
        part.copy(this.#filling, this.#filled);
        this.#filled += octets;
      }
    }
    const room = this.#setMost();
    if (room > RECORD_MOST) return true;
    this.#isStopped = true;
    this.#onEnough();
    return false;
  }

  /** Lets the tap read as much as surely fits in, with what the engine holds of a record. @returns that. */
  #setMost(): number {
    const room = this.#size - this.octets - RECORD_MOST;
    this.#tap.most = Math.max(Math.min(room, TAP_OCTETS), RECORD_MOST);
    return room;
  }

  #keepLoose(part: Buffer): void {
    this.#loose.push(Buffer.from(part));
    this.#looseOctets += part.length;
  }
}

/** What `new net.Socket({ onread })` does. @returns whether it could be done. */
function readInto(socket: TLSSocket, buffer: Buffer, callback: (octets: number) => boolean): boolean {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null || !("useUserBuffer" in handle)) return false;
  const names = new Map(Object.getOwnPropertySymbols(socket).map((symbol) => [symbol.description, symbol]));
  const [itsBuffer, itsCallback] = [names.get("kBuffer"), names.get("kBufferCb")];
  if (itsBuffer === undefined || itsCallback === undefined || typeof handle.useUserBuffer !== "function") return false;
  Reflect.apply(handle.useUserBuffer, handle, [buffer]);
  return Reflect.set(socket, itsBuffer, buffer) && Reflect.set(socket, itsCallback, callback);
}
