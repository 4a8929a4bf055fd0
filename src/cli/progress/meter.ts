/** The rate of a transfer, smoothed: what happened in the last seconds counts, and older things less and less. */

/** Milliseconds after which an octet counts about a third: long enough to be read, short enough to be true. */
const MEMORY_MS = 3_000;

export type Meter = {
  /** When it was read last; milliseconds of a clock that only grows. */
  readonly at: number;
  readonly bytes: number;
  readonly sum: number;
  /** How much of the weight 1 has been seen: right after the start there is no past that could count. */
  readonly weight: number;
};

export function startedMeter(now: number): Meter {
  return { at: now, bytes: 0, sum: 0, weight: 0 };
}

/** @param reading octets so far, at `now`. */
export function measured(meter: Meter, { now, bytes }: { readonly now: number; readonly bytes: number }): Meter {
  const passed = now - meter.at;
  if (passed <= 0) return meter;
  const kept = Math.exp(-passed / MEMORY_MS);
  // A try that began anew counts from its own start.
  const moved = Math.max(0, bytes - meter.bytes);
  const rate = (moved / passed) * 1_000;
  return { at: now, bytes, sum: meter.sum * kept + rate * (1 - kept), weight: meter.weight * kept + (1 - kept) };
}

/** Octets per second; undefined before the first reading. */
export function rateOf({ sum, weight }: Meter): number | undefined {
  return weight === 0 ? undefined : sum / weight;
}
