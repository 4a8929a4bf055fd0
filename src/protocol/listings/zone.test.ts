import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ZonePair, zoneMinutes } from "./zone.ts";

const UTC = Date.UTC(2024, 0, 31, 12, 34, 56);

function pair(minutes: number, precision: "second" | "minute" | "day" = "minute", utc = UTC): ZonePair {
  const local = utc + minutes * 60_000;
  const ms = precision === "minute" ? Math.floor(local / 60_000) * 60_000 : local;
  return { listed: { ms, precision, zone: "server" }, utc };
}

test("every zone in use is found again, with minutes and with seconds", () => {
  const zones = fc.integer({ min: -56, max: 56 }).map((steps) => steps * 15);
  const time = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000);
  fc.assert(
    fc.property(zones, time, fc.constantFrom("second", "minute"), (minutes, utc, precision) => {
      assert.equal(zoneMinutes([pair(minutes, precision, utc)]), minutes);
    }),
  );
});

test("what fits no zone is refused", () => {
  assert.equal(zoneMinutes([]), undefined);
  assert.equal(zoneMinutes([pair(14 * 60 + 15)]), undefined);
  assert.equal(zoneMinutes([pair(-15 * 60)]), undefined);
  assert.equal(zoneMinutes([pair(7)]), undefined, "no multiple of 15 minutes");
  assert.equal(zoneMinutes([pair(60, "second", UTC), pair(67, "second")]), 60);
  assert.equal(
    zoneMinutes([{ listed: { ms: UTC + 30_000, precision: "second", zone: "server" }, utc: UTC }]),
    undefined,
  );
  assert.equal(zoneMinutes([pair(60, "day")]), undefined, "a day alone");
  assert.equal(
    zoneMinutes([{ listed: { ms: UTC, precision: "second", zone: "utc" }, utc: UTC }]),
    undefined,
    "no zone of the server",
  );
  assert.equal(zoneMinutes([pair(60, "minute", Number.NaN)]), undefined);
});

test("most pairs decide, and at a tie the latest file", () => {
  const later = UTC + 1_000_000;
  assert.equal(zoneMinutes([pair(60), pair(120), pair(60)]), 60);
  assert.equal(zoneMinutes([pair(60), pair(120, "minute", later)]), 120);
  assert.equal(zoneMinutes([pair(60, "minute", later), pair(120)]), 60);
  assert.ok(Object.is(zoneMinutes([pair(0, "second")]), 0), "0, not -0");
});
