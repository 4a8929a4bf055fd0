/** The name that somebody probably meant: for unknown commands, flags, keys. */

/** Edits that a slip of the hand makes in a short word; more, and the guess is noise. */
const EDITS = 2;

/** The nearest of `known` to `given` by at most EDITS insertions, removals, changes or swaps of neighbours. */
export function nearest(given: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = EDITS + 1;
  for (const name of known) {
    const edits = distance(given.toLowerCase(), name.toLowerCase());
    // "rm" is two edits from every word of two letters: at least half of the name must be right.
    if (edits < least && edits * 2 <= name.length) {
      best = name;
      least = edits;
    }
  }
  return best;
}

/** ` Did you mean "x"?`, or nothing. */
export function didYouMean(given: string, known: Iterable<string>): string {
  const name = nearest(given, known);
  return name === undefined ? "" : ` Did you mean "${name}"?`;
}

/** Optimal string alignment: Levenshtein's distance in which two neighbours may also change places. */
function distance(left: string, right: string): number {
  if (Math.abs(left.length - right.length) > EDITS) return EDITS + 1;
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const same = left[i - 1] === right[j - 1];
      const swapped = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (same ? 0 : 1),
          swapped ? (before[j - 2] ?? 0) + 1 : Infinity,
        ),
      );
    }
    before = row;
    row = next;
  }
  return row.at(-1) ?? 0;
}
