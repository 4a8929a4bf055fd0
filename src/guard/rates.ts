/** How often: buckets that fill with time and are emptied by what happens. */
import { FLOOD_PATIENCE_MS, FLOOD_QUEUE } from "./limits.ts";
import { RecentMap } from "./recent-map.ts";

type Bucket = { readonly left: number; /** Milliseconds. */ readonly at: number };
export type Rate = { /** So many … */ readonly count: number; /** … in so many milliseconds. */ readonly per: number };

/** A bucket of `count` for each key, full at first. */
export class Rates {
  readonly #buckets: RecentMap<string, Bucket>;

  constructor(limit: number) {
    this.#buckets = new RecentMap(limit);
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Whether one more is within the rate; one that is not takes nothing. @param now milliseconds. */
  has(key: string, { count, per }: Rate, now: number): boolean {
    return this.#left(key, { count, per }, now) >= 1;
  }

  take(key: string, rate: Rate, now: number): void {
    this.#buckets.set(key, { left: this.#left(key, rate, now) - 1, at: now });
  }

  #left(key: string, { count, per }: Rate, now: number): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return count;
    return Math.min(count, bucket.left + (Math.max(0, now - bucket.at) * count) / per);
  }
}

export type CommandVerdict =
  /** Run it after `delayMs`. */
  | { readonly ok: true; readonly delayMs: number }
  | { readonly ok: false; readonly rule: "command-rate"; readonly code: 421; readonly text: string };

export type CommandRateTerms = {
  /** Commands a second; undefined: no limit. */
  readonly rate: number | undefined;
  readonly burst: number;
};

/**
 * The commands of one session. It stands apart from the guard, so that the process that reads the commands decides
 * without asking another one.
 */
export class CommandRate {
  readonly #terms: CommandRateTerms;
  #left: number;
  #at: number | undefined;
  #floodSince: number | undefined;

  constructor(terms: CommandRateTerms) {
    this.#terms = terms;
    this.#left = terms.burst;
  }

  /**
   * Asked once for each command before it runs.
   * @param waiting lines of the session that came already and wait behind this one: only who sends ahead can be a flood.
   * @param now milliseconds.
   */
  command(waiting: number, now: number): CommandVerdict {
    const { rate, burst } = this.#terms;
    if (rate === undefined) return { ok: true, delayMs: 0 };
    const passed = Math.max(0, now - (this.#at ?? now));
    this.#at = now;
    this.#left = Math.min(burst, this.#left + (passed * rate) / 1000) - 1;
    const delayMs = this.#left >= 0 ? 0 : Math.ceil((-this.#left * 1000) / rate);
    if (delayMs === 0 || waiting < FLOOD_QUEUE) this.#floodSince = undefined;
    else this.#floodSince ??= now;
    if (this.#floodSince === undefined || now - this.#floodSince < FLOOD_PATIENCE_MS) return { ok: true, delayMs };
    const text = `Too many commands (limit ${rate} a second); send the next one when the last is answered.`;
    return { ok: false, rule: "command-rate", code: 421, text };
  }
}
