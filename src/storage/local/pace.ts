/**
 * Host calls for a whole batch of entries: on the event loop while each takes microseconds, which is faster than any
 * other thread could be asked; on the thread pool as soon as the disk or network behind them is slow, so that no other
 * session waits for it.
 */

/** Calls between two looks at the clock. */
const GROUP = 4;
/**
 * Milliseconds of one call from which on the loop is the wrong place: fifty times one that the host's cache answers,
 * some times what handing it to another thread costs, and less than any disk needs.
 */
const SLOW_MS = 0.1;
/** Slow looks in a row that prove nothing yet: other programs may have had the processor meanwhile. */
const DOUBTS = 2;
/** Calls that wait on the thread pool at once: half of its four threads stay free for other sessions' reads. */
const LANES = 2;

export type BatchCalls = {
  readonly count: number;
  /** Does the call at once. */
  readonly now: (index: number) => void;
  /** Does it on another thread. */
  readonly elsewhere: (index: number) => Promise<void>;
};

/** Remembers from batch to batch whether the calls are slow. One for each folder that is read. */
export class Pace {
  #slow = false;

  /** Does each call of a batch once. @throws what a call throws, when no other is on its way any more. */
  async run(calls: BatchCalls): Promise<void> {
    const done = this.#slow ? 0 : this.#runNow(calls);
    if (done === calls.count) return;
    const started = performance.now();
    await runElsewhere(calls, done);
    // Fast again: what it took includes the other threads' price, so this is well below the limit.
    this.#slow = performance.now() - started > SLOW_MS * (calls.count - done);
  }

  /** @returns how many were done before they proved slow. */
  #runNow({ count, now }: BatchCalls): number {
    let last = performance.now();
    let doubts = 0;
    for (let index = 0; index < count;) {
      const end = doubts === 0 ? Math.min(count, index + GROUP) : index + 1;
      const calls = end - index;
      while (index < end) now(index++);
      const time = performance.now();
      doubts = time - last > SLOW_MS * calls ? doubts + 1 : 0;
      if (doubts > DOUBTS) return index;
      last = time;
    }
    return count;
  }
}

async function runElsewhere({ count, elsewhere }: BatchCalls, from: number): Promise<void> {
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < count) await elsewhere(next++);
  };
  const ends = await Promise.allSettled(Array.from({ length: LANES }, lane));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
