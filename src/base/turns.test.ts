/** Turns: how many run, in which order, and that a failure hands its place on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

test("so many at once, the others in order, the rest not at all", async () => {
  const turns = new Turns({ atOnce: 2, waiting: 3 });
  const started: number[] = [];
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const works = gates.map(async (gate, index) => {
    await turns.run(async () => {
      started.push(index);
      await gate.promise;
      if (index === 0) throw new Error("broken");
    });
  });
  const ended = Promise.allSettled(works);
  assert.equal(
    turns.run(async () => {}),
    undefined,
  );
  assert.deepEqual(started, [0, 1]);
  gates[0]?.resolve();
  await works[0]?.catch(() => {});
  await new Promise(setImmediate);
  assert.deepEqual(started, [0, 1, 2]);
  for (const gate of gates) gate.resolve();
  const results = await ended;
  assert.deepEqual(started, [0, 1, 2, 3, 4]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["rejected", "fulfilled", "fulfilled", "fulfilled", "fulfilled"],
  );
  assert.equal(await turns.run(async () => "again"), "again");
});
