/** Sets of positions of a file, as ranges without overlaps: what of it is there, and what is missing. */

/** From `start` up to, not with, `end`. */
export type Range = { readonly start: number; readonly end: number };

export class RangeSet {
  /** In order, with at least one position between each two. */
  readonly #ranges: { start: number; end: number }[] = [];
  #total = 0;

  /** Positions in the set. */
  get total(): number {
    return this.#total;
  }

  get ranges(): readonly Range[] {
    return this.#ranges;
  }

  /** @returns how many of them were not in the set before. */
  add(start: number, end: number): number {
    if (end <= start) return 0;
    const ranges = this.#ranges;
    const at = this.#firstEndingFrom(start);
    let count = 0;
    let known = 0;
    const joined = { start, end };
    for (let next = ranges[at]; next !== undefined && next.start <= end; next = ranges[at + count]) {
      joined.start = Math.min(joined.start, next.start);
      joined.end = Math.max(joined.end, next.end);
      known += next.end - next.start;
      count += 1;
    }
    ranges.splice(at, count, joined);
    const fresh = joined.end - joined.start - known;
    this.#total += fresh;
    return fresh;
  }

  /** What is missing between `start` and `end`, in order. */
  gaps(start: number, end: number): Range[] {
    const gaps: Range[] = [];
    let at = start;
    for (let index = this.#firstEndingFrom(start); at < end; index += 1) {
      const next = this.#ranges[index];
      if (next === undefined || next.start >= end) {
        gaps.push({ start: at, end });
        break;
      }
      if (next.start > at) gaps.push({ start: at, end: next.start });
      at = Math.max(at, next.end);
    }
    return gaps;
  }

  /** The first range that ends at or behind a position: the one it may join. */
  #firstEndingFrom(position: number): number {
    const ranges = this.#ranges;
    let [low, high] = [0, ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ranges[middle]?.end ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Cuts ranges into pieces of about equal length, `pieces` of them or a few more, none much shorter than `least`. */
export function cutUp(
  ranges: readonly Range[],
  { pieces, least }: { readonly pieces: number; readonly least: number },
): Range[] {
  let octets = 0;
  for (const { start, end } of ranges) octets += end - start;
  const length = Math.max(Math.ceil(octets / Math.max(pieces, 1)), least);
  return ranges.flatMap(({ start, end }) => {
    const count = Math.max(Math.round((end - start) / length), 1);
    const each = Math.ceil((end - start) / count);
    return Array.from({ length: count }, (_, index) => ({
      start: Math.min(start + index * each, end),
      end: Math.min(start + (index + 1) * each, end),
    })).filter((piece) => piece.end > piece.start);
  });
}
