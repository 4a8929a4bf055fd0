import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { EntryTime } from "../types.ts";
import { type CompareTerms, differenceOf, isYounger, timesAgree } from "./compare.ts";

const THEN = Date.UTC(2024, 4, 6, 7, 8, 9);
const HOUR = 3_600_000;
const TERMS: CompareTerms = { by: "time+size", zoneTolerance: false, keepsTimes: true };

function at(ms: number, precision: EntryTime["precision"] = "second", zone: EntryTime["zone"] = "utc"): EntryTime {
  return { ms, precision, zone };
}

test("times are compared as precisely as the coarser one is known", () => {
  assert.ok(timesAgree(at(THEN), at(THEN + 999), false));
  assert.ok(!timesAgree(at(THEN), at(THEN + 1_000), false));
  const minute = Date.UTC(2024, 4, 6, 7, 8);
  assert.ok(timesAgree(at(THEN), at(minute, "minute"), false));
  assert.ok(timesAgree(at(minute, "minute"), at(minute + 59_000), false));
  assert.ok(!timesAgree(at(minute, "minute"), at(minute + 60_000), false));
  const day = Date.UTC(2024, 4, 6);
  assert.ok(timesAgree(at(day, "day"), at(THEN), false));
  assert.ok(!timesAgree(at(day, "day"), at(day - 1), false));
  // The server's midnight is another.
  assert.ok(timesAgree(at(day, "day", "assumed"), at(day - 5 * HOUR), false));
  assert.ok(!timesAgree(at(day, "day", "assumed"), at(day - 25 * HOUR), false));
});

test("whole hours count only where the zone is known, or nobody tolerates them", () => {
  const shifted = at(Math.floor(THEN / 60_000) * 60_000 + 2 * HOUR, "minute", "assumed");
  assert.ok(!timesAgree(at(THEN), shifted, false));
  assert.ok(timesAgree(at(THEN), shifted, true));
  assert.ok(timesAgree(shifted, at(THEN), true));
  assert.ok(!timesAgree(at(THEN), at(THEN + 2 * HOUR), true));
  assert.ok(!timesAgree(at(THEN), { ...shifted, ms: shifted.ms + 30 * 60_000 }, true));
  assert.ok(!timesAgree(at(THEN), { ...shifted, ms: shifted.ms + 40 * HOUR }, true));
  const one = { size: 1, modified: at(THEN) };
  assert.equal(differenceOf(one, { size: 1, modified: shifted }, { ...TERMS, zoneTolerance: true }), undefined);
  assert.equal(differenceOf(one, { size: 2, modified: shifted }, { ...TERMS, zoneTolerance: true }), "size");
});

test("each way to compare", () => {
  const one = { size: 3, modified: at(THEN) };
  const older = { size: 3, modified: at(THEN - HOUR) };
  const younger = { size: 3, modified: at(THEN + HOUR) };
  const longer = { size: 4, modified: at(THEN + HOUR) };
  assert.equal(differenceOf(one, one, TERMS), undefined);
  assert.equal(differenceOf(one, older, TERMS), "time");
  assert.equal(differenceOf(one, younger, TERMS), "time");
  assert.equal(differenceOf(one, longer, TERMS), "size");
  assert.equal(differenceOf(one, older, { ...TERMS, by: "size" }), undefined);
  assert.equal(differenceOf(one, longer, { ...TERMS, by: "size" }), "size");
  assert.equal(differenceOf(one, older, { ...TERMS, by: "newer" }), "newer");
  assert.equal(differenceOf(one, longer, { ...TERMS, by: "newer" }), undefined);
  assert.equal(differenceOf(one, younger, { ...TERMS, keepsTimes: false }), undefined);
  assert.equal(differenceOf(one, older, { ...TERMS, keepsTimes: false }), "time");
});

test("what is not known is not compared, and what cannot be compared at all is copied", () => {
  const known = { size: 3, modified: at(THEN) };
  const none = { size: undefined, modified: undefined };
  assert.equal(differenceOf({ ...known, modified: undefined }, known, TERMS), undefined);
  assert.equal(differenceOf({ ...known, size: undefined }, known, TERMS), undefined);
  assert.equal(differenceOf(known, none, TERMS), "time");
  assert.equal(differenceOf(none, none, { ...TERMS, by: "size" }), "time");
  assert.equal(differenceOf(none, known, { ...TERMS, by: "newer" }), undefined);
});

const anyTime = fc.record({
  ms: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  precision: fc.constantFrom("second", "minute", "day"),
  zone: fc.constantFrom("utc", "assumed"),
});

test("a time agrees with itself told more coarsely, whichever comes first, and is not younger", () => {
  fc.assert(
    fc.property(anyTime, fc.boolean(), (time, hours) => {
      const minute = { ...time, ms: Math.floor(time.ms / 60_000) * 60_000, precision: "minute" } as const;
      assert.ok(timesAgree(time, time, hours));
      if (time.precision === "second") {
        assert.ok(timesAgree(time, minute, hours) && timesAgree(minute, time, hours));
        assert.ok(!isYounger(time, minute, hours));
      }
    }),
  );
});

test("agreement does not depend on the order", () => {
  fc.assert(
    fc.property(anyTime, anyTime, fc.boolean(), (one, other, hours) => {
      assert.equal(timesAgree(one, other, hours), timesAgree(other, one, hours));
    }),
  );
});
