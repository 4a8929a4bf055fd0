/** Whether a file of the source must be copied over the one that lies at the other side. */
import type { EntryTime } from "../types.ts";
import type { Item } from "./side.ts";
import type { CompareBy, CopyReason } from "./types.ts";

export type CompareTerms = {
  readonly by: CompareBy;
  readonly zoneTolerance: boolean;
  /** Whether a copy gets its source's time; where not, a younger copy of equal size is the same. */
  readonly keepsTimes: boolean;
};

type Facts = Pick<Item, "size" | "modified">;

/** Milliseconds for which a time of each precision stands, from its own value on. */
const UNIT = { second: 1_000, minute: 60_000, day: 86_400_000 } as const;
const HOUR = 3_600_000;
/** Hours between the clocks of two zones at most: UTC+14 and UTC-12. */
const ZONES_APART = 26;

/**
 * By sizes and times; for "hash" this is what stands in where there is no digest.
 * What cannot be compared at all is copied: that is never wrong, only slow.
 * @returns undefined if they are the same.
 */
export function differenceOf(source: Facts, there: Facts, terms: CompareTerms): CopyReason | undefined {
  const sizes = agreement(source.size, there.size);
  if (terms.by === "newer") return newerDifference(source, there, terms.zoneTolerance);
  if (sizes === false) return "size";
  if (terms.by === "size" && sizes === true) return undefined;
  if (source.modified === undefined || there.modified === undefined) return sizes === true ? undefined : "time";
  if (timesAgree(source.modified, there.modified, terms.zoneTolerance && sizes === true)) return undefined;
  const isCopy = !terms.keepsTimes && sizes === true && isYounger(there.modified, source.modified, false);
  return isCopy ? undefined : "time";
}

function newerDifference(source: Facts, there: Facts, zoneTolerance: boolean): CopyReason | undefined {
  const sizes = agreement(source.size, there.size);
  if (source.modified === undefined || there.modified === undefined) return sizes === false ? "size" : undefined;
  return isYounger(source.modified, there.modified, zoneTolerance && sizes === true) ? "newer" : undefined;
}

function agreement(one: number | undefined, other: number | undefined): boolean | undefined {
  return one === undefined || other === undefined ? undefined : one === other;
}

/** The coarser time stands for all of its minute or day. @param hours whether whole hours between them do not count. */
export function timesAgree(one: EntryTime, other: EntryTime, hours: boolean): boolean {
  const [fine, coarse] = UNIT[one.precision] < UNIT[other.precision] ? [one, other] : [other, one];
  const unit = UNIT[coarse.precision];
  // Both are of the same second, whatever fraction the file system adds.
  const apart = Math.floor(fine.ms / UNIT.second) * UNIT.second - Math.floor(coarse.ms / UNIT.second) * UNIT.second;
  if (fine.precision === coarse.precision && unit < UNIT.day) {
    if (Math.floor(fine.ms / unit) === Math.floor(coarse.ms / unit)) return true;
  } else if (apart >= 0 && apart < unit) return true;
  const isAssumed = one.zone === "assumed" || other.zone === "assumed";
  // A day begins at another hour where the server is; which one is not known to the hour.
  if (isAssumed && unit === UNIT.day && Math.abs(apart) < UNIT.day) return true;
  if (!isAssumed || !hours || Math.abs(apart) > ZONES_APART * HOUR) return false;
  const past = ((apart % HOUR) + HOUR) % HOUR;
  return past < Math.min(unit, HOUR);
}

/** Whether the first was changed after the second, as far as the coarser of them can tell. */
export function isYounger(one: EntryTime, other: EntryTime, hours: boolean): boolean {
  return one.ms > other.ms && !timesAgree(one, other, hours);
}
