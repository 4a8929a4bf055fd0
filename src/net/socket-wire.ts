/** A control connection on one of Node's sockets: with TLS, and where there is no native path. */
import type { Socket } from "node:net";
import type { Endpoint } from "./addresses.ts";
import type { Ears, Wire } from "./wire.ts";

export class SocketWire implements Wire {
  readonly peer: Endpoint;
  readonly local: Endpoint;
  readonly #socket: Socket;

  constructor(socket: Socket, { peer, local }: { readonly peer: Endpoint; readonly local: Endpoint }) {
    this.#socket = socket;
    this.peer = peer;
    this.local = local;
    socket.on("error", () => {});
  }

  get unsent(): number {
    return this.#socket.writableLength;
  }

  get isWritable(): boolean {
    return this.#socket.writable;
  }

  get isPaused(): boolean {
    return this.#socket.isPaused();
  }

  hear({ onOctets, onEnd }: Ears): void {
    this.#deafen();
    this.#socket.on("data", onOctets);
    this.#socket.on("end", onEnd);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  ignore(): void {
    this.#deafen();
    this.#socket.resume();
  }

  write(octets: string): void {
    if (this.#socket.writable) this.#socket.write(octets, "latin1");
  }

  async drained(): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableLength === 0) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        socket.off("drain", done);
        socket.off("close", done);
        resolve();
      };
      socket.on("drain", done);
      socket.on("close", done);
    });
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  onClosed(act: () => void): void {
    this.#socket.once("close", act);
  }

  toSocket(): Socket {
    this.#socket.pause();
    this.#deafen();
    return this.#socket;
  }

  #deafen(): void {
    this.#socket.removeAllListeners("data");
    this.#socket.removeAllListeners("end");
  }
}
