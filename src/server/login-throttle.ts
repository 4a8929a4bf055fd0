/** Slows down who guesses passwords: each failure from an address makes its next answer later (attack 37). */
import { setTimeout as delay } from "node:timers/promises";

/** Milliseconds of the first delay; doubles with each failure. */
const FIRST_DELAY_MS = 250;
/** Milliseconds; the most that one answer is held back. */
const LONGEST_DELAY_MS = 8_000;
/** Failures within FORGET_MS after which an address is refused at once. RFC 2577 §5 advises a limit of 3 to 5 per session. */
const REFUSED_AFTER = 10;
/** Failures in one session after which it ends with 421 (RFC 2577 §5). */
export const TRIES_PER_SESSION = 5;
/** Milliseconds after which an address's failures are forgotten. */
const FORGET_MS = 600_000;
/** Addresses remembered; the oldest goes first. 10,000 entries are about 1 MiB. */
const ADDRESSES_KEPT = 10_000;

export class LoginThrottle {
  readonly #failures = new Map<string, { count: number; last: number }>();

  /** Whether this address has failed too often to be asked again for now. */
  isRefused(address: string, now: number): boolean {
    return this.#countOf(address, now) >= REFUSED_AFTER;
  }

  /** Notes a failure and holds the answer back. */
  async failed(address: string, { now, signal }: { now: number; signal: AbortSignal }): Promise<void> {
    const count = this.#countOf(address, now) + 1;
    this.#failures.delete(address);
    this.#failures.set(address, { count, last: now });
    if (this.#failures.size > ADDRESSES_KEPT) {
      const [oldest] = this.#failures.keys();
      if (oldest !== undefined) this.#failures.delete(oldest);
    }
    const wait = Math.min(FIRST_DELAY_MS * 2 ** (count - 1), LONGEST_DELAY_MS);
    await delay(wait, undefined, { signal }).catch(() => {});
  }

  succeeded(address: string): void {
    this.#failures.delete(address);
  }

  #countOf(address: string, now: number): number {
    const known = this.#failures.get(address);
    return known === undefined || now - known.last > FORGET_MS ? 0 : known.count;
  }
}
