/** Points that fade: half of them are gone after the half-life, whatever happened since. */
import { RecentMap } from "./recent-map.ts";

type Score = { readonly points: number; /** Milliseconds. */ readonly at: number };

export class Scores {
  readonly #scores: RecentMap<string, Score>;

  constructor(limit: number) {
    this.#scores = new RecentMap(limit);
  }

  get size(): number {
    return this.#scores.size;
  }

  /** @param now milliseconds. @param halfLife milliseconds. */
  of(key: string, { now, halfLife }: Fading): number {
    const score = this.#scores.get(key);
    return score === undefined ? 0 : faded(score, { now, halfLife });
  }

  /** Adds points, or takes them away (never below 0). @returns what there is now. */
  add(key: string, points: number, fading: Fading): number {
    const sum = Math.max(0, this.of(key, fading) + points);
    if (sum > 0) this.#scores.set(key, { points: sum, at: fading.now });
    else this.#scores.delete(key);
    return sum;
  }

  forget(key: string): void {
    this.#scores.delete(key);
  }

  /** Forgets all keys for which it holds. */
  forgetThose(holds: (key: string) => boolean): void {
    for (const [key] of this.#scores.entries()) {
      if (holds(key)) this.#scores.delete(key);
    }
  }
}

export type Fading = { readonly now: number; readonly halfLife: number };

function faded({ points, at }: Score, { now, halfLife }: Fading): number {
  // A clock that was set back must not make points grow.
  return points * 0.5 ** (Math.max(0, now - at) / halfLife);
}
