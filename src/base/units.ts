/** Sizes and durations as people write them ("2MiB", "10m"). Without zod, which would take a third of a short command's start. */

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };
/** Decimal and binary multiples apart, as IEC 80000-13 has them: 1 kB is 1,000 octets and 1 KiB is 1,024. */
const OCTETS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** Seconds in "90", "90s", "10m", "1h30m", "2d" or "1w"; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  if (!/^(?:\d{1,12}[smhdw])+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, count, unit = ""] of text.matchAll(/(\d+)([smhdw])/g)) sum += Number(count) * (SECONDS[unit] ?? 0);
  return Number.isSafeInteger(sum) ? sum : undefined;
}

/** "1h30m" for 5400: what `parseDuration` reads. @param seconds a whole number, not negative. */
export function formatDuration(seconds: number): string {
  if (seconds === 0) return "0s";
  let rest = seconds;
  let text = "";
  for (const unit of ["d", "h", "m", "s"]) {
    const size = SECONDS[unit] ?? 1;
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

/** Octets in "512", "2MiB", "1.5 GB"; undefined for anything else and beyond 2^53. */
export function parseOctets(text: string): number | undefined {
  const [, count, unit = ""] = /^(\d{1,16}(?:\.\d{1,6})?) ?([a-z]{0,3})$/i.exec(text) ?? [];
  const size = OCTETS[unit.toLowerCase()];
  if (count === undefined || size === undefined) return undefined;
  const exact = Math.round(Number(count) * size);
  return Number.isSafeInteger(exact) ? exact : undefined;
}

/** "2MiB" for 2097152: the largest binary multiple that is exact, so that `parseOctets` gives the same number back. */
export function formatOctets(count: number): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"]) {
    const size = OCTETS[unit.toLowerCase()] ?? 1;
    if (count >= size && count % size === 0) return `${count / size}${unit}`;
  }
  return `${count}B`;
}
