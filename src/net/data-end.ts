/**
 * A TCP connection for data before a transfer has taken it: it is there, its other end is known, and nobody has read
 * from it. It becomes a stream of Node's (for TLS, and where there is no native path) or a bare descriptor.
 */
import { Socket } from "node:net";
import { type DataCalls, DataCallError } from "../sys/data-calls.ts";
import { type Endpoint, plainAddress } from "./addresses.ts";
import { sendShort } from "./short-send.ts";
import type { FileSpan } from "./transport.ts";

export interface DataEnd {
  /** Whoever is at the other side. */
  readonly remote: Endpoint;
  /** It was reset, or closed for good, before anyone used it. */
  readonly gone: boolean;
  /** As a stream of Node's, not flowing. This end is used up. */
  toSocket(): Socket;
  /** As a descriptor of the caller's own; undefined: only `toSocket` will do. This end is used up if there is one. */
  toDescriptor(): number | undefined;
  /**
   * Sends a short file of a host's descriptor and ends, as far as that needs no wait; only without TLS and throttle.
   * @returns octets that are out, and whether all is done: this end is used up then. A fault shows in the next use.
   */
  sendAtOnce?(file: number, span: FileSpan): { readonly sent: number; readonly over: boolean };
  /** The same for octets that are there already. */
  sendOctetsAtOnce?(octets: Buffer): { readonly sent: number; readonly over: boolean };
  /** Closes it, unless it is used up. */
  destroy(): void;
}

/** One that Node has opened: an active connection, or a passive one where there is no native path. */
export class SocketEnd implements DataEnd {
  readonly remote: Endpoint;
  readonly #socket: Socket;
  readonly #calls: DataCalls | undefined;

  /** @param calls of the native path, if connections may take it. */
  constructor(socket: Socket, calls?: DataCalls) {
    this.#socket = socket;
    this.#calls = calls;
    this.remote = { address: plainAddress(socket.remoteAddress ?? ""), port: socket.remotePort ?? 0 };
    // Until a transfer hears of them: a reset must not end the process.
    socket.on("error", () => {});
  }

  get gone(): boolean {
    return this.#socket.destroyed;
  }

  toSocket(): Socket {
    return this.#socket;
  }

  /** A second descriptor of the same connection; the first goes with the stream. Not once Node has read from it. */
  toDescriptor(): number | undefined {
    const own = descriptorOf(this.#socket);
    const isUntouched = this.#socket.readableLength === 0 && !this.#socket.readableEnded && !this.gone;
    if (this.#calls === undefined || own === undefined || !isUntouched) return undefined;
    const descriptor = this.#calls.duplicate(own);
    this.#socket.destroy();
    return descriptor;
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** Node tells the descriptor of a socket by an inner member alone; where it does not, the stream does. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null || !("fd" in handle)) return undefined;
  return typeof handle.fd === "number" && handle.fd >= 0 ? handle.fd : undefined;
}

/** One that we have accepted ourselves. */
export class DescriptorEnd implements DataEnd {
  readonly remote: Endpoint;
  readonly #calls: DataCalls;
  #descriptor: number | undefined;

  constructor(descriptor: number, remote: Endpoint, calls: DataCalls) {
    this.#descriptor = descriptor;
    this.#calls = calls;
    this.remote = remote;
  }

  get gone(): boolean {
    if (this.#descriptor === undefined) return true;
    try {
      this.#calls.peek(this.#descriptor);
      return false;
    } catch (error) {
      if (error instanceof DataCallError) return true;
      throw error;
    }
  }

  toSocket(): Socket {
    const fd = this.toDescriptor();
    if (fd === undefined) throw new Error("a data connection that is used up");
    return new Socket({ fd, allowHalfOpen: true });
  }

  toDescriptor(): number | undefined {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    return descriptor;
  }

  sendAtOnce(file: number, span: FileSpan): { readonly sent: number; readonly over: boolean } {
    const calls = this.#calls;
    return this.#sendAtOnce(span.end - span.start, (socket) => sendShort(calls, { socket, file }, span));
  }

  sendOctetsAtOnce(octets: Buffer): { readonly sent: number; readonly over: boolean } {
    return this.#sendAtOnce(octets.length, (socket) => this.#calls.send(socket, octets, false));
  }

  #sendAtOnce(wanted: number, send: (socket: number) => number): { readonly sent: number; readonly over: boolean } {
    const [calls, socket] = [this.#calls, this.#descriptor];
    let sent = 0;
    try {
      if (socket === undefined) return { sent, over: false };
      // WOULD_WAIT is less than 0: nothing went out.
      sent = Math.max(send(socket), 0);
      // As `NativeConnection.finish`: closed before the peer has confirmed all, what it sends could cut off the end.
      const isAll = sent >= wanted;
      if (!isAll || calls.peek(socket) > 0 || calls.unconfirmed(socket) > 0) return { sent, over: false };
    } catch (error) {
      if (error instanceof DataCallError) return { sent, over: false };
      throw error;
    }
    this.destroy();
    return { sent, over: true };
  }

  destroy(): void {
    const descriptor = this.toDescriptor();
    if (descriptor !== undefined) this.#calls.close(descriptor);
  }
}
