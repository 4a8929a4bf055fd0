/**
 * Where the clients of a server with workers come in. The broker accepts them, judges them by what the kernel says of
 * them, and hands each to the worker that has the fewest sessions (docs/decisions/017-the-broker-accepts.md).
 */
import { octetsOf } from "../base/bytes.ts";
import type { Refused, Verdict } from "../guard/verdict.ts";
import { LINGER_MS } from "../net/limits.ts";
import { encodeReply, reply } from "../protocol/reply.ts";
import type { FerrymanEvent } from "../workspace/events.ts";
import { type Arrival, socketOf } from "./bound-sockets.ts";
import type { OpenListener } from "./service.ts";

/**
 * Clients who wait for a worker that takes them; those beyond are hung up on. As many as the kernel itself would keep
 * (net.core.somaxconn), each with a descriptor of ours.
 */
const WAITING_LIMIT = 4_096;
/**
 * Milliseconds for which clients wait for the worker with the fewest sessions, when it does not take the last one: it
 * has more to do than to be fair to.
 */
const PATIENCE_MS = 50;
/** Refused clients whose farewell is still on its way; those beyond hear nothing. Each has a descriptor and a socket. */
const FAREWELLS_LIMIT = 256;

/** A worker as the door sees it. */
export type Doorkeeper = {
  readonly number: number;
  /** Hands a client over. @param sent called when our own handle may be closed; never, if the worker ends before. */
  give(client: { readonly session: string; readonly listener: number }, arrival: Arrival, sent: () => void): void;
};

export type DoorTerms = {
  readonly listeners: readonly OpenListener[];
  /** Those who take clients now. */
  readonly workers: () => readonly Doorkeeper[];
  readonly sessionsOf: (worker: number) => number;
  readonly admit: (
    session: string,
    client: { readonly worker: number; readonly peer: Arrival["peer"]; readonly localPort: number },
  ) => Verdict;
  readonly onEvent: (event: FerrymanEvent) => void;
};

type Waiting = { readonly listener: number; readonly arrival: Arrival };
/** A client on the way to a worker. */
type Underway = Waiting & { readonly worker: number; readonly since: number };

export class FrontDoor implements Disposable {
  readonly #terms: DoorTerms;
  readonly #waiting: Waiting[] = [];
  /** By session. Each worker has one at most: what is behind it in the channel would have to wait for all of them. */
  readonly #underway = new Map<string, Underway>();
  #patience: NodeJS.Timeout | undefined;
  #sessions = 0;
  #farewells = 0;
  /** The worker that was given the last client: among equals it comes last. */
  #lastWorker = 0;
  #isOpen = false;

  constructor(terms: DoorTerms) {
    this.#terms = terms;
  }

  /** Accepts from now on. @throws the system's error */
  open(): void {
    this.#isOpen = true;
    for (const [listener, { socket }] of this.#terms.listeners.entries()) {
      socket.accept((arrival) => this.#come({ listener, arrival }));
    }
  }

  /** A worker takes clients now. */
  look(): void {
    this.#serve();
  }

  /** The worker is gone: clients on their way to it come to another. */
  forget(worker: number): void {
    for (const [session, client] of this.#underway) {
      if (client.worker !== worker) continue;
      this.#underway.delete(session);
      this.#waiting.unshift(client);
    }
    this.#serve();
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    clearTimeout(this.#patience);
    for (const { socket } of this.#terms.listeners) socket[Symbol.dispose]();
    for (const { arrival } of this.#waiting.splice(0)) arrival.handle.close();
  }

  #come(client: Waiting): void {
    if (!this.#isOpen || this.#waiting.length >= WAITING_LIMIT) return client.arrival.handle.close();
    this.#waiting.push(client);
    this.#serve();
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const worker = this.#choose();
      if (worker === undefined) return;
      const client = this.#waiting.shift();
      if (client !== undefined) this.#hand(client, worker);
    }
  }

  /** The worker with the fewest sessions; undefined: it is worth waiting for, or there is none. */
  #choose(): Doorkeeper | undefined {
    const workers = this.#terms.workers().toSorted((one, other) => this.#rank(one) - this.#rank(other));
    const [first] = workers;
    if (first === undefined) return undefined;
    const before = this.#underwayTo(first);
    if (before === undefined) return first;
    const left = before.since + PATIENCE_MS - performance.now();
    if (left <= 0) return workers.find((worker) => this.#underwayTo(worker) === undefined);
    this.#patience ??= setTimeout(() => {
      this.#patience = undefined;
      this.#serve();
    }, left);
    return undefined;
  }

  #rank({ number }: Doorkeeper): number {
    return this.#terms.sessionsOf(number) + (number === this.#lastWorker ? 0.5 : 0);
  }

  #underwayTo({ number }: Doorkeeper): Underway | undefined {
    return this.#underway.values().find(({ worker }) => worker === number);
  }

  #hand({ listener, arrival }: Waiting, worker: Doorkeeper): void {
    this.#sessions += 1;
    const session = `${worker.number}.${this.#sessions.toString(36)}`;
    const { peer, local } = arrival;
    const verdict = this.#terms.admit(session, { worker: worker.number, peer, localPort: local.port });
    if (!verdict.ok) return this.#refuse({ listener, arrival }, { session, verdict });
    this.#lastWorker = worker.number;
    this.#underway.set(session, { listener, arrival, worker: worker.number, since: performance.now() });
    worker.give({ session, listener }, arrival, () => {
      // Else it went to another worker meanwhile.
      if (this.#underway.delete(session)) arrival.handle.close();
      this.#serve();
    });
  }

  #refuse({ listener, arrival }: Waiting, { session, verdict }: { session: string; verdict: Refused }): void {
    const { peer, handle } = arrival;
    const [at, reason] = [Date.now(), verdict.rule];
    this.#terms.onEvent({ type: "session.opened", session, peer, at });
    this.#terms.onEvent({ type: "session.refused", session, peer, reason, at });
    this.#terms.onEvent({ type: "session.closed", session, peer, reason, commands: 0, at });
    // Whoever waits for TLS could not read it.
    const isImplicit = this.#terms.listeners[listener]?.how.implicit === true;
    if (isImplicit || this.#farewells >= FAREWELLS_LIMIT) return handle.close();
    this.#farewells += 1;
    const socket = socketOf(handle);
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      this.#farewells -= 1;
    });
    // Unread octets at the close would turn our FIN into a reset, which overtakes the reply.
    socket.resume();
    socket.end(octetsOf(encodeReply(reply(421, verdict.text))));
  }
}
