/**
 * A stream between a TCP socket and a TLS engine. Node's engine takes the end of the TCP stream and TLS's own
 * close_notify for one and the same end; with this between them it hears of the second alone, so that a cut upload is
 * never taken for a whole one (attack 14). And TLS can be taken off again, for CCC (RFC 4217 §12.3).
 * It costs an upload half of its speed; where the native path runs, `descriptor-tap.ts` stands in for it.
 */
import type { Socket } from "node:net";
import { CutStream } from "./cut.ts";

/** Octets of a TLS record's header: type, version, length (RFC 8446 §5.1). */
const RECORD_HEADER = 5;
/** Types of TLS records: change_cipher_spec to application_data (RFC 8446 §5.1). */
const [FIRST_RECORD_TYPE, LAST_RECORD_TYPE] = [20, 23];
const NOTHING = Buffer.alloc(0);

export class TlsTap extends CutStream {
  readonly #socket: Socket;
  readonly #deliver = (chunk: Buffer): void => this.#take(chunk);
  readonly #noteEnd = (): void => this.noteCut();
  readonly #noteError = (error: Error): void => void this.destroy(error);
  readonly #noteClose = (): void => void this.destroy();
  /** Set by `detach`: what came of a TLS record that is not whole yet, and what is done with the octets after the last. */
  #last: { pending: Buffer; readonly onRest: (rest: Buffer) => void } | undefined;
  #detached = false;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on("data", this.#deliver);
    socket.on("end", this.#noteEnd);
    socket.on("error", this.#noteError);
    socket.on("close", this.#noteClose);
  }

  /**
   * Takes TLS off: records go to the engine until the first octet that begins none, and from there everything to
   * `onRest`. No command begins like a record, so what a client had pipelined inside TLS never counts as text in clear,
   * and a peer that leaves TLS without a word is heard at once.
   */
  detach(onRest: (rest: Buffer) => void): void {
    this.#last = { pending: NOTHING, onRest };
  }

  override _read(): void {
    if (!this.#detached) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#last === undefined) this.#socket.end(done);
    else done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#last === undefined) this.#socket.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    if (this.#last !== undefined) this.#takeLast(chunk);
    else if (!this.push(chunk)) this.#socket.pause();
  }

  #takeLast(chunk: Buffer): void {
    const last = this.#last;
    if (last === undefined) return;
    // The end of a record is waited for with 64 KiB at most, and one chunk: its length has two octets.
    last.pending = Buffer.concat([last.pending, chunk]);
    for (let type = last.pending[0]; type !== undefined; type = last.pending[0]) {
      if (type < FIRST_RECORD_TYPE || type > LAST_RECORD_TYPE) {
        this.#leave(last.pending);
        return;
      }
      if (last.pending.length < RECORD_HEADER) return;
      const length = RECORD_HEADER + last.pending.readUInt16BE(3);
      if (last.pending.length < length) return;
      this.push(last.pending.subarray(0, length));
      last.pending = last.pending.subarray(length);
    }
  }

  /** Lets go of the socket, which may get another tap later. */
  #leave(rest: Buffer): void {
    this.#detached = true;
    this.#socket.off("data", this.#deliver);
    this.#socket.off("end", this.#noteEnd);
    this.#socket.off("error", this.#noteError);
    this.#socket.off("close", this.#noteClose);
    this.#last?.onRest(rest);
  }
}
