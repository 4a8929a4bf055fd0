/** The zone in which a server writes LIST: found from files whose true time MDTM told (RFC 3659 §3). */
import type { ListedTime } from "./entry.ts";

export type ZonePair = {
  /** Of LIST. */
  readonly listed: ListedTime;
  /** Of MDTM: milliseconds since 1970 UTC. */
  readonly utc: number;
};

const MINUTE_MS = 60_000;
/** All zones in use are multiples of it. */
const STEP_MINUTES = 15;
/** UTC+14 is the farthest zone. */
const MOST_MINUTES = 14 * 60;
/** Milliseconds by which two times of the same file may differ: FAT keeps every other second. */
const SLACK_MS = 2_000;

/**
 * @param pairs of some files. Those whose time is not of the server's clock, or tells the day alone, say nothing.
 * @returns minutes that the server's clock is ahead of UTC, as most of the pairs say; at a tie as the latest file says, since
 *   summer time may have come between. undefined if none fits any zone, so when a file changed between LIST and MDTM.
 */
export function zoneMinutes(pairs: readonly ZonePair[]): number | undefined {
  const votes = new Map<number, { count: number; latest: number }>();
  for (const pair of pairs) {
    const minutes = minutesOf(pair);
    if (minutes === undefined) continue;
    const { count, latest } = votes.get(minutes) ?? { count: 0, latest: -Infinity };
    votes.set(minutes, { count: count + 1, latest: Math.max(latest, pair.utc) });
  }
  const sorted = [...votes].toSorted(([, a], [, b]) => b.count - a.count || b.latest - a.latest);
  return sorted[0]?.[0];
}

/** @returns undefined where what remains beside a multiple of the step is more than the listing leaves out. */
function minutesOf({ listed, utc }: ZonePair): number | undefined {
  if (listed.zone === "utc" || listed.precision === "day" || !Number.isFinite(utc)) return undefined;
  const lost = listed.precision === "minute" ? MINUTE_MS : 0;
  const difference = listed.ms - utc;
  // Minutes are cut off mostly: the middle of what that may have taken is rounded.
  const steps = Math.round((difference + lost / 2) / (STEP_MINUTES * MINUTE_MS));
  const rest = difference - steps * STEP_MINUTES * MINUTE_MS;
  if (rest < -lost - SLACK_MS || rest > SLACK_MS + lost / 2) return undefined;
  const minutes = steps * STEP_MINUTES;
  // 0 and not -0, which prints and compares in its own way.
  return Math.abs(minutes) > MOST_MINUTES ? undefined : minutes + 0;
}
