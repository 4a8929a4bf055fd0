/**
 * What holds one direction of one session to its rates: its own, its account's and the server's, one after the other.
 * It gives leave to move octets and moves none itself, so it fits streams and a native path alike.
 */
import type { Place, RateLimiter } from "./rate-limiter.ts";

type Stage = { readonly limiter: RateLimiter; readonly place: Place };

const NO_STAGES: readonly Stage[] = [];

/**
 * A chain of limiters. One `take` at a time: a session has one transfer at most.
 *
 * A turn goes through the limiters in their order, from the narrowest owner to the widest. It never waits at one for
 * the sake of an earlier one, so nobody is held up by the limit of somebody else.
 */
export class Throttle {
  readonly #limiters: readonly RateLimiter[];
  /** Made when leave is asked for. */
  #stages: readonly Stage[] = NO_STAGES;
  #busy = false;

  /** @param limiters the session's, the account's, the server's. */
  constructor(limiters: readonly RateLimiter[]) {
    this.#limiters = limiters;
  }

  /** Whether there is any limit now. It may come and go during a transfer (a reload). */
  get limited(): boolean {
    for (const limiter of this.#limiters) if (limiter.rate !== undefined) return true;
    return false;
  }

  /** Octets that one turn brings at most, as things stand; for the size of buffers. */
  get quantum(): number {
    let least = Number.MAX_SAFE_INTEGER;
    for (const limiter of this.#limiters) least = Math.min(least, limiter.quantum);
    return least;
  }

  /**
   * Leave to move octets: a number when it can be given at once, as it always can without a limit.
   * @param wanted octets, 1 or more.
   * @returns how many of them may move now, 1 at least; ask again for the rest.
   * @throws the signal's reason, by the promise; then nothing of the turn is left, no timer and no place in a queue.
   */
  take(wanted: number, signal: AbortSignal): number | Promise<number> {
    if (this.#busy) throw new Error("a throttle gives one leave at a time; wait for the last one first");
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#stages.length === 0) {
      this.#stages = this.#limiters.map((limiter) => ({ limiter, place: limiter.place() }));
    }
    let count = wanted;
    for (const [at, { limiter, place }] of this.#stages.entries()) {
      const passed = limiter.pass(place, count);
      if (passed === 0) return this.#wait(at, { wanted: count, signal });
      count = passed;
    }
    this.#settle(count);
    return count;
  }

  async #wait(from: number, { wanted, signal }: { wanted: number; signal: AbortSignal }): Promise<number> {
    this.#busy = true;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    let waitsAt = from;
    const step = (at: number, count: number): void => {
      const stage = this.#stages[at];
      if (stage === undefined) {
        this.#settle(count);
        resolve(count);
        return;
      }
      const { limiter, place } = stage;
      // At the first stage `pass` has just said no.
      const passed = at === from ? 0 : limiter.pass(place, count);
      if (passed > 0) step(at + 1, passed);
      else {
        waitsAt = at;
        limiter.wait(place, count, () => step(at + 1, place.passed === 0 ? count : place.passed));
      }
    };
    const abort = (): void => {
      const stage = this.#stages[waitsAt];
      stage?.limiter.leave(stage.place);
      this.#settle(0);
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    try {
      step(from, wanted);
      return await promise;
    } finally {
      this.#busy = false;
      signal.removeEventListener("abort", abort);
    }
  }

  #settle(moved: number): void {
    for (const { limiter, place } of this.#stages) limiter.settle(place, moved);
  }
}
