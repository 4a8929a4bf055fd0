import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RangeSet, cutUp } from "./ranges.ts";

const MOST = 60;
const range = fc
  .tuple(fc.nat(MOST), fc.nat(MOST))
  .map(([one, other]) => ({ start: Math.min(one, other), end: Math.max(one, other) }));

test("a set of ranges holds what a set of positions holds, and its gaps are the rest", () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 20 }), range, (added, { start, end }) => {
      const [ranges, positions] = [new RangeSet(), new Set<number>()];
      for (const one of added) {
        const before = positions.size;
        for (let at = one.start; at < one.end; at += 1) positions.add(at);
        assert.equal(ranges.add(one.start, one.end), positions.size - before);
        assert.equal(ranges.total, positions.size);
      }
      const missing = new Set<number>();
      for (const gap of ranges.gaps(start, end)) {
        assert.ok(gap.start < gap.end);
        for (let at = gap.start; at < gap.end; at += 1) missing.add(at);
      }
      for (let at = 0; at <= MOST; at += 1) {
        assert.equal(missing.has(at), at >= start && at < end && !positions.has(at));
      }
      for (const [at, one] of ranges.ranges.entries()) {
        const next = ranges.ranges[at + 1];
        assert.ok(one.start < one.end && (next === undefined || one.end < next.start));
      }
    }),
  );
});

test("pieces cover what they were cut from, in order, and are about as many as were asked for", () => {
  fc.assert(
    fc.property(
      fc.array(range, { maxLength: 6 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 20 }),
      (given, pieces, least) => {
        const whole = new RangeSet();
        for (const { start, end } of given) whole.add(start, end);
        const cut = cutUp(whole.ranges, { pieces, least });
        const again = new RangeSet();
        for (const { start, end } of cut) assert.equal(again.add(start, end), end - start);
        assert.deepEqual(again.ranges, whole.ranges);
        assert.ok(cut.length <= pieces + 2 * whole.ranges.length);
      },
    ),
  );
});

const cut = (size: number, pieces: number): number[] =>
  cutUp([{ start: 0, end: size }], { pieces, least: 10 }).map(({ start, end }) => end - start);

test("a file is cut into equal pieces, none of which is too short", () => {
  assert.deepEqual(cut(100, 4), [25, 25, 25, 25]);
  assert.deepEqual(cut(25, 9), [9, 9, 7]);
  assert.deepEqual(cut(5, 9), [5]);
});
