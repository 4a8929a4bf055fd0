import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { WorkQueue } from "./work-queue.ts";

test("related paths keep their order, others run beside each other", async () => {
  const queue = new WorkQueue(3);
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const add = async (path: string, wait?: Promise<void>): Promise<void> =>
    await queue.add(path, async () => {
      log.push(`+${path}`);
      await wait;
      log.push(`-${path}`);
    });
  await add("a", gate.promise);
  await add("a/b");
  await add("ab");
  await turn();
  assert.deepEqual(log, ["+a", "+ab", "-ab"]);
  gate.resolve();
  await queue.idle();
  assert.deepEqual(log, ["+a", "+ab", "-ab", "-a", "+a/b", "-a/b"]);
});

test("no more run than may", async () => {
  const queue = new WorkQueue(2);
  let running = 0;
  let most = 0;
  for (let at = 0; at < 20; at++) {
    await queue.add(`f${at}`, async () => {
      most = Math.max(most, ++running);
      await turn();
      running -= 1;
    });
  }
  await queue.idle();
  assert.equal(most, 2);
});
