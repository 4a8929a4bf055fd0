/** Sizes, rates and times as they stand in a line of progress, short and of nearly the same length. */
import { widthOf } from "../columns.ts";
import { printable } from "../../client/errors.ts";
import { twoDigits } from "../../protocol/calendar.ts";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;
/** Days beyond which nobody waits, and the figure would not fit its column. */
const LONGEST_DAYS = 99;

/** Octets with three digits that count: "0 B", "1.50 KiB", "12.3 MiB", "999 GiB"; at most 8 columns. */
export function shownSize(octets: number): string {
  let value = Math.max(0, octets);
  let at = 0;
  // 999.5 would be written as 1000.
  while (value >= 999.5 && at < UNITS.length - 1) {
    value /= 1_024;
    at += 1;
  }
  return `${at === 0 ? Math.round(value) : threeDigits(value)} ${UNITS[at] ?? ""}`;
}

function threeDigits(value: number): string {
  if (value < 9.995) return value.toFixed(2);
  return value.toFixed(value < 99.95 ? 1 : 0);
}

/** "1 file", "2 files". @param one whose plural ends in s. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

/** "12.3 MiB/s", and "- B/s" where it is not known. @param rate octets per second. */
export function shownRate(rate: number | undefined): string {
  return rate === undefined || !Number.isFinite(rate) ? "- B/s" : `${shownSize(rate)}/s`;
}

/** "0:07", "12:30", "1:02:03", "2d 03h"; "-:--" where it is not known. At most 8 columns. */
export function shownTime(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return "-:--";
  const whole = Math.max(0, Math.round(seconds));
  const days = Math.floor(whole / DAY);
  if (days > LONGEST_DAYS) return `>${LONGEST_DAYS}d`;
  if (days > 0) return `${days}d ${twoDigits(Math.floor((whole % DAY) / HOUR))}h`;
  const hours = Math.floor(whole / HOUR);
  const minutes = Math.floor((whole % HOUR) / MINUTE);
  const rest = twoDigits(whole % MINUTE);
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/**
 * A name for one line of a terminal (attack 64): control characters are `?`, and what is too long loses its middle, as
 * beginning and end tell names apart.
 * @param width columns.
 */
export function shownName(name: string, width: number): string {
  const text = printable(name);
  if (widthOf(text) <= width) return text;
  if (width < 1) return "";
  const letters = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
  const end = taken(letters.toReversed(), Math.floor((width - 1) / 2)).toReversed();
  const start = taken(letters, width - 1 - widthOf(end.join("")));
  return `${start.join("")}…${end.join("")}`;
}

/** As many of the first letters as fit. */
function taken(letters: readonly string[], width: number): readonly string[] {
  let left = width;
  let count = 0;
  for (const letter of letters) {
    left -= widthOf(letter);
    if (left < 0) break;
    count += 1;
  }
  return letters.slice(0, count);
}

/** `text` with blanks behind it, as wide as `width` columns. */
export function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}
