/** Workers that wait for their broker: taken once, only while they live, and gone with it when nobody took them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { availableParallelism, tmpdir } from "node:os";
import { test } from "node:test";
import { WaitingWorkers, startedFirst } from "./worker-process.ts";

const TERMS = { user: undefined, roots: [{ path: tmpdir(), access: "read" }] } as const;

test("a processor stays the broker's, and one worker starts in any case", () => {
  assert.equal(startedFirst(1), 1);
  assert.equal(startedFirst(64), Math.max(1, Math.min(64, availableParallelism() - 1)));
});

test("what a worker says before anybody listens is heard by who takes it", async () => {
  using waiting = new WaitingWorkers(1, TERMS);
  const child = waiting.take();
  assert.ok(child);
  assert.equal(waiting.take(), undefined);
  const [message]: unknown[] = await once(child, "message");
  assert.deepEqual(message, { t: "ready" });
  child.send({ t: "drain" });
  assert.deepEqual(await once(child, "exit"), [0, null]);
});

test("one that has ended is not given to anybody, and those that nobody took end", async () => {
  const waiting = new WaitingWorkers(2, TERMS);
  const first = waiting.take();
  assert.ok(first);
  waiting[Symbol.dispose]();
  assert.equal(waiting.take(), undefined);
  first.kill("SIGKILL");
  assert.deepEqual(await once(first, "exit"), [null, "SIGKILL"]);
});

test("a folder that is not there is left out", async () => {
  using waiting = new WaitingWorkers(1, { user: undefined, roots: [{ path: "/no/such/folder", access: "read" }] });
  const child = waiting.take();
  assert.ok(child);
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
});
