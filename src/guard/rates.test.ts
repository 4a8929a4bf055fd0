import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRate, Rates } from "./rates.ts";
import { RecentMap } from "./recent-map.ts";

test("commands: a burst is free, then each is held back for as long as it came too early", () => {
  const rate = new CommandRate({ rate: 10, burst: 3 });
  const delays = [0, 0, 0, 0, 0, 100, 1_000].map((now) => {
    const verdict = rate.command(0, now);
    return verdict.ok ? verdict.delayMs : -1;
  });
  assert.deepEqual(delays, [0, 0, 0, 100, 200, 200, 0]);
});

test("commands: without a limit nothing is held back", () => {
  const rate = new CommandRate({ rate: undefined, burst: 1 });
  for (let count = 0; count < 1_000; count++) assert.deepEqual(rate.command(64, 0), { ok: true, delayMs: 0 });
});

test("commands: who waits for answers is slowed and never ended; who sends ahead for 30 s is", () => {
  const patient = new CommandRate({ rate: 10, burst: 1 });
  const flood = new CommandRate({ rate: 10, burst: 1 });
  let now = 0;
  let ended = 0;
  for (; now < 120_000 && ended === 0; now += 50) {
    assert.ok(patient.command(1, now).ok);
    if (!flood.command(60, now).ok) ended = now;
  }
  assert.ok(ended >= 30_000 && ended < 30_200, `${ended}`);
});

test("rates: what is refused takes nothing, and a clock that was set back gives nothing", () => {
  const rates = new Rates(2);
  const rate = { count: 2, per: 1_000 };
  rates.take("a", rate, 1_000);
  rates.take("a", rate, 1_000);
  for (let count = 0; count < 5; count++) assert.ok(!rates.has("a", rate, 1_000 + count));
  assert.ok(!rates.has("a", rate, 0));
  assert.ok(rates.has("a", rate, 1_500));
  rates.take("b", rate, 1_500);
  rates.take("c", rate, 1_500);
  assert.equal(rates.size, 2);
});

test("a map with a limit forgets what was touched longest ago", () => {
  const map = new RecentMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  assert.equal(map.set("c", 4), "b");
  assert.deepEqual(
    [...map.entries()],
    [
      ["a", 3],
      ["c", 4],
    ],
  );
});
