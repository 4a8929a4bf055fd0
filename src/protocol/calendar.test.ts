import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { calendarTime, twoDigits } from "./calendar.ts";
import { DAY_CACHE } from "./limits.ts";

/** As `Date` writes it: the other way to the same answer. */
function iso(ms: number): string {
  const { date, hours, minutes, seconds, milliseconds } = calendarTime(ms);
  const day = `${`${date.year}`.padStart(4, "0")}-${twoDigits(date.month)}-${twoDigits(date.day)}`;
  assert.equal(date.compact, day.replaceAll("-", ""));
  return `${day}T${twoDigits(hours)}:${twoDigits(minutes)}:${twoDigits(seconds)}.${`${milliseconds}`.padStart(3, "0")}Z`;
}

test("every time of the years 1 to 9999 is the date that Date gives", () => {
  const within = fc.date({
    min: new Date("0001-01-01T00:00:00Z"),
    max: new Date("9999-12-31T23:59:59.999Z"),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(within, (date) => iso(date.getTime()) === date.toISOString()),
    { numRuns: 2000 },
  );
});

test("other times are the nearest within, and what is no time is 1970", () => {
  for (const ms of [Number.POSITIVE_INFINITY, 8.64e15, 253_402_300_800_000])
    assert.equal(iso(ms), "9999-12-31T23:59:59.999Z");
  for (const ms of [Number.NEGATIVE_INFINITY, -8.64e15, -62_135_596_800_001])
    assert.equal(iso(ms), "0001-01-01T00:00:00.000Z");
  assert.equal(iso(Number.NaN), "1970-01-01T00:00:00.000Z");
  assert.equal(iso(1.75), "1970-01-01T00:00:00.001Z");
  assert.equal(iso(-0.5), "1969-12-31T23:59:59.999Z");
});

test("a day is remembered, but no more days than the limit", () => {
  const first = calendarTime(0).date;
  assert.equal(calendarTime(1).date, first, "the same day is the same value");
  for (let day = 1; day <= DAY_CACHE; day++) calendarTime(day * 86_400_000);
  assert.notEqual(calendarTime(0).date, first, "forgotten");
  assert.deepEqual(calendarTime(0).date, first);
});
