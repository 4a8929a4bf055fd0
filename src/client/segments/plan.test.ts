import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SEGMENT_LEAST, STUCK_MS } from "./limits.ts";
import { SegmentPlan, TAKEN_OVER } from "./plan.ts";
import { RangeSet } from "./ranges.ts";

const MEBIBYTE = 1_048_576;

test("whoever works, fails, is slow or stuck: in the end every octet has come", () => {
  const step = fc.record({
    who: fc.nat(3),
    octets: fc.nat(3 * MEBIBYTE),
    fails: fc.boolean(),
    ms: fc.nat(2 * STUCK_MS),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 8 }), (steps, pieces) => {
      let now = 0;
      const size = 16 * SEGMENT_LEAST + 7;
      const plan = new SegmentPlan({ size, done: new RangeSet(), pieces, now: () => now });
      const held = new Map<number, ReturnType<SegmentPlan["take"]>>();
      const work = (who: number, octets: number, fails: boolean): void => {
        const segment = held.get(who) ?? plan.take();
        if (segment === undefined) return;
        held.set(who, segment);
        const most = Math.max(segment.end - segment.at, 0);
        plan.wrote(segment, Math.min(octets, most));
        assert.ok(segment.at <= segment.end);
        if (segment.at < segment.end && !fails) return;
        plan.end(segment);
        held.delete(who);
      };
      for (const { who, octets, fails, ms } of steps) {
        now += ms;
        work(who, octets, fails);
      }
      for (const who of held.keys()) work(who, size, false);
      while (!plan.isDone) {
        assert.ok(plan.hasWork);
        work(0, size, false);
      }
      assert.deepEqual(plan.done.ranges, [{ start: 0, end: size }]);
      assert.equal(plan.running.length, 0);
    }),
  );
});

test("a connection without work takes over half of what the slowest one has left", () => {
  let now = 0;
  const size = 8 * MEBIBYTE;
  const plan = new SegmentPlan({ size, done: new RangeSet(), pieces: 2, now: () => now });
  const [slow, fast] = [plan.take(), plan.take()];
  assert.ok(slow !== undefined && fast !== undefined);
  now = 2_000;
  plan.wrote(slow, MEBIBYTE);
  plan.wrote(fast, 4 * MEBIBYTE);
  plan.end(fast);
  const taken = plan.take();
  assert.deepEqual([taken?.start, taken?.end, slow.end], [2.5 * MEBIBYTE, 4 * MEBIBYTE, 2.5 * MEBIBYTE]);
  assert.equal(slow.stop.aborted, false);
});

test("what is nearly done is left to the one who does it", () => {
  let now = 0;
  const plan = new SegmentPlan({ size: 4 * MEBIBYTE, done: new RangeSet(), pieces: 1, now: () => now });
  const only = plan.take();
  assert.ok(only !== undefined);
  now = 1_000;
  plan.wrote(only, 3 * MEBIBYTE);
  assert.equal(plan.hasWork, false);
  assert.equal(plan.take(), undefined);
});

test("all of it is taken from a connection that has stopped", () => {
  let now = 0;
  const plan = new SegmentPlan({ size: 2 * MEBIBYTE, done: new RangeSet(), pieces: 1, now: () => now });
  const stuck = plan.take();
  assert.ok(stuck !== undefined);
  plan.wrote(stuck, 2 * MEBIBYTE - 5);
  now = STUCK_MS;
  const taken = plan.take();
  assert.deepEqual([taken?.start, taken?.end], [2 * MEBIBYTE - 5, 2 * MEBIBYTE]);
  assert.equal(stuck.stop.reason, TAKEN_OVER);
  plan.end(stuck);
  assert.equal(plan.hasWork, false);
});

test("what was there before is not asked for again", () => {
  const done = new RangeSet();
  done.add(0, 3 * MEBIBYTE);
  done.add(4 * MEBIBYTE, 5 * MEBIBYTE);
  const plan = new SegmentPlan({ size: 5 * MEBIBYTE, done, pieces: 4 });
  const only = plan.take();
  assert.deepEqual([only?.start, only?.end], [3 * MEBIBYTE, 4 * MEBIBYTE]);
  assert.equal(plan.take(), undefined);
});
