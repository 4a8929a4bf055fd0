import assert from "node:assert/strict";
import { test } from "node:test";
import { LoopGuard } from "./loop-guard.ts";

test("work that was slow once is sent elsewhere for a while, also when it failed", () => {
  let now = 0;
  const guard = new LoopGuard({ mostMs: 20, restMs: 1_000, now: () => now });
  const takes = (milliseconds: number) => () => {
    now += milliseconds;
    return milliseconds;
  };
  assert.equal(guard.try(takes(20)), 20);
  assert.equal(guard.try(takes(21)), 21);
  assert.equal(guard.try(takes(1)), undefined);
  now += 1_000;
  assert.equal(guard.try(takes(1)), 1);
  assert.throws(() =>
    guard.try(() => {
      now += 50;
      throw new Error("disk full");
    }),
  );
  assert.equal(guard.try(takes(1)), undefined);
});
