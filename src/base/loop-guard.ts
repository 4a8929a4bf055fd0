/** Lets short work be done on the event loop for as long as it stays short: a slow disk is found out by its first wait. */

export type GuardTerms = {
  /** Milliseconds that one piece of work may take. */
  readonly mostMs: number;
  /** Milliseconds without such work after one that took longer. */
  readonly restMs: number;
  /** Milliseconds that never go back; for tests. */
  readonly now?: () => number;
};

export class LoopGuard {
  readonly #terms: GuardTerms;
  readonly #now: () => number;
  #closedUntil = -Infinity;

  constructor(terms: GuardTerms) {
    this.#terms = terms;
    this.#now = terms.now ?? ((): number => performance.now());
  }

  /** @returns undefined: not now; do it on another thread. @throws what `work` does. */
  try<Result>(work: () => Result): Result | undefined {
    const begun = this.#now();
    if (begun < this.#closedUntil) return undefined;
    try {
      return work();
    } finally {
      const ended = this.#now();
      if (ended - begun > this.#terms.mostMs) this.#closedUntil = ended + this.#terms.restMs;
    }
  }
}
