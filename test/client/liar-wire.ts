/** The liar's end of a TCP connection: counts octets, lets them go one by one where asked, and breaks after any of them. */
import type { Socket } from "node:net";
import { Duplex } from "node:stream";

/** "fin" ends our side in good order for TCP, and what the client still says is read and forgotten. */
export type BreakKind = "reset" | "fin";

/** Octets as TCP carries them: those of TLS records, where there is TLS. */
export type Break = {
  readonly after: number;
  readonly of: "sent" | "received";
  readonly how: BreakKind;
};

export type WireTerms = {
  readonly break?: Break | undefined;
  /** Each octet in a segment of its own. */
  readonly split?: boolean | undefined;
};

export type WireCounts = { readonly sent: number; readonly received: number };

export class LiarWire extends Duplex {
  readonly socket: Socket;
  readonly #terms: WireTerms;
  #sent = 0;
  #received = 0;
  #isBroken = false;

  constructor(socket: Socket, terms: WireTerms) {
    super({ allowHalfOpen: true });
    this.socket = socket;
    this.#terms = terms;
    this.on("error", () => {});
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("end", () => this.#takeEnd());
    socket.on("error", () => this.destroy());
    socket.on("close", () => this.destroy());
  }

  /** Octets that went out and came in. */
  get counts(): WireCounts {
    return { sent: this.#sent, received: this.#received };
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Breaks here and now; over TLS without a close_notify. */
  break(how: BreakKind): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    if (how === "reset") this.socket.resetAndDestroy();
    else this.socket.end();
    this.socket.resume();
    this.emit("broken");
  }

  override _read(): void {
    this.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    void this.#send(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#isBroken) done();
    else this.socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // A broken one stays half open until the client closes its side, so that one that never does is seen.
    if (!this.#isBroken) this.socket.destroy();
    done(error);
  }

  async #send(chunk: Buffer, done: () => void): Promise<void> {
    const part = chunk.subarray(0, this.#left("sent", this.#sent));
    if (this.#terms.split === true) for (const octet of part) await this.#out(Buffer.of(octet));
    else if (part.length > 0) await this.#out(part);
    if (this.#left("sent", this.#sent) === 0) this.break(this.#terms.break?.how ?? "reset");
    done();
  }

  async #out(octets: Buffer): Promise<void> {
    if (this.#isBroken) return;
    this.#sent += octets.length;
    await new Promise<void>((resolve) => {
      this.socket.write(octets, () => resolve());
    });
    if (this.#terms.split === true) await new Promise(setImmediate);
  }

  #take(chunk: Buffer): void {
    if (this.#isBroken) return;
    const part = chunk.subarray(0, this.#left("received", this.#received));
    this.#received += part.length;
    if (part.length > 0 && !this.push(part)) this.socket.pause();
    if (this.#left("received", this.#received) === 0) this.break(this.#terms.break?.how ?? "reset");
  }

  #takeEnd(): void {
    // For who waits for a handshake: the engine above keeps such an end to itself.
    this.emit("ended");
    if (!this.readableEnded && !this.destroyed) this.push(null);
  }

  /** Octets until the break. */
  #left(of: Break["of"], soFar: number): number {
    const { break: planned } = this.#terms;
    if (planned === undefined || planned.of !== of) return Number.POSITIVE_INFINITY;
    return Math.max(0, planned.after - soFar);
  }
}
