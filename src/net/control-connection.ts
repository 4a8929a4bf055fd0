/**
 * A control connection: lines in, replies out, both bounded. It knows nothing of what the lines mean, but for one
 * thing that only it can do: let a watcher take lines out of turn while a transfer runs (RFC 959 §4.1.3, ABOR).
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ByteString } from "../base/bytes.ts";
import { type LineEvent, LineSplitter } from "../protocol/line-splitter.ts";
import type { Endpoint } from "./addresses.ts";
import type { TlsSession } from "./tls/session.ts";
import { TlsTap } from "./tls/tap.ts";
import { LINGER_MS, QUEUE_LIMIT, REPLY_BACKLOG, REPLY_PATIENCE_MS, UNREAD_LIMIT } from "./limits.ts";
import { SocketWire } from "./socket-wire.ts";
import type { Ears, Wire } from "./wire.ts";

const LF = 10;
const NOTHING = Buffer.alloc(0);
/** One for all: each of its own would cost a stack trace, two for every session. */
const GONE = new DOMException("the client is gone", "AbortError");

/** What a client sent: a command line, or a sign that one was too long and is gone. */
export type ControlInput = Exclude<LineEvent, { readonly kind: "interrupt" }>;

/** Told of each line that waits while a transfer runs; true takes it out of the queue. `ahead` = lines before it. */
export type Watcher = (input: ControlInput, ahead: number) => boolean;

/** Who is told of a connection. */
export type Told = {
  /** For every whole line, and not for octets alone: who sends one now and then is idle (attack 54). */
  onActivity(): void;
  /** It is gone, for whatever reason. */
  onClosed(): void;
};

export class ControlConnection {
  readonly peer: Endpoint;
  readonly local: Endpoint;
  /** What lines are read from and replies written to: the TCP connection, or TLS over it. */
  #wire: Wire;
  /** The TCP connection as a socket, and what reads from it in clear, once TLS was to go over it. */
  #raw: { readonly socket: Socket; readonly wire: Wire } | undefined;
  #tap: TlsTap | undefined;
  readonly #told: Told;
  readonly #ears: Ears = { onOctets: (chunk) => this.#receive(chunk), onEnd: () => this.#noteEnd() };
  #splitter = new LineSplitter();
  /** Made for who asks for it: few do. */
  #ending: AbortController | undefined;
  #queue: ControlInput[] = [];
  #queuedOctets = 0;
  /** What came and is not split yet, because the queue is full. Never more than one chunk: reading pauses then. */
  #unsplit: Buffer = NOTHING;
  #watcher: Watcher | undefined;
  #wake: (() => void) | undefined;
  /** No line will come any more: the client has ended, or we have. */
  #ended = false;
  #hasEnded = false;
  #isClosed = false;
  /** Octets of replies that wait for the next one, one per character, and what sends them at the latest. */
  #held = "";
  #flush: NodeJS.Immediate | undefined;
  /** Ends the wait for a client that does not take the rest. */
  #linger: NodeJS.Timeout | undefined;

  constructor(wire: Wire, told: Told) {
    this.#wire = wire;
    this.#told = told;
    this.peer = wire.peer;
    this.local = wire.local;
    wire.onClosed(() => {
      clearTimeout(this.#linger);
      this.#forget();
      this.#isClosed = true;
      this.#noteEnd();
      told.onClosed();
    });
    wire.hear(this.#ears);
  }

  /** Aborted when the client sends nothing more: it closed its side, or all of it. */
  get ended(): AbortSignal {
    if (this.#ending === undefined) {
      this.#ending = new AbortController();
      if (this.#hasEnded) this.#ending.abort(GONE);
    }
    return this.#ending.signal;
  }

  /** Lines that came and wait for their turn. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** The next line in order if it is here already. One caller at a time, as with `next`. */
  take(): ControlInput | undefined {
    const input = this.#queue.shift();
    if (input === undefined) return undefined;
    this.#queuedOctets -= costOf(input);
    if (this.#unsplit.length > 0 || this.#wire.isPaused) this.#split();
    return input;
  }

  /** The next line in order, or undefined when no more can come. */
  async next(): Promise<ControlInput | undefined> {
    while (this.#queue.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
    return this.take();
  }

  /** Sets the watcher (undefined: none); it sees the lines that wait already at once. */
  watch(watcher: Watcher | undefined): void {
    this.#watcher = watcher;
    this.look();
  }

  /** Offers the waiting lines to the watcher again, because what it looks at has changed. */
  look(): void {
    const waiting = this.#queue;
    this.#queue = [];
    for (const input of waiting) {
      if (this.#watcher?.(input, this.#queue.length) === true) this.#queuedOctets -= costOf(input);
      else this.#queue.push(input);
    }
    this.#split();
  }

  /**
   * Stops reading before the reply to AUTH goes out, and forgets what has come after that line: nothing from before
   * the handshake is run (attack 9). What a client sends from here on is for the TLS engine.
   */
  hold(): void {
    this.#writeHeld();
    const socket = this.#wire.toSocket();
    this.#raw ??= { socket, wire: new SocketWire(socket, this) };
    this.#wire = this.#raw.wire;
    this.#forget();
    this.#splitter = new LineSplitter();
  }

  /** Puts TLS over the connection, after `hold`; the caller waits for the handshake. `clear` takes it off again. */
  secure(tls: TlsSession): { readonly socket: TLSSocket; readonly tap: TlsTap } {
    const raw = this.#raw?.socket;
    if (raw === undefined) throw new Error("secure() without hold()");
    raw.removeAllListeners("data");
    raw.removeAllListeners("end");
    const tap = new TlsTap(raw);
    tap.onCut(() => this.#noteEnd());
    const socket = tls.wrapControl(tap);
    socket.on("error", () => {
      if (this.#tap === tap) raw.destroy();
    });
    this.#tap = tap;
    this.#wire = new SocketWire(socket, this);
    this.#wire.hear(this.#ears);
    return { socket, tap };
  }

  /** Takes TLS off again, for CCC and REIN: close_notify goes out, and what comes after the client's is in clear. */
  clear(): void {
    const [secured, raw, tap] = [this.#wire, this.#raw, this.#tap];
    if (raw === undefined || tap === undefined) throw new Error("clear() without secure()");
    this.#forget();
    this.#splitter = new LineSplitter();
    this.#tap = undefined;
    secured.ignore();
    const { socket, wire } = raw;
    this.#wire = wire;
    tap.detach((rest) => {
      secured.destroy();
      if (socket.destroyed) return;
      wire.hear(this.#ears);
      if (rest.length > 0) socket.emit("data", rest);
      wire.resume();
    });
    secured.end();
  }

  /**
   * Sends a reply that another one follows: together with that if it comes within this turn of the event loop. A small
   * file's 150 and 226 are one segment then, and every line is there.
   */
  writeSoon(bytes: ByteString): void {
    this.#held += bytes;
    this.#flush ??= setImmediate(() => this.#writeHeld());
  }

  #writeHeld(): void {
    if (this.#flush === undefined) return;
    clearImmediate(this.#flush);
    this.#flush = undefined;
    const octets = this.#held;
    this.#held = "";
    this.#wire.write(octets);
  }

  /** Sends reply octets; whoever sends many asks for `room` now and then. */
  write(bytes: ByteString): void {
    if (this.#flush !== undefined) {
      this.#held += bytes;
      this.#writeHeld();
    } else this.#wire.write(bytes);
  }

  /** Settles when the client has read enough of its replies, or is gone: one that reads none is cut off. Undefined: it has. */
  room(): Promise<void> | undefined {
    if (!this.#wire.isWritable || this.#wire.unsent < REPLY_BACKLOG) return undefined;
    const timer = setTimeout(() => this.drop(), REPLY_PATIENCE_MS);
    return this.#wire.drained().finally(() => clearTimeout(timer));
  }

  /** Sends what is still to go, then closes; drops the connection if the client does not take it in time. */
  end(): void {
    this.#queue = [];
    this.#unsplit = NOTHING;
    this.#ended = true;
    this.#wake?.();
    if (this.#isClosed) return;
    this.#writeHeld();
    // What the client still sends is read and forgotten: unread octets at close would turn our FIN into a reset
    // that can overtake the last reply.
    this.#wire.ignore();
    this.#wire.end();
    this.#linger ??= setTimeout(() => this.drop(), LINGER_MS);
  }

  /** Closes at once. */
  drop(): void {
    (this.#raw?.wire ?? this.#wire).destroy();
  }

  #noteEnd(): void {
    this.#ended = true;
    this.#hasEnded = true;
    this.#ending?.abort(GONE);
    this.#wake?.();
  }

  #forget(): void {
    this.#queue = [];
    this.#queuedOctets = 0;
    this.#unsplit = NOTHING;
  }

  #receive(chunk: Buffer): void {
    this.#unsplit = this.#unsplit.length === 0 ? chunk : Buffer.concat([this.#unsplit, chunk]);
    this.#split();
    // The chunk is lent.
    if (this.#unsplit.length > 0) this.#unsplit = Buffer.from(this.#unsplit);
    this.#wake?.();
  }

  /** Lines out of what came, one by one, until the queue is full. */
  #split(): void {
    while (this.#unsplit.length > 0 && !this.#isFull()) {
      const lineEnd = this.#unsplit.indexOf(LF);
      const end = lineEnd === -1 ? this.#unsplit.length : lineEnd + 1;
      const part = this.#unsplit.subarray(0, end);
      this.#unsplit = this.#unsplit.subarray(end);
      for (const event of this.#splitter.push(part)) this.#enqueue(event);
    }
    if (this.#unsplit.length === 0) this.#unsplit = NOTHING;
    if (this.#isFull()) this.#wire.pause();
    else if (this.#wire.isPaused) this.#wire.resume();
  }

  #enqueue(event: LineEvent): void {
    this.#told.onActivity();
    // A Telnet interrupt announces ABOR; the command itself follows as a line (RFC 959 §4.1.3).
    if (event.kind === "interrupt" || this.#watcher?.(event, this.#queue.length) === true) return;
    this.#queue.push(event);
    this.#queuedOctets += costOf(event);
  }

  #isFull(): boolean {
    return this.#queue.length >= QUEUE_LIMIT || this.#queuedOctets >= UNREAD_LIMIT;
  }
}

function costOf(input: ControlInput): number {
  return input.kind === "line" ? input.line.length : 0;
}
