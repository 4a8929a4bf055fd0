/** Sizes and durations: what people write comes back as what it means. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { durationSeconds, octets } from "./unit-schemas.ts";
import { formatDuration, formatOctets, parseDuration, parseOctets } from "./units.ts";

test("durations as people write them", () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ["90", 90],
    ["90s", 90],
    ["10m", 600],
    ["1h30m", 5_400],
    ["2d", 172_800],
    ["1w", 604_800],
    ["0s", 0],
    ["", undefined],
    ["m", undefined],
    ["-5s", undefined],
    ["1.5h", undefined],
    ["10 m", undefined],
    ["1e3", undefined],
    ["999999999999w", undefined],
  ];
  for (const [text, seconds] of cases) assert.equal(parseDuration(text), seconds, text);
});

test("sizes as people write them", () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ["512", 512],
    ["1kB", 1_000],
    ["1KiB", 1_024],
    ["2MiB", 2_097_152],
    ["1.5 GB", 1_500_000_000],
    ["1tib", 2 ** 40],
    ["", undefined],
    ["2M", undefined],
    ["-1", undefined],
    ["0x10", undefined],
    ["9999999999999999TiB", undefined],
  ];
  for (const [text, size] of cases) assert.equal(parseOctets(text), size, text);
});

test("what is printed reads back as the same number", () => {
  const number = fc.nat({ max: Number.MAX_SAFE_INTEGER });
  fc.assert(fc.property(fc.nat(), (seconds) => parseDuration(formatDuration(seconds)) === seconds));
  fc.assert(fc.property(number, (size) => parseOctets(formatOctets(size)) === size));
});

test("the schemas take numbers and text, keep the bounds, and say what they want", () => {
  assert.equal(durationSeconds({ max: 600 }).parse("10m"), 600);
  assert.equal(octets({ max: 4_096 }).parse(4_096), 4_096);
  const late = durationSeconds({ min: 1, max: 600 }).safeParse("11m");
  assert.match(late.error?.message ?? "", /<=600/);
  const odd = octets({ max: 10 }).safeParse("many");
  assert.match(odd.error?.message ?? "", /a size like/);
});
