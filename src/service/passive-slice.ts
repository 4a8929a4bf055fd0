/** The passive ports of one worker among several: each opens its own, so none waits for what another keeps open. */
import type { PortRange } from "../net/passive-pool.ts";

export type PassivePart = {
  readonly range: PortRange;
  /** Others take ports of the range too: whoever keeps one open that he does not need keeps it from them. */
  readonly isShared: boolean;
};

/** Ports below which a range is not cut up: a worker would be left with too few for its sessions. */
const SMALLEST_SLICE = 64;

/** @returns the worker's part of the range; the whole range where that is small, and workers find free ports by trying. */
export function passiveSlice(
  { first, last }: PortRange,
  { index, workers }: { index: number; workers: number },
): PassivePart {
  const size = Math.floor((last - first + 1) / workers);
  if (size < SMALLEST_SLICE) return { range: { first, last }, isShared: workers > 1 };
  const start = first + index * size;
  return { range: { first: start, last: index === workers - 1 ? last : start + size - 1 }, isShared: false };
}
