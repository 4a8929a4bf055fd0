import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { mirror } from "./mirror.ts";
import { THEN, TestClient } from "./test-client.ts";
import { TestTree } from "./test-tools.ts";
import type { Mirror, MirrorSpec } from "./types.ts";

const MINUTE = 60_000;
const HOUR = 3_600_000;

function down(client: TestClient, tree: TestTree, more: Partial<MirrorSpec> = {}): Mirror {
  return mirror(client, { direction: "down", remote: "/pub", local: tree.root, ...more });
}

test("listings to the minute: files come once, with their exact time", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.precision = "minute";
  client.zone = "assumed";
  client.put("/pub/a", "a");
  assert.equal((await down(client, tree).run()).copied, 1);
  assert.equal(await tree.ms("a"), THEN);
  assert.equal((await down(client, tree).run()).same, 1);
  client.put("/pub/a", "b", { ms: THEN + MINUTE });
  assert.equal((await down(client, tree, { times: "listed" }).run()).replaced, 1);
  assert.equal(await tree.ms("a"), Math.floor((THEN + MINUTE) / MINUTE) * MINUTE);
});

test("listings to the day: a file comes once", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.precision = "day";
  client.put("/pub/a", "a");
  assert.equal((await down(client, tree, { times: "listed" }).run()).copied, 1);
  assert.equal((await down(client, tree, { times: "listed" }).run()).same, 1);
});

test("whole hours between assumed zones are let pass where that is asked for", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/a", "a", { ms: THEN + 2 * HOUR });
  await tree.put("a", "a");
  client.zone = "assumed";
  client.precision = "minute";
  assert.equal((await down(client, tree, { zoneTolerance: true }).run()).same, 1);
  assert.equal((await down(client, tree).run({ dryRun: true })).replaced, 1);
});

test("by size: times do not matter; newer: sizes do not", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/same", "abc", { ms: THEN + HOUR });
  client.put("/pub/longer", "abcd", { ms: THEN - HOUR });
  await tree.put("same", "xyz");
  await tree.put("longer", "xyz");
  assert.equal((await down(client, tree, { compare: "size" }).run({ dryRun: true })).replaced, 1);
  await using plan = await down(client, tree, { compare: "newer" }).plan();
  const [step, ...more] = await Array.fromAsync(plan.steps);
  assert.ok(step?.kind === "replace" && step.path === "same" && step.why === "newer");
  assert.deepEqual(more, []);
});

test("by hash: equal sizes and times do not hide a change, and equal content only gets its time", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/changed", "abc");
  client.put("/pub/same", "abc");
  client.put("/pub/time", "abc", { ms: THEN + HOUR });
  client.put("/pub/size", "abcd");
  for (const name of ["changed", "same", "time", "size"]) await tree.put(name, name === "changed" ? "xyz" : "abc");
  assert.equal((await down(client, tree).run({ dryRun: true })).replaced, 2);
  const report = await down(client, tree, { compare: "hash" }).run();
  assert.deepEqual([report.replaced, report.timesSet, report.same], [2, 1, 2]);
  assert.equal(await tree.text("changed"), "abc");
  assert.equal(await tree.ms("time"), THEN + HOUR);
  assert.ok(!client.calls.includes("hash /pub/size"));
});

test("by hash without digests: said once, then by size and time", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.hasHashes = false;
  for (const name of ["a", "b", "c"]) {
    client.put(`/pub/${name}`, "abc");
    await tree.put(name, "xyz");
  }
  const report = await down(client, tree, { compare: "hash" }).run();
  assert.equal(report.same, 3);
  assert.equal(report.warnings.length, 1);
});

test("a digest that is refused for one file is no end of the others", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  for (const name of ["a", "b"]) {
    client.put(`/pub/${name}`, "abc");
    await tree.put(name, "xyz");
  }
  client.fail("hash /pub/a", "DENIED");
  const report = await down(client, tree, { compare: "hash" }).run();
  assert.deepEqual([report.same, report.replaced, report.failures], [1, 1, 0]);
});

test("only what is missing, or only what is there", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/there", "newer", { ms: THEN + HOUR });
  client.put("/pub/missing", "m");
  client.put("/pub/folder/x", "x");
  await tree.put("there", "old");
  const missing = await down(client, tree, { only: "missing" }).run({ dryRun: true });
  assert.deepEqual([missing.copied, missing.replaced, missing.made], [2, 0, 1]);
  const existing = await down(client, tree, { only: "existing" }).run();
  assert.deepEqual([existing.copied, existing.replaced, existing.made], [0, 1, 0]);
});

test("times and modes can be left as they come", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/a", "a", { mode: 0o600 });
  await down(client, tree, { times: false, modes: false, compare: "size" }).run();
  assert.equal(await tree.mode("a"), 0o666 & ~process.umask());
  assert.ok((await tree.ms("a")) > THEN + HOUR);
});

test("steps run at the same time, and no more than asked for", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  for (let at = 0; at < 40; at++) client.put(`/pub/f${at % 3}/${at}`, "x");
  const report = await down(client, tree).run({ parallel: 5 });
  assert.deepEqual([report.copied, report.failures], [40, 0]);
  assert.equal(client.mostRunning, 5);
});

/** Digests that never come, until the call is ended. */
class SlowHashes extends TestClient {
  readonly asked = Promise.withResolvers<void>();
  #count = 0;

  override async hash(_path: string, { signal }: { signal?: AbortSignal } = {}): Promise<undefined> {
    if (++this.#count === 3) this.asked.resolve();
    await once(signal ?? new EventTarget(), "abort");
    signal?.throwIfAborted();
    return undefined;
  }
}

test("digests that are awaited end with the run", async () => {
  await using tree = await TestTree.make();
  const client = new SlowHashes();
  for (const name of ["a", "b", "c", "d", "e", "f"]) {
    client.put(`/pub/${name}`, "abc");
    await tree.put(name, "xyz");
  }
  const stop = new AbortController();
  const reason = new Error("enough");
  const run = down(client, tree, { compare: "hash" }).run({ signal: stop.signal });
  await client.asked.promise;
  stop.abort(reason);
  await assert.rejects(run, reason);
  // What nobody handles would end the test's process in the next turn.
  await turn();
});
