/** `--check`: is any ratio to the best peer much worse than in the committed run? */
import { type Report, ratioToBest } from "./report.ts";

/** The part of a committed ratio that must be reached: rounds on a quiet machine differ by a tenth. */
const LEAST = 0.8;

export type Fallen = {
  readonly id: string;
  readonly title: string;
  readonly before: number;
  readonly now: number | undefined;
};

/** Rows of this run whose ratio fell too far; a row whose figure of ours is gone fell too. Rows of one run alone do not count. */
export function fallen(committed: Report, found: Report): readonly Fallen[] {
  return found.rows.flatMap((row) => {
    const other = committed.rows.find(({ id }) => id === row.id);
    const before = other === undefined ? undefined : ratioToBest(other);
    if (before === undefined) return [];
    const now = ratioToBest(row);
    return now !== undefined && now >= before * LEAST ? [] : [{ id: row.id, title: row.title, before, now }];
  });
}
