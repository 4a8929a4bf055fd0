/**
 * One rate that several transfers share. What it lets pass in any second is within 109 % of the rate, at the start and
 * after a pause too, and everyone who waits gets an equal part. It knows octets and time, and nothing of sockets.
 */
import {
  RATE_DEPTH_SECONDS,
  RATE_QUANTA_PER_SECOND,
  RATE_QUANTUM_FLOOR,
  RATE_WAIT_LEAST_MS,
  RATE_WAIT_MOST_MS,
} from "./limits.ts";

/** Time as a limiter sees it; tests give their own. */
export type Clock = {
  /** Milliseconds, with fractions, that never go back. */
  readonly now: () => number;
  /** Calls `act` once after so many milliseconds. @returns what takes the call back. */
  readonly after: (milliseconds: number, act: () => void) => () => void;
};

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  after: (milliseconds, act) => {
    const timer = setTimeout(act, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Where one sharer stands at one limiter: made once, and used for all of its turns, one at a time. */
export type Place = {
  /** Octets asked for by the turn that waits. */
  wanted: number;
  /** What continues when it may pass. */
  resume: () => void;
  /** Octets that have passed here, but still wait at a limiter further on. */
  passed: number;
  /** Fair queueing: whose turn starts earliest, in octets that a fair part would have been by now, passes first. */
  start: number;
  finish: number;
};

/**
 * A bucket that fills at the rate and holds little, with a fair queue before it (start-time fair queueing): a turn
 * begins, in octets of service, where the sharer's last one ended, so that parts are equal however large the turns are.
 *
 * With `depth` = 7 % of a second's octets and `quantum` = 2 %, any second sees at most depth + rate + quantum = 109 %:
 * what lay in the bucket, what flows in, and what had passed here before and was held up by a limiter further on.
 */
export class RateLimiter {
  readonly #clock: Clock;
  #rate: number | undefined;
  /** Octets in the bucket at `#filledAt`. Empty at first, so that to sign in anew gains nothing. */
  #level = 0;
  #filledAt: number;
  /** Octets that passed but have not moved, as a further limiter holds them. */
  #held = 0;
  /** Sorted by `start`; one place per sharer, so it is no longer than there are sessions. */
  readonly #queue: Place[] = [];
  /** The part that a sharer who always waited would have had by now, in octets. */
  #service = 0;
  #cancelTimer: (() => void) | undefined;
  #waking = false;

  /** @param octetsPerSecond more than 0, or undefined for no limit. @throws {RangeError} */
  constructor(octetsPerSecond: number | undefined, clock: Clock = SYSTEM_CLOCK) {
    this.#clock = clock;
    this.#rate = checkedRate(octetsPerSecond);
    this.#filledAt = clock.now();
  }

  /** Octets a second; undefined: no limit. */
  get rate(): number | undefined {
    return this.#rate;
  }

  /** Sharers that wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Octets that one turn may have now: the fewer, the more wait, down to what is still worth a write. */
  get quantum(): number {
    return this.#quantumFor(this.#queue.length + 1);
  }

  /**
   * Sets another rate; who waits is planned anew. It brings no burst, however often it is called.
   * @param octetsPerSecond as for the constructor. @throws {RangeError}
   */
  setRate(octetsPerSecond: number | undefined): void {
    const rate = checkedRate(octetsPerSecond);
    if (rate === this.#rate) return;
    this.#fill();
    // Without a limit nothing was counted, so there is nothing saved up.
    this.#level = this.#rate === undefined ? 0 : Math.min(this.#level, depthOf(rate));
    this.#rate = rate;
    this.#wake();
  }

  /** A place for one sharer. */
  place(): Place {
    return { wanted: 0, resume: () => {}, passed: 0, start: 0, finish: 0 };
  }

  /** Lets up to `wanted` octets pass at once. @returns how many: 0 when the sharer must `wait`. */
  pass(place: Place, wanted: number): number {
    if (this.#rate === undefined) return wanted;
    place.start = this.#startOf(place);
    const [first] = this.#queue;
    if (first !== undefined && first.start <= place.start) return 0;
    this.#fill();
    return this.#admit(place, wanted, this.quantum) === "passed" ? place.passed : 0;
  }

  /** Waits for a turn. `resume` is called when `place.passed` octets (all, if there is no limit any more) have passed. */
  wait(place: Place, wanted: number, resume: () => void): void {
    place.wanted = wanted;
    place.resume = resume;
    place.start = this.#startOf(place);
    let at = this.#queue.length;
    // From the end: most who come are the last.
    while (at > 0 && (this.#queue[at - 1]?.start ?? 0) > place.start) at -= 1;
    this.#queue.splice(at, 0, place);
    if (at === 0) this.#wake();
  }

  /** Waits no more. */
  leave(place: Place): void {
    const at = this.#queue.indexOf(place);
    if (at === -1) return;
    this.#queue.splice(at, 1);
    if (at === 0) this.#wake();
  }

  /** The octets that passed for this place move now, `moved` of them; the rest goes back. */
  settle(place: Place, moved: number): void {
    const { passed } = place;
    if (passed === 0) return;
    place.passed = 0;
    place.finish -= passed - moved;
    this.#held -= passed;
    this.#level = Math.min(this.#level + passed - moved, depthOf(this.#rate));
    if (this.#queue.length > 0) this.#wake();
  }

  /** Not long before the common service: one who did not use his part has not saved it up. */
  #startOf(place: Place): number {
    return Math.max(place.finish, this.#service - this.#quantumMost());
  }

  #quantumMost(): number {
    return this.#rate === undefined
      ? Number.MAX_SAFE_INTEGER
      : Math.max(1, Math.floor(this.#rate / RATE_QUANTA_PER_SECOND));
  }

  #quantumFor(sharers: number): number {
    const most = this.#quantumMost();
    return Math.max(Math.min(most, RATE_QUANTUM_FLOOR), Math.floor(most / sharers));
  }

  #fill(): void {
    const now = this.#clock.now();
    if (this.#rate !== undefined) {
      const come = (Math.max(0, now - this.#filledAt) / 1000) * this.#rate;
      this.#level = Math.min(this.#level + come, depthOf(this.#rate));
    }
    this.#filledAt = now;
  }

  #admit(place: Place, wanted: number, quantum: number): "passed" | "held" | { readonly missing: number } {
    const count = Math.min(wanted, quantum);
    if (this.#held > 0 && this.#held + count > this.#quantumMost()) return "held";
    if (this.#level < count) return { missing: count - this.#level };
    this.#level -= count;
    this.#held += count;
    place.passed = count;
    place.finish = place.start + count;
    this.#service = Math.max(this.#service + count / (this.#queue.length + 1), place.start);
    return "passed";
  }

  /** Lets pass who may, and sets the timer for the next. */
  #wake(): void {
    // What resumes below may call this; the loop sees what it changed.
    if (this.#waking) return;
    this.#waking = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#fill();
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      if (this.#rate !== undefined) {
        const outcome = this.#admit(first, first.wanted, this.#quantumFor(this.#queue.length));
        // `settle` comes back here.
        if (outcome === "held") break;
        if (outcome !== "passed") {
          this.#sleep((outcome.missing / this.#rate) * 1000);
          break;
        }
      }
      this.#queue.shift();
      first.resume();
    }
    this.#waking = false;
  }

  #sleep(milliseconds: number): void {
    const wait = Math.min(Math.max(Math.ceil(milliseconds), RATE_WAIT_LEAST_MS), RATE_WAIT_MOST_MS);
    this.#cancelTimer = this.#clock.after(wait, () => {
      this.#cancelTimer = undefined;
      this.#wake();
    });
  }
}

/** Octets that the bucket holds; one at least, or a very low rate would never let one pass. */
function depthOf(rate: number | undefined): number {
  return rate === undefined ? 0 : Math.max(1, rate * RATE_DEPTH_SECONDS);
}

function checkedRate(rate: number | undefined): number | undefined {
  if (rate === undefined || (rate > 0 && Number.isFinite(rate))) return rate;
  throw new RangeError(`a rate is a number of octets a second above 0, or undefined for no limit; this is ${rate}`);
}
