import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { FtpError } from "../errors.ts";
import { mirror } from "./mirror.ts";
import { TestClient } from "./test-client.ts";
import { TestTree } from "./test-tools.ts";
import type { Mirror, MirrorSpec } from "./types.ts";

function down(client: TestClient, tree: TestTree, more: Partial<MirrorSpec> = {}): Mirror {
  return mirror(client, { direction: "down", remote: "/pub", local: tree.root, delete: true, ...more });
}

test("what the source does not have goes after all copies, or before them", async () => {
  for (const [when, wanted] of [
    ["after", ["copy a", "delete-file gone/x", "delete-folder gone", "delete-file old"]],
    ["before", ["delete-file gone/x", "delete-folder gone", "delete-file old", "copy a"]],
  ] as const) {
    await using tree = await TestTree.make();
    const client = new TestClient();
    client.put("/pub/a", "a");
    await tree.put("gone/x", "x");
    await tree.put("old", "o");
    const events: string[] = [];
    await using plan = await down(client, tree, { delete: when }).plan();
    const steps = await Array.fromAsync(plan.steps);
    assert.deepEqual(steps.map(({ kind, path }) => `${kind} ${path}`).toSorted(), [...wanted].toSorted());
    const report = await down(client, tree, { delete: when }).run({
      onEvent: (event) => (event.kind === "done" || event.kind === "deleted") && events.push(event.kind),
    });
    assert.equal(report.deleted, 3);
    assert.equal(events.indexOf("done"), when === "after" ? 0 : 3);
    assert.deepEqual(await tree.paths(), ["a"]);
  }
});

test("without delete nothing goes", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/a", "a");
  await tree.put("old", "o");
  assert.equal((await down(client, tree, { delete: false }).run()).deleted, 0);
  assert.deepEqual(await tree.paths(), ["a", "old"]);
});

test("more than maxDelete: nothing extra goes, and the error says how many it would be", async () => {
  for (const when of ["after", "before"] as const) {
    await using tree = await TestTree.make();
    const client = new TestClient();
    client.put("/pub/a", "a");
    for (const name of ["x", "y", "z"]) await tree.put(name, name);
    const report = await down(client, tree, { delete: when, maxDelete: 2 }).run();
    assert.equal(report.stopped?.code, "LIMIT");
    assert.match(report.stopped?.message ?? "", /^3 .* 2 at most/);
    assert.equal(report.deleted, 0);
    assert.equal((await down(client, tree, { delete: when, maxDelete: 3 }).run()).deleted, 3);
  }
});

test("nothing goes when a folder of the source could not be listed", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/a", "a");
  client.put("/pub/closed/b", "b");
  await tree.put("old", "o");
  await tree.put("closed/b", "b");
  client.fail("list /pub/closed", "DENIED");
  const report = await down(client, tree).run();
  assert.deepEqual([report.copied, report.deleted, report.failures], [1, 0, 1]);
  assert.match(report.deletesHeld ?? "", /closed/);
  assert.deepEqual(await tree.paths(), ["a", "closed", "closed/b", "old"]);
  client.fail("list /pub/closed", "DENIED");
  const dry = await down(client, tree).run({ dryRun: true });
  assert.equal(dry.deleted, 0);
  assert.deepEqual((await down(client, tree).run()).deleted, 1);
});

test("nothing goes from a folder whose listing had lines that could not be read", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/a", "a");
  await tree.put("old", "o");
  client.oddLines = ["?r--r--r-- who knows"];
  const report = await down(client, tree).run();
  assert.equal(report.deleted, 0);
  assert.ok(report.warnings.some((warning) => warning.includes("nothing in it is deleted")));
});

test("an empty source does not empty the other side unless that is allowed", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.folder("/pub");
  await tree.put("precious", "p");
  await assert.rejects(
    down(client, tree).run(),
    (error) => error instanceof FtpError && error.code === "USAGE" && error.message.includes("allowEmpty"),
  );
  await assert.rejects(down(client, tree).plan(), FtpError);
  assert.deepEqual(await tree.paths(), ["precious"]);
  assert.equal((await down(client, tree, { allowEmpty: true }).run()).deleted, 1);
  // Nothing could be lost here.
  assert.equal((await down(client, tree).run()).failures, 0);
});

test("a source that is not there, or cannot be read, is an error and nothing goes", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  await tree.put("precious", "p");
  await assert.rejects(down(client, tree).run(), FtpError);
  client.folder("/pub");
  client.fail("list /pub", "DENIED");
  await assert.rejects(down(client, tree, { allowEmpty: true }).run(), FtpError);
  assert.deepEqual(await tree.paths(), ["precious"]);
});

test("what the filter leaves out is protected, with the folders above it", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/a", "a");
  client.put("/pub/notes.log", "theirs");
  await tree.put("gone/keep.log", "k");
  await tree.put("gone/x", "x");
  await tree.put("notes.log", "mine");
  await tree.put("big", "0123456789");
  const filter = { rules: [{ action: "exclude", glob: "*.log" }], maxSize: 5 } as const;
  assert.equal((await down(client, tree, { filter }).run()).deleted, 1);
  assert.deepEqual(await tree.paths(), ["a", "big", "gone", "gone/keep.log", "notes.log"]);
  assert.equal(await tree.text("notes.log"), "mine");
  const report = await down(client, tree, { filter, deleteExcluded: true }).run();
  assert.equal(report.deleted, 4);
  assert.deepEqual(await tree.paths(), ["a"]);
});

test("hidden names can be left alone", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/.theirs", "t");
  client.put("/pub/a", "a");
  await tree.put(".ours", "o");
  await down(client, tree, { hidden: false }).run();
  assert.deepEqual(await tree.paths(), [".ours", "a"]);
  await down(client, tree).run();
  assert.deepEqual(await tree.paths(), [".theirs", "a"]);
});

test("a file in the place of a folder and the other way about", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/one", "file");
  client.put("/pub/two/x", "x");
  await tree.put("one/old/deep", "d");
  await tree.put("two", "file");
  const kept = await down(client, tree, { delete: false }).run();
  assert.equal(kept.failed[0]?.error.code, "EXISTS");
  assert.deepEqual(await tree.paths(), ["one", "one/old", "one/old/deep", "two", "two/x"]);
  await tree.put("one/.keep", "k");
  const rules = [{ action: "exclude", glob: ".keep" }] as const;
  assert.equal((await down(client, tree, { filter: { rules } }).run()).failures, 1);
  assert.equal((await down(client, tree).run()).failures, 0);
  assert.deepEqual(await tree.paths(), ["one", "two", "two/x"]);
  assert.equal(await tree.text("one"), "file");
});

test("up: what is extra at the server goes, folders last", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  await tree.put("a", "a");
  client.put("/pub/x/y/z", "z");
  client.put("/pub/x/w", "w");
  client.link("/pub/x/l", "/etc");
  const spec = { direction: "up", remote: "/pub", local: tree.root, journal: false, delete: true } as const;
  const report = await mirror(client, spec).run({ parallel: 8 });
  assert.deepEqual([report.deleted, report.failures], [5, 0]);
  assert.deepEqual(client.paths(), ["/pub", "/pub/a"]);
});

test("empty folders can be left out", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/a/b/c.txt", "c");
  client.put("/pub/d/e/f.log", "f");
  client.folder("/pub/g");
  const rules = [{ action: "include", glob: "*.txt" }] as const;
  await down(client, tree, { emptyFolders: false, filter: { rules } }).run();
  assert.deepEqual(await tree.paths(), ["a", "a/b", "a/b/c.txt"]);
  await mkdir(join(tree.root, "h"));
  await down(client, tree, { depth: 0 }).run();
});
