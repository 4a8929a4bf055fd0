/** The passive ports of workers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { passiveSlice } from "./passive-slice.ts";

test("large ranges are parted without gaps and overlaps; small ones are shared, and said to be", () => {
  const range = fc.tuple(fc.integer({ min: 1_024, max: 65_535 }), fc.integer({ min: 1_024, max: 65_535 }));
  fc.assert(
    fc.property(range, fc.integer({ min: 1, max: 64 }), ([one, other], workers) => {
      const [first, last] = [Math.min(one, other), Math.max(one, other)];
      const parts = Array.from({ length: workers }, (_, index) => passiveSlice({ first, last }, { index, workers }));
      if (last - first + 1 < 64 * workers) {
        for (const part of parts) assert.deepEqual(part, { range: { first, last }, isShared: workers > 1 });
        return;
      }
      let next = first;
      for (const part of parts) {
        assert.equal(part.isShared, false);
        assert.equal(part.range.first, next);
        next = part.range.last + 1;
      }
      assert.equal(next, last + 1);
    }),
  );
});
