/** Dates and times as listings write them. Nobody tells their order or their zone: they are read as if in UTC. */
import type { ListedTime, ListingState } from "./entry.ts";
import { monthOf } from "./months.ts";
import { type Word, textAt } from "./words.ts";

type Day = { readonly year: number; readonly month: number; readonly day: number };
/** The time since midnight, and what it was told in. */
type Clock = { readonly ms: number; readonly precision: "second" | "minute" };
export type FoundDate = {
  /** undefined: it is a date, but one that no calendar has, such as the 29th of February of 2023. */
  readonly time: ListedTime | undefined;
  /** The word after the date. */
  readonly next: number;
  /** Spaces that belong to the date, beside the one that ends it: some dates fill up their column. */
  readonly gap: number;
};

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Octets of a word beyond which it is no part of a date. */
const LONGEST = 32;

/** `12:34`, `12:34:56`, `12:34:56.78`, `18.53`, `7:23a`, `12:09PM`. @param meridiem `AM` or `PM` of a word of its own. */
export function clockOf(word: string, meridiem = ""): Clock | undefined {
  if (word.length > LONGEST) return undefined;
  const found = /^(\d{1,2})[:.](\d\d)(?:[:.](\d\d)(?:[.,]\d{1,9})?)?(?:([ap])\.?(?:m\.?)?)?$/i.exec(word);
  if (found === null) return undefined;
  const [, hourText, minutes, seconds, own = meridiem.charAt(0)] = found;
  const hours = hourOf(Number(hourText), own.toLowerCase());
  if (hours > 23 || Number(minutes) > 59 || Number(seconds ?? 0) > 60) return undefined;
  const ms = (hours * 60 + Number(minutes)) * MINUTE_MS + Number(seconds ?? 0) * 1000;
  return { ms, precision: seconds === undefined ? "minute" : "second" };
}

/** @returns 24 for an hour that no such clock shows. */
function hourOf(hour: number, half: string): number {
  if (half === "") return hour;
  if (hour < 1 || hour > 12) return 24;
  return (hour % 12) + (half === "p" ? 12 : 0);
}

/**
 * A date in one word: `2024-01-31`, `2024/1/31`, `31.01.2024`, `01-31-24`, `01/31/2024`, `31-JAN-2024`, `Feb-28-1998`.
 * A number above 31 is the year, one above 12 no month. Else `.` stands between day, month and year, `-` and `/` mostly
 * between month, day and year.
 * @param state.isDayFirst is set when a date with `/` proves it, and then used.
 */
export function shortDate(word: string, state: Pick<ListingState, "isDayFirst">): Day | undefined {
  if (word.length > LONGEST) return undefined;
  const [, first, mark = "", second = "", third = ""] = NUMBERED.exec(word) ?? [];
  if (first === undefined) return namedShortDate(word);
  if (first.length > 2 || Number(first) > 31) return checkedDay(yearOf(first), Number(second), Number(third));
  const isProof = mark === "/" && Number(first) > 12;
  if (isProof) state.isDayFirst = true;
  const isDayFirst = mark === "." || Number(first) > 12 || (mark === "/" && state.isDayFirst);
  const [month, day] = isDayFirst ? [second, first] : [first, second];
  return checkedDay(yearOf(third), Number(month), Number(day));
}

const NUMBERED = /^(\d{1,4})([-/.,])(\d{1,2})\2(\d{2,4})$/;

/** `31-JAN-2024`, `6-Apr-07`, `Feb-28-1998`. */
function namedShortDate(word: string): Day | undefined {
  const [, first = "", second = "", year = ""] = /^(\w{1,3})-(\w{1,3})-(\d{2,4})$/.exec(word) ?? [];
  const isMonthFirst = /^\d/.test(second);
  const month = monthOf(isMonthFirst ? first : second);
  return month === undefined ? undefined : checkedDay(yearOf(year), month, Number(isMonthFirst ? second : first));
}

/** Two digits are of 1970 to 2069; three count from 1900, as some programs did from 2000 on. */
function yearOf(text: string): number {
  const year = Number(text);
  if (text.length > 3) return year;
  if (text.length === 3) return year + 1900;
  return year + (year < 70 ? 2000 : 1900);
}

function checkedDay(year: number, month: number, day: number): Day | undefined {
  return midnight({ year, month, day }) === undefined ? undefined : { year, month, day };
}

/** @returns undefined for days that are in no calendar. */
function midnight({ year, month, day }: Day): number | undefined {
  if (year < 1900 || year > 9999 || month < 1 || month > 12 || day < 1) return undefined;
  const ms = Date.UTC(year, month - 1, day);
  return new Date(ms).getUTCDate() === day ? ms : undefined;
}

/** A time of the server's clock. @returns undefined for days that are in no calendar. */
export function serverTime(day: Day, clock?: Clock): ListedTime | undefined {
  const ms = midnight(day);
  if (ms === undefined) return undefined;
  return { ms: ms + (clock?.ms ?? 0), precision: clock?.precision ?? "day", zone: "server" };
}

/** As `shortDate` and `clockOf` of two words. A time of day must be there. */
export function shortTime(date: string, time: string, state: Pick<ListingState, "isDayFirst">): ListedTime | undefined {
  const day = shortDate(date, state);
  const clock = clockOf(time);
  return day === undefined || clock === undefined ? undefined : serverTime(day, clock);
}

/** The latest such day and time that is at most 24 hours ahead: clocks and zones differ by up to that. */
function guessedTime(
  month: number,
  day: number,
  { clock, now }: { readonly clock: Clock; readonly now: number },
): ListedTime | undefined {
  const thisYear = new Date(now).getUTCFullYear();
  // 29 February may be eight years back, around a year such as 1900.
  for (let year = thisYear + 1; year > thisYear - 9; year--) {
    const time = serverTime({ year, month, day }, clock);
    if (time !== undefined && time.ms <= now + DAY_MS) return time;
  }
  return undefined;
}

/** The date that begins at `at` in a line of `ls`, in any of its forms. */
export function unixDate(words: readonly Word[], at: number, now: number): FoundDate | undefined {
  const first = textAt(words, at);
  if (first.length > LONGEST) return undefined;
  if (/^(?:mon|tue|wed|thu|fri|sat|sun)$/i.test(first)) return namedDate(words, at + 1, now);
  return namedDate(words, at, now) ?? numberedDate(words, at, now) ?? countedDate(words, at, now);
}

/** `Jan 31 12:34`, `Jan 31  2024`, `31 Jan 12:34`, `31. Jan 2024`, `Jan 31 12:34:56 2024`, `Jan 31, 2024 12:34`. */
function namedDate(words: readonly Word[], at: number, now: number): FoundDate | undefined {
  const [first, second, third] = [textAt(words, at), textAt(words, at + 1), textAt(words, at + 2)];
  const clock = clockOf(third);
  const [, year] = YEAR.exec(third) ?? [];
  // Most words of a line are no month: they are looked up only where the rest of a date stands behind them.
  if (clock === undefined && year === undefined) return undefined;
  const monthFirst = dayOf(second) === undefined ? undefined : monthOf(first);
  const dayText = monthFirst === undefined ? first : second;
  const day = dayOf(dayText);
  if (day === undefined || day < 1 || day > 31) return undefined;
  const month = monthFirst ?? monthOf(second);
  if (month === undefined) return undefined;
  const fourth = textAt(words, at + 3);
  if (clock !== undefined) {
    // `ls -lT` of BSD tells seconds and the year.
    const isWhole = clock.precision === "second" && /^[12]\d{3}$/.test(fourth) && words.length > at + 4;
    if (isWhole) return { time: serverTime({ year: Number(fourth), month, day }, clock), next: at + 4, gap: 0 };
    return { time: guessedTime(month, day, { clock, now }), next: at + 3, gap: 0 };
  }
  // Behind a comma the year is not in place of the time, which follows (VShell).
  const later = dayText.endsWith(",") ? clockOf(fourth) : undefined;
  const time = serverTime({ year: Number(year), month, day }, later);
  return { time, next: later === undefined ? at + 3 : at + 4, gap: 0 };
}

/** Four digits, with the one character for "year" behind them or without. */
const YEAR = /^(\d{4})(?:[\x80-\xff].{1,2})?$/s;

/** `31`, `31.`, `31,`, and with the one character for "day" behind it. */
function dayOf(word: string): number | undefined {
  const [, day] = /^(\d{1,2})(?:[.,]|[\x80-\xff].{1,2})?$/s.exec(word) ?? [];
  return day === undefined ? undefined : Number(day);
}

/**
 * Months as numbers, where they stand alone: `3 29 03:26`, and with the characters for year, month and day (the last two
 * stand together at some servers) `2005<year> 6<month>7<day>`, `2003 3<month> 20`.
 */
function countedDate(words: readonly Word[], at: number, now: number): FoundDate | undefined {
  const [first, second, third] = [textAt(words, at), textAt(words, at + 1), textAt(words, at + 2)];
  const clock = clockOf(third);
  if (clock !== undefined && /^\d{1,2}$/.test(first) && /^\d{1,2}$/.test(second)) {
    return foundDate(guessedTime(Number(first), Number(second), { clock, now }), at + 3);
  }
  const [, year] = YEAR.exec(first) ?? [];
  if (year === undefined) return undefined;
  const [, month, day] = TOGETHER.exec(second) ?? [];
  if (month !== undefined) {
    return foundDate(serverTime({ year: Number(year), month: Number(month), day: Number(day) }), at + 2);
  }
  // A size may look like a year: then a time or a year stands behind what follows it.
  const isSize = clockOf(textAt(words, at + 3)) !== undefined || YEAR.test(textAt(words, at + 3));
  const counted = isSize || /^\D/.test(second) ? undefined : monthOf(second);
  const dayAlone = dayOf(third);
  if (counted === undefined || dayAlone === undefined) return undefined;
  return foundDate(serverTime({ year: Number(year), month: counted, day: dayAlone }), at + 3);
}

/** `6<month>7<day>`, each character of two or three octets. */
const TOGETHER = /^(\d{1,2})[\x80-\xff][^\d]{1,2}(\d{1,2})[\x80-\xff].{1,2}$/s;

/**
 * `2024-01-31 12:34`, with seconds and zone of `--time-style=full-iso`, `31.01.2024 12:34`; of `--time-style=iso`
 * `01-31 12:34` and `2024-01-31 `, which is as wide; `01-31 2024`.
 */
function numberedDate(words: readonly Word[], at: number, now: number): FoundDate | undefined {
  const text = textAt(words, at);
  if (!/^\d\S{4}/.test(text)) return undefined;
  const clock = clockOf(textAt(words, at + 1));
  const [, month, dayOfMonth] = /^(\d\d)-(\d\d)$/.exec(text) ?? [];
  if (month !== undefined) {
    if (clock === undefined) {
      const [, year] = /^([12]\d{3})$/.exec(textAt(words, at + 1)) ?? [];
      const before = { year: Number(year), month: Number(month), day: Number(dayOfMonth) };
      return year === undefined ? undefined : foundDate(serverTime(before), at + 2);
    }
    return foundDate(guessedTime(Number(month), Number(dayOfMonth), { clock, now }), at + 2);
  }
  const day = shortDate(text, { isDayFirst: false });
  if (day === undefined) return undefined;
  if (clock === undefined) return /^\d{4}-/.test(text) ? filledDate(words, at, serverTime(day)) : undefined;
  const time = serverTime(day, clock);
  const zone = /^([-+])([01]\d)([0-5]\d)$/.exec(textAt(words, at + 2));
  if (time === undefined || zone === null) return foundDate(time, at + 2);
  const ahead = (Number(zone[2]) * 60 + Number(zone[3])) * (zone[1] === "-" ? -1 : 1);
  return foundDate({ ...time, ms: time.ms - ahead * MINUTE_MS, zone: "utc" }, at + 3);
}

/** A date that a second space fills up. A name that begins with a space is rarer than `ls` in this style. */
function filledDate(words: readonly Word[], at: number, time: ListedTime | undefined): FoundDate | undefined {
  const [date, next] = [words[at], words[at + 1]];
  if (time === undefined || date === undefined || next === undefined) return undefined;
  return { time, next: at + 1, gap: next.start - date.end > 1 ? 1 : 0 };
}

function foundDate(time: ListedTime | undefined, next: number): FoundDate | undefined {
  return time === undefined ? undefined : { time, next, gap: 0 };
}
