/** Pieces of work that make further ones, some at a time: the queue has an end, and so has all of it. */
import { FtpError } from "../errors.ts";

export type Work = () => Promise<void>;

export class Crew {
  readonly #atOnce: number;
  readonly #most: number;
  readonly #signal: AbortSignal | undefined;
  #queue: Work[] = [];
  #head = 0;
  #running = 0;
  #fault: { readonly error: unknown } | undefined;
  #isAwaited = false;
  readonly #end = Promise.withResolvers<void>();

  /** @param terms.most pieces that may wait. */
  constructor({ atOnce, most, signal }: { atOnce: number; most: number; signal: AbortSignal | undefined }) {
    this.#atOnce = Math.max(atOnce, 1);
    this.#most = most;
    this.#signal = signal;
  }

  /** @throws {FtpError} LIMIT when too many wait. */
  add(work: Work): void {
    if (this.#queue.length - this.#head >= this.#most) {
      throw new FtpError("LIMIT", `more than ${this.#most} pieces of work wait`, { phase: "local" });
    }
    this.#queue.push(work);
    this.#fill();
  }

  /** @throws what a piece of work threw first, when those under way have ended; the signal's reason. */
  async done(): Promise<void> {
    // Only now nobody else adds any: what was empty before may have been so between two of them.
    this.#isAwaited = true;
    this.#fill();
    await this.#end.promise;
    this.#signal?.throwIfAborted();
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  get #isOver(): boolean {
    return this.#fault !== undefined || this.#signal?.aborted === true;
  }

  #fill(): void {
    while (this.#running < this.#atOnce && !this.#isOver) {
      const next = this.#queue[this.#head];
      if (next === undefined) break;
      this.#head += 1;
      // What is done is let go, now and then, so that the list does not grow with the job.
      if (this.#head > 1_000 && this.#head * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#head);
        this.#head = 0;
      }
      this.#running += 1;
      void this.#run(next);
    }
    if (this.#running === 0 && this.#isAwaited) this.#end.resolve();
  }

  async #run(work: Work): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#fault ??= { error };
    } finally {
      this.#running -= 1;
      this.#fill();
    }
  }
}
