import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Pace } from "./pace.ts";

/** A host whose calls take so many milliseconds each; tells where each call was done, and how many at once elsewhere. */
function fakeHost(milliseconds: () => number) {
  const seen: ("now" | "elsewhere")[] = [];
  const host = { seen, most: 0 };
  let under = 0;
  const calls = (count: number) => ({
    count,
    now: (index: number) => {
      assert.equal(seen[index], undefined);
      seen[index] = "now";
      for (const end = performance.now() + milliseconds(); performance.now() < end;);
    },
    elsewhere: async (index: number) => {
      assert.equal(seen[index], undefined);
      seen[index] = "elsewhere";
      host.most = Math.max(host.most, ++under);
      await delay(milliseconds());
      under--;
    },
  });
  return { host, calls, countOf: (where: string) => seen.filter((each) => each === where).length };
}

test("fast calls are done at once, all of them", async () => {
  const { calls, countOf } = fakeHost(() => 0);
  await new Pace().run(calls(128));
  assert.equal(countOf("now") + countOf("elsewhere"), 128);
  assert.ok(countOf("now") >= 64, "all but what a busy machine may disturb");
});

test("a slow host holds the loop for six calls and no more, in this batch and the next", async () => {
  const { host, calls, countOf } = fakeHost(() => 2);
  const pace = new Pace();
  await pace.run(calls(30));
  assert.equal(countOf("now"), 6);
  assert.equal(countOf("elsewhere"), 24);
  assert.equal(host.most, 2, "lanes");
  host.seen.length = 0;
  await pace.run(calls(10));
  assert.equal(countOf("elsewhere"), 10);
});

test("a host that is fast again is called at once again", async () => {
  let slow = true;
  const { host, calls, countOf } = fakeHost(() => (slow ? 2 : 0));
  const pace = new Pace();
  await pace.run(calls(12));
  slow = false;
  const quick = { count: 1000, now: () => {}, elsewhere: async () => {} };
  await pace.run(quick);
  host.seen.length = 0;
  await pace.run(calls(4));
  assert.equal(countOf("now"), 4);
});

test("a call that fails ends the batch when no other is on its way", async () => {
  const pace = new Pace();
  let under = 0;
  const slow = {
    count: 10,
    now: () => {
      for (const end = performance.now() + 1; performance.now() < end;);
    },
    elsewhere: async (index: number) => {
      under++;
      await delay(index % 2);
      under--;
      if (index === 7) throw new Error("gone wrong");
    },
  };
  await assert.rejects(pace.run(slow), /gone wrong/);
  assert.equal(under, 0);
  const failing = {
    ...slow,
    now: () => {
      throw new Error("at once");
    },
  };
  await assert.rejects(new Pace().run(failing), /at once/);
});
