/** Sends a worker's events to the broker, which writes the log: in batches, one on its way at a time. */
import type { FerrymanEvent } from "../workspace/events.ts";
import { EVENTS_AT_ONCE } from "./requests.ts";

/** Events that wait for a broker that is slow; those beyond are lost and counted. About 20 MiB at worst. */
const WAITING_LIMIT = 20_000;
/** Characters of one batch: the channel takes 64 KiB, and a path of octets above 127 doubles. */
const BATCH_CHARACTERS = 16_384;
/** Characters of an event besides its path and argument. */
const EVENT_CHARACTERS = 400;

export class EventSender {
  readonly #send: (events: readonly FerrymanEvent[]) => Promise<unknown>;
  #waiting: FerrymanEvent[] = [];
  #sending: Promise<void> | undefined;
  #lost = 0;

  constructor(send: (events: readonly FerrymanEvent[]) => Promise<unknown>) {
    this.#send = send;
  }

  hear(event: FerrymanEvent): void {
    if (this.#waiting.length >= WAITING_LIMIT) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(event);
    this.#sending ??= this.#run();
  }

  /** Settles when all that was heard so far is with the broker. */
  async flush(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
  }

  async #run(): Promise<void> {
    // What else happens in this turn of the loop goes along.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      await this.#send(batch).catch(() => {});
    }
    this.#sending = undefined;
  }

  #take(): readonly FerrymanEvent[] {
    let [count, characters] = [0, 0];
    for (const event of this.#waiting) {
      characters += sizeOf(event);
      if (count > 0 && (count >= EVENTS_AT_ONCE - 1 || characters > BATCH_CHARACTERS)) break;
      count += 1;
    }
    const batch = this.#waiting.splice(0, count);
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
