import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { FtpError } from "../errors.ts";
import { Crew } from "./crew.ts";

test("work that makes further work is all done, so many pieces at a time", async () => {
  const crew = new Crew({ atOnce: 3, most: 10_000, signal: undefined });
  let [running, highest, done] = [0, 0, 0];
  const split = (left: number): void =>
    crew.add(async () => {
      running += 1;
      highest = Math.max(highest, running);
      await turn();
      const children = left === 0 ? 0 : 3;
      for (let child = 0; child < children; child += 1) split(left - 1);
      running -= 1;
      done += 1;
    });
  split(7);
  await crew.done();
  assert.deepEqual([running, highest, done], [0, 3, (3 ** 8 - 1) / 2]);
});

test("nothing to do is done; what comes between two pieces is not forgotten", async () => {
  await new Crew({ atOnce: 1, most: 1, signal: undefined }).done();
  const crew = new Crew({ atOnce: 2, most: 10, signal: undefined });
  let done = 0;
  for (let round = 0; round < 3; round += 1) {
    crew.add(async () => {
      done += 1;
      return await Promise.resolve();
    });
    await turn();
  }
  await crew.done();
  assert.equal(done, 3);
});

test("a fault ends it once those under way have ended, and so does a signal", async () => {
  const crew = new Crew({ atOnce: 2, most: 10, signal: undefined });
  const ended: string[] = [];
  crew.add(async () => {
    await turn();
    throw new Error("no");
  });
  crew.add(async () => {
    for (let round = 0; round < 5; round += 1) await turn();
    ended.push("slow");
  });
  crew.add(async () => {
    ended.push("never");
    return await Promise.resolve();
  });
  await assert.rejects(crew.done(), /no/);
  assert.deepEqual(ended, ["slow"]);
  const stopped = new Crew({ atOnce: 1, most: 10, signal: AbortSignal.abort(new Error("enough")) });
  stopped.add(async () => await Promise.reject(new Error("it was begun")));
  await assert.rejects(stopped.done(), /enough/);
});

test("the queue has an end", () => {
  const crew = new Crew({ atOnce: 1, most: 2, signal: undefined });
  for (let count = 0; count < 3; count += 1) crew.add(async () => await turn());
  assert.throws(
    () => crew.add(async () => await turn()),
    (error) => error instanceof FtpError && error.code === "LIMIT",
  );
});
