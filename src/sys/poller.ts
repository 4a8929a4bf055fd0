/**
 * Waits for many descriptors by one of libuv's handles: an epoll instance of our own, which the event loop watches.
 * libuv's own handle for each descriptor costs seven system calls for a connection that is waited for once; this, two.
 */
import type { Koffi } from "./c-library.ts";

export type Readiness = "readable" | "writable" | "both";

/** Tells when a descriptor can be read from or written to. Close it before the descriptor. */
export type Watch = Disposable & {
  /** Calls once, on the event loop, when it can be or has failed ("both": when either can); the next call of the descriptor tells which. */
  once(what: Readiness, act: () => void): void;
  /** Calls in every turn of the loop in which it can be, until it is stopped or disposed. */
  always(what: Readiness, act: () => void): void;
  /** Calls no more; `once` and `always` begin anew. */
  stop(): void;
};

export type EpollCalls = {
  /** @throws {Error} when the system has no descriptor left. */
  create(): number;
  /** @returns 0, or less than 0 for a fault. */
  control(poller: number, operation: number, descriptor: number, event: Buffer): number;
  /** Never waits. @returns how many events it has written. */
  wait(poller: number, events: Buffer, most: number): number;
};

const [ADD, REMOVE, MODIFY] = [1, 2, 3];
const EVENT: { readonly [W in Readiness]: number } = { readable: 0x1, writable: 0x4, both: 0x5 };
const ONE_SHOT = 0x4000_0000;
/** struct epoll_event is packed on x64 alone. */
const [EVENT_SIZE, DATA_AT] = process.arch === "x64" ? [12, 4] : [16, 8];
/** Events that one turn of the loop takes; the rest come in the next one. */
const MOST_EVENTS = 64;
/** Milliseconds without anybody waiting, after which this no longer keeps the process alive. */
const ALIVE_MS = 50;

type PollHandle = ReturnType<Koffi["node"]["poll"]>;

export class Poller {
  readonly #koffi: Koffi;
  readonly #calls: EpollCalls;
  readonly #events = Buffer.alloc(EVENT_SIZE * MOST_EVENTS);
  readonly #event = Buffer.alloc(EVENT_SIZE);
  readonly #armed = new Map<number, DescriptorWatch>();
  #descriptor = -1;
  #handle: PollHandle | undefined;
  #isAlive = false;
  #isResting = false;

  constructor(koffi: Koffi, calls: EpollCalls) {
    this.#koffi = koffi;
    this.#calls = calls;
  }

  watch(descriptor: number): Watch {
    return new DescriptorWatch(this, descriptor);
  }

  /** The watch's own. @param isKnown it was here before. */
  arm(watch: DescriptorWatch, { what, always, isKnown }: { what: Readiness; always: boolean; isKnown: boolean }): void {
    this.#open();
    const { descriptor } = watch;
    this.#event.writeUInt32LE(EVENT[what] | (always ? 0 : ONE_SHOT), 0);
    this.#event.writeInt32LE(descriptor, DATA_AT);
    const control = (operation: number): number =>
      this.#calls.control(this.#descriptor, operation, descriptor, this.#event);
    // A number may be known from another watch of it, or no longer, after it was closed and opened again.
    if (control(isKnown ? MODIFY : ADD) < 0 && control(isKnown ? ADD : MODIFY) < 0) {
      // Nothing will tell of it: whoever waits looks for himself, and meets the fault.
      setImmediate(() => watch.wake());
      return;
    }
    this.#armed.set(descriptor, watch);
    this.#keepAlive();
  }

  /** The watch's own. */
  disarm({ descriptor }: DescriptorWatch, isRegistered: boolean): void {
    this.#armed.delete(descriptor);
    if (isRegistered) this.#calls.control(this.#descriptor, REMOVE, descriptor, this.#event);
    if (this.#armed.size === 0) this.#restSoon();
  }

  /** Not before the first wait: a program that only loads this has no descriptor of it. */
  #open(): void {
    if (this.#handle !== undefined) return;
    this.#descriptor = this.#calls.create();
    this.#handle = this.#koffi.node.poll(this.#descriptor, { readable: true }, () => this.#take());
  }

  #take(): void {
    const count = this.#calls.wait(this.#descriptor, this.#events, MOST_EVENTS);
    for (let at = 0; at < count; at++) {
      this.#armed.get(this.#events.readInt32LE(at * EVENT_SIZE + DATA_AT))?.wake();
    }
  }

  /** As a socket does: what waits for it keeps the process alive. */
  #keepAlive(): void {
    if (this.#isAlive) return;
    this.#isAlive = true;
    this.#handle?.ref();
  }

  #restSoon(): void {
    if (this.#isResting) return;
    this.#isResting = true;
    setTimeout(() => {
      this.#isResting = false;
      if (this.#armed.size > 0) return;
      this.#isAlive = false;
      this.#handle?.unref();
    }, ALIVE_MS);
  }
}

class DescriptorWatch implements Watch {
  readonly descriptor: number;
  readonly #poller: Poller;
  #act: (() => void) | undefined;
  #always = false;
  /** The epoll instance has its number. */
  #isKnown = false;

  constructor(poller: Poller, descriptor: number) {
    this.#poller = poller;
    this.descriptor = descriptor;
  }

  once(what: Readiness, act: () => void): void {
    this.#start(what, act, false);
  }

  always(what: Readiness, act: () => void): void {
    this.#start(what, act, true);
  }

  stop(): void {
    if (this.#act === undefined) return;
    this.#act = undefined;
    this.#isKnown = false;
    this.#poller.disarm(this, true);
  }

  /** The poller's own. */
  wake(): void {
    const act = this.#act;
    if (act === undefined) return;
    if (!this.#always) {
      this.#act = undefined;
      this.#poller.disarm(this, false);
    }
    act();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #start(what: Readiness, act: () => void, always: boolean): void {
    this.#act = act;
    this.#always = always;
    this.#poller.arm(this, { what, always, isKnown: this.#isKnown });
    this.#isKnown = true;
  }
}
