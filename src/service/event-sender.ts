/** Sends a worker's events to the broker, which writes the log: in batches, one on its way at a time. */
import type { FerrymanEvent } from "../workspace/events.ts";
import { type EventInterest, EVENTS_AT_ONCE } from "./requests.ts";

/** Events that wait for a broker that is slow; those beyond are lost and counted. About 20 MiB at worst. */
const WAITING_LIMIT = 20_000;
/**
 * Milliseconds that an event waits for others, so that a session's commands go along with those of all others: a
 * message costs more than a command. Nobody sees a log or `who` be late by that.
 */
const GATHERING_MS = 20;
/** Characters of one batch: the channel takes 64 KiB, and a path of octets above 127 doubles. */
const BATCH_CHARACTERS = 16_384;
/** Characters of an event besides its path and argument. */
const EVENT_CHARACTERS = 400;

/** What `who` and an xferlog read, and faults. Of commands, the last one of each session; for `who`, one sum of transfers. */
const PRESENCE: ReadonlySet<FerrymanEvent["type"]> = new Set([
  "server.fault",
  "session.closed",
  "login.accepted",
  "command",
  "transfer",
]);

/** A place in the queue: what is in it may be replaced by what makes it out of date. */
type Waiting = { event: FerrymanEvent };

export class EventSender {
  readonly #send: (events: readonly FerrymanEvent[]) => Promise<unknown>;
  #interest: EventInterest = "all";
  #waiting: Waiting[] = [];
  /** Without a log: each session's last command in `#waiting`, and its sums of transfers. */
  readonly #last = new Map<string, Waiting>();
  #sending: Promise<void> | undefined;
  /** Ends the gathering. */
  #hurry: (() => void) | undefined;
  #lost = 0;
  #isFlushing = false;

  constructor(send: (events: readonly FerrymanEvent[]) => Promise<unknown>) {
    this.#send = send;
  }

  set interest(interest: EventInterest) {
    this.#interest = interest;
  }

  hear(event: FerrymanEvent): void {
    if (this.#waiting.length >= WAITING_LIMIT) {
      this.#lost += 1;
      return;
    }
    if (this.#interest !== "all" && this.#isOfNoUse(event)) return;
    this.#push({ event });
    this.#sending ??= this.#run();
    if (event.type === "server.fault" || this.#waiting.length >= EVENTS_AT_ONCE) this.#hurry?.();
  }

  /** Settles when all that was heard so far is with the broker. */
  async flush(): Promise<void> {
    this.#isFlushing = true;
    while (this.#sending !== undefined) {
      this.#hurry?.();
      await this.#sending;
    }
    this.#isFlushing = false;
  }

  #isOfNoUse(event: FerrymanEvent): boolean {
    if (!PRESENCE.has(event.type)) return true;
    if (event.type === "session.closed" && this.#interest === "presence") this.#dropAllOf(event.session);
    if (event.type === "command") return this.#replaces(event.session, () => event);
    if (event.type !== "transfer" || this.#interest !== "presence") return false;
    return this.#replaces(`${event.session} ${event.direction}`, (old) =>
      old.type === "transfer" ? { ...event, octets: old.octets + event.octets } : event,
    );
  }

  /** Puts one event in the place of the last of its kind that waits. @returns false: none does. */
  #replaces(kind: string, join: (old: FerrymanEvent) => FerrymanEvent): boolean {
    const old = this.#last.get(kind);
    if (old !== undefined) old.event = join(old.event);
    return old !== undefined;
  }

  #push(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (this.#interest === "all") return;
    const { event } = waiting;
    if (event.type === "command") this.#last.set(event.session, waiting);
    if (event.type === "transfer") this.#last.set(`${event.session} ${event.direction}`, waiting);
  }

  /** Of a session that came and went while its events waited, `who` need only hear that it is gone. */
  #dropAllOf(session: string): void {
    // With more of them each end would cost a search; they go soon.
    if (this.#waiting.length > EVENTS_AT_ONCE) return;
    this.#waiting = this.#waiting.filter(
      ({ event }) => event.type === "server.fault" || !("session" in event) || event.session !== session,
    );
    for (const kind of ["", " download", " upload", " listing"]) this.#last.delete(session + kind);
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#waiting.length < EVENTS_AT_ONCE && !this.#isFlushing) await this.#gather();
      await this.#send(this.#take()).catch(() => {});
    }
    this.#sending = undefined;
  }

  async #gather(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GATHERING_MS);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#hurry = undefined;
  }

  #take(): readonly FerrymanEvent[] {
    let [count, characters] = [0, 0];
    for (const { event } of this.#waiting) {
      characters += sizeOf(event);
      if (count > 0 && (count >= EVENTS_AT_ONCE - 1 || characters > BATCH_CHARACTERS)) break;
      count += 1;
    }
    const batch = this.#waiting.splice(0, count).map(({ event }) => event);
    this.#last.clear();
    if (this.#lost === 0) return batch;
    const detail = `${this.#lost} events were lost: the broker is too slow for this worker`;
    this.#lost = 0;
    return [...batch, { type: "server.fault", detail, at: Date.now() }];
  }
}

function sizeOf(event: FerrymanEvent): number {
  let size = EVENT_CHARACTERS;
  for (const value of Object.values(event)) if (typeof value === "string") size += value.length * 2;
  return size;
}
