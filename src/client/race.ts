/**
 * Connects to the first of a host's addresses that answers (RFC 8305): a new try joins every 250 ms or when one has failed,
 * the first connection wins, and the others are closed. Addresses may join while the race runs.
 */
import { type Socket, createConnection } from "node:net";
import { systemCode } from "../base/system-code.ts";
import type { Endpoint } from "../net/addresses.ts";

/** Milliseconds between two tries: the Connection Attempt Delay that RFC 8305 §5 recommends. */
const ATTEMPT_DELAY_MS = 250;
/** Addresses of one host that are tried: beyond them more tries say nothing new, and a lying name server could give any number. */
const ADDRESSES_MOST = 16;

/** A try that came to nothing. `code`: that of the system, such as ECONNREFUSED. */
export type FailedTry = { readonly remote: Endpoint; readonly code: string; readonly message: string };

/** No address took the connection. */
export class RaceLost extends Error {
  readonly failures: readonly FailedTry[];

  constructor(failures: readonly FailedTry[]) {
    super("no address took the connection");
    this.failures = failures;
  }
}

export type RaceTerms = {
  readonly port: number;
  readonly localAddress?: string | undefined;
  /** Ends the race: it rejects with the reason. */
  readonly signal: AbortSignal;
};

type Runner = { readonly socket: Socket; readonly remote: Endpoint };

/** One race. `add` at any time, `close` when no more addresses will come, `won` for the result. */
export class Race {
  readonly #terms: RaceTerms;
  readonly #waiting: string[] = [];
  readonly #running = new Set<Runner>();
  readonly #failures: FailedTry[] = [];
  readonly #result = Promise.withResolvers<Socket>();
  readonly #abort = (): void => this.#finish(() => this.#result.reject(this.#terms.signal.reason));
  #timer: NodeJS.Timeout | undefined;
  #isOpen = true;
  #isOver = false;
  #added = 0;

  constructor(terms: RaceTerms) {
    this.#terms = terms;
    if (terms.signal.aborted) this.#abort();
    else terms.signal.addEventListener("abort", this.#abort, { once: true });
  }

  /** Paused, nothing read, half-open allowed. @throws {RaceLost} or the signal's reason. */
  get won(): Promise<Socket> {
    return this.#result.promise;
  }

  /** Those that had not answered when the race ended, or have not yet. */
  get unanswered(): readonly Endpoint[] {
    return [...this.#running].map(({ remote }) => remote);
  }

  get failures(): readonly FailedTry[] {
    return this.#failures;
  }

  add(addresses: readonly string[]): void {
    const room = addresses.slice(0, ADDRESSES_MOST - this.#added);
    this.#added += room.length;
    this.#waiting.push(...room);
    if (this.#timer === undefined) this.#startNext();
  }

  /** Puts a family that was late between the addresses that still wait (RFC 8305 §4). */
  interleave(addresses: readonly string[]): void {
    const rest = this.#waiting.splice(0);
    this.#added -= rest.length;
    this.add(alternating(addresses, rest));
  }

  close(): void {
    this.#isOpen = false;
    this.#settleIfLost();
  }

  #startNext(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isOver) return undefined;
    const address = this.#waiting.shift();
    if (address === undefined) return this.#settleIfLost();
    this.#timer = setTimeout(() => this.#startNext(), ATTEMPT_DELAY_MS);
    return this.#start({ address, port: this.#terms.port });
  }

  #start(remote: Endpoint): void {
    const { localAddress } = this.#terms;
    const socket = createConnection({
      host: remote.address,
      port: remote.port,
      allowHalfOpen: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    // Paused before it is connected: Node would read at once otherwise.
    socket.pause();
    const runner = { socket, remote };
    this.#running.add(runner);
    socket.once("error", (error) => this.#failed(runner, error));
    socket.once("connect", () => {
      this.#running.delete(runner);
      socket.removeAllListeners("error");
      this.#finish(() => this.#result.resolve(socket));
    });
  }

  #failed(runner: Runner, error: Error): void {
    if (this.#isOver || !this.#running.delete(runner)) return;
    this.#failures.push({ remote: runner.remote, code: systemCode(error), message: error.message });
    this.#startNext();
  }

  #settleIfLost(): void {
    if (this.#isOver || this.#isOpen || this.#waiting.length > 0 || this.#running.size > 0) return;
    this.#finish(() => this.#result.reject(new RaceLost(this.#failures)));
  }

  #finish(settle: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#terms.signal.removeEventListener("abort", this.#abort);
    for (const { socket } of this.#running) socket.destroy();
    settle();
  }
}

/** One of each in turn, beginning with the first list's. */
export function alternating(first: readonly string[], second: readonly string[]): readonly string[] {
  const length = Math.max(first.length, second.length);
  return Array.from({ length }, (_, at) => [first[at], second[at]].filter((address) => address !== undefined)).flat();
}
