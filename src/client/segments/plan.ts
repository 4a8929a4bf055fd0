/**
 * Who loads what of a file in segments. A connection that is free takes a piece that nobody has; when there is none it
 * takes over half of what the slowest one still has to do, or all of it if that one has stopped. Octets and time alone:
 * it knows of no connection.
 */
import { SEGMENT_LEAST, STUCK_MS, TAKE_OVER_LEAST, TAKE_OVER_WORTH_MS } from "./limits.ts";
import { type Range, RangeSet, cutUp } from "./ranges.ts";

/** A piece under way. Its end comes nearer when another connection takes over a part. */
export type Segment = {
  readonly start: number;
  /** The next octet to come. */
  readonly at: number;
  readonly end: number;
  /** Ends the transfer when all of the rest was given to another. */
  readonly stop: AbortSignal;
};

type Running = {
  readonly start: number;
  at: number;
  end: number;
  readonly stop: AbortSignal;
  readonly stopper: AbortController;
  readonly begunMs: number;
  movedMs: number;
};

/** Milliseconds of a segment's life before which its speed says nothing. */
const SPEED_KNOWN_MS = 200;

/** The reason of `Segment.stop`. */
export const TAKEN_OVER = new Error("another connection has taken the segment over");

export type PlanTerms = {
  readonly size: number;
  /** What was there before. */
  readonly done: RangeSet;
  /** How many pieces there are to be at first. */
  readonly pieces: number;
  /** Milliseconds. */
  readonly now?: () => number;
};

export class SegmentPlan {
  readonly size: number;
  /** What has been written. */
  readonly done: RangeSet;
  readonly #free: Range[];
  readonly #running = new Set<Running>();
  readonly #now: () => number;
  #changed = Promise.withResolvers<void>();

  constructor({ size, done, pieces, now = () => performance.now() }: PlanTerms) {
    this.size = size;
    this.done = done;
    this.#now = now;
    this.#free = cutUp(done.gaps(0, size), { pieces, least: SEGMENT_LEAST });
  }

  get isDone(): boolean {
    return this.done.total === this.size;
  }

  /** Segments under way. */
  get running(): readonly Segment[] {
    return [...this.#running];
  }

  /** Settles when a segment has ended or was given back, so that there may be work again. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Whether `take` would give something now. */
  get hasWork(): boolean {
    return this.#free.length > 0 || this.#victim() !== undefined;
  }

  /** @returns undefined if there is nothing that is worth a connection now. */
  take(): Segment | undefined {
    const free = this.#free.shift();
    if (free !== undefined) return this.#begin(free);
    const victim = this.#victim();
    if (victim === undefined) return undefined;
    const { end } = victim;
    const isStuck = this.#isStuck(victim);
    const middle = isStuck ? victim.at : victim.at + Math.ceil((end - victim.at) / 2);
    victim.end = middle;
    if (isStuck) victim.stopper.abort(TAKEN_OVER);
    return this.#begin({ start: middle, end });
  }

  /** So many octets from `at` on were written. @returns how many of them are new. */
  wrote(segment: Segment, octets: number): number {
    const running = this.#of(segment);
    const fresh = this.done.add(running.at, running.at + octets);
    running.at += octets;
    running.movedMs = this.#now();
    return fresh;
  }

  /** It has ended, well or not: what is left of it is there for others. */
  end(segment: Segment): void {
    const running = this.#of(segment);
    this.#running.delete(running);
    if (running.at < running.end) this.#free.unshift(...this.done.gaps(running.at, running.end));
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  #begin({ start, end }: Range): Segment {
    const stopper = new AbortController();
    const now = this.#now();
    const running = { start, at: start, end, stopper, stop: stopper.signal, begunMs: now, movedMs: now };
    this.#running.add(running);
    return running;
  }

  #of(segment: Segment): Running {
    for (const running of this.#running) if (running === segment) return running;
    throw new Error("a segment that is not under way");
  }

  #isStuck({ movedMs }: Running): boolean {
    return this.#now() - movedMs >= STUCK_MS;
  }

  /** The one that would be done last. */
  #victim(): Running | undefined {
    let [slowest, longest]: [Running | undefined, number] = [undefined, 0];
    for (const running of this.#running) {
      const needs = this.#needsMs(running);
      if (needs > longest) [slowest, longest] = [running, needs];
    }
    return slowest;
  }

  /** Milliseconds that it still needs, as things stand; 0 where it is not worth taking a part over. */
  #needsMs(running: Running): number {
    const left = running.end - running.at;
    if (left <= 0) return 0;
    if (this.#isStuck(running)) return Number.MAX_VALUE;
    const lived = this.#now() - running.begunMs;
    const moved = running.at - running.start;
    if (lived < SPEED_KNOWN_MS || moved === 0) return left >= 2 * SEGMENT_LEAST ? left : 0;
    const needs = (left * lived) / moved;
    return left >= 2 * TAKE_OVER_LEAST && needs >= TAKE_OVER_WORTH_MS ? needs : 0;
  }
}
