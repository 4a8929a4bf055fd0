/** Times as calendar dates in UTC, for listings and facts: hot paths, so each day is worked out once. */
import { DAY_CACHE } from "./limits.ts";

const DAY_MS = 86_400_000;
/** 0001-01-01 and the last millisecond of 9999: four digits hold no other year (RFC 3659 §2.3). */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = 253_402_300_799_999;

export type CalendarDay = {
  /** 1 to 9999. */
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
  /** `20240131`. */
  readonly compact: string;
  /** `Jan 31`, as ls writes it; `Jan  3`. */
  readonly short: string;
};
export type CalendarTime = {
  readonly date: CalendarDay;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly milliseconds: number;
};

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;
const days = new Map<number, CalendarDay>();

/** @param ms since 1970 UTC; what lies outside of the years 1 to 9999 counts as the nearest time within, NaN as 0. */
export function calendarTime(ms: number): CalendarTime {
  const time = clampedTime(ms);
  const dayNumber = Math.floor(time / DAY_MS);
  const rest = time - dayNumber * DAY_MS;
  return {
    date: calendarDay(dayNumber),
    hours: Math.floor(rest / 3_600_000),
    minutes: Math.floor(rest / 60_000) % 60,
    seconds: Math.floor(rest / 1000) % 60,
    milliseconds: rest % 1000,
  };
}

/** The nearest whole millisecond that a date of four digits can tell; NaN counts as 0. */
export function clampedTime(ms: number): number {
  return Number.isNaN(ms) ? 0 : Math.floor(Math.min(Math.max(ms, FIRST_MS), LAST_MS));
}

/** `7` as `07`. */
export function twoDigits(number: number): string {
  return number < 10 ? `0${number}` : `${number}`;
}

function calendarDay(dayNumber: number): CalendarDay {
  const known = days.get(dayNumber);
  if (known !== undefined) return known;
  const date = new Date(dayNumber * DAY_MS);
  const found: CalendarDay = {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    compact: date.toISOString().slice(0, 10).replaceAll("-", ""),
    short: `${MONTHS[date.getUTCMonth()]} ${`${date.getUTCDate()}`.padStart(2)}`,
  };
  if (days.size >= DAY_CACHE) days.clear();
  days.set(dayNumber, found);
  return found;
}
