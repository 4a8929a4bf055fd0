import assert from "node:assert/strict";
import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Client } from "../types.ts";
import { mirror } from "./mirror.ts";
import { THEN, TestClient } from "./test-client.ts";
import { TestTree } from "./test-tools.ts";
import type { Mirror, MirrorSpec } from "./types.ts";

const LARGE = Buffer.alloc(400_000, "large file ");

function up(client: Client, tree: TestTree, more: Partial<MirrorSpec> = {}): Mirror {
  return mirror(client, {
    direction: "up",
    remote: "/pub",
    local: tree.root,
    journal: tree.beside("journal"),
    ...more,
  });
}

test("a new tree goes over with times and modes, and a second run has nothing to do", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  await tree.put("a.txt", "one");
  await tree.put("sub/deep/b.txt", "two", { mode: 0o600 });
  await tree.put("run.sh", "#!", { mode: 0o755 });
  const report = await up(client, tree).run();
  assert.deepEqual(client.paths(), [
    "/pub",
    "/pub/a.txt",
    "/pub/run.sh",
    "/pub/sub",
    "/pub/sub/deep",
    "/pub/sub/deep/b.txt",
  ]);
  assert.equal(client.text("/pub/sub/deep/b.txt"), "two");
  assert.equal(client.nodes.get("/pub/a.txt")?.ms, THEN);
  assert.equal(client.nodes.get("/pub/run.sh")?.mode, 0o755);
  assert.equal(client.nodes.get("/pub/sub/deep/b.txt")?.mode, 0o600);
  assert.deepEqual([report.copied, report.made, report.octets, report.failures], [3, 3, 8, 0]);
  client.calls.length = 0;
  const again = await up(client, tree).run();
  assert.deepEqual([again.copied, again.modesSet, again.same], [0, 0, 3]);
  assert.ok(
    client.calls.every((call) => /^(?:list|exists) /.test(call)),
    String(client.calls),
  );
});

test("a mode that the server gives anyway is not set", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  for (const name of ["a", "b", "c"]) await tree.put(name, name);
  await up(client, tree).run();
  assert.equal(client.calls.filter((call) => call.startsWith("chmod")).length, 0);
  assert.equal(client.calls.filter((call) => call.startsWith("stat")).length, 1);
});

test("a cut upload goes on where it ended, in the same run and in the next", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  await tree.put("large", LARGE);
  client.fail("upload /pub/large", "RESET", { octets: 100_000, retryable: true });
  await up(client, tree).run();
  assert.ok(client.calls.includes("upload /pub/large from 100000"), String(client.calls));
  assert.deepEqual(client.nodes.get("/pub/large")?.data, LARGE);
  assert.deepEqual(await readdir(tree.beside("journal")), []);

  await tree.put("two", LARGE);
  client.fail("upload /pub/two", "LOCAL_IO", { octets: 250_000 });
  assert.equal((await up(client, tree).run()).failures, 1);
  assert.equal((await readdir(tree.beside("journal"))).length, 1);
  await using plan = await up(client, tree).plan();
  const [step] = await Array.fromAsync(plan.steps);
  assert.ok(step?.kind === "replace" && step.resume === 250_000, JSON.stringify(step));
  await up(client, tree).run();
  assert.ok(client.calls.includes("upload /pub/two from 250000"));
  assert.deepEqual(client.nodes.get("/pub/two")?.data, LARGE);
  assert.deepEqual(await readdir(tree.beside("journal")), []);
});

test("a server that lets nobody go on gets the whole file again", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.resumes = false;
  await tree.put("large", LARGE);
  client.fail("upload /pub/large", "LOCAL_IO", { octets: 100_000 });
  await up(client, tree).run();
  const report = await up(client, tree).run();
  assert.deepEqual([report.replaced, report.failures], [1, 0]);
  assert.deepEqual(client.nodes.get("/pub/large")?.data, LARGE);
});

test("a shorter file that is not surely ours is replaced", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  await tree.put("strange", LARGE);
  client.put("/pub/strange", "somebody else's");
  await up(client, tree).run();
  assert.deepEqual(client.nodes.get("/pub/strange")?.data, LARGE);
  // Begun by us, but ours has changed since.
  await tree.put("changed", LARGE);
  client.fail("upload /pub/changed", "LOCAL_IO", { octets: 100_000 });
  await up(client, tree).run();
  const fresh = Buffer.alloc(400_000, "fresh");
  await tree.put("changed", fresh, { ms: THEN + 1_000 });
  await up(client, tree).run();
  assert.deepEqual(client.nodes.get("/pub/changed")?.data, fresh);
  // A server that publishes whole files alone has still the old one.
  await tree.put("atomic", LARGE);
  client.put("/pub/atomic", "old and short");
  client.fail("upload /pub/atomic", "LOCAL_IO", { octets: 100_000 });
  await up(client, tree).run();
  client.put("/pub/atomic", "old and short");
  await up(client, tree).run();
  assert.deepEqual(client.nodes.get("/pub/atomic")?.data, LARGE);
  assert.ok(!client.calls.some((call) => call.includes(" from ")), String(client.calls));
});

test("a server that keeps no times gets each file once", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.hasTimes = false;
  for (const name of ["a", "b", "c"]) await tree.put(name, name);
  const first = await up(client, tree).run();
  assert.deepEqual([first.copied, first.failures], [3, 0]);
  assert.equal(first.warnings.length, 1);
  const second = await up(client, tree).run();
  assert.deepEqual([second.copied, second.replaced, second.same], [0, 0, 3]);
  await tree.put("b", "B!", { ms: Date.now() + 60_000 });
  assert.equal((await up(client, tree).run()).replaced, 1);
});

test("a server without modes and links is told once of each", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.hasModes = false;
  client.hasLinks = false;
  for (const name of ["a", "b"]) await tree.put(name, name, { mode: 0o700 });
  await symlink("a", join(tree.root, "l1"));
  await symlink("b", join(tree.root, "l2"));
  const report = await up(client, tree).run({ parallel: 1 });
  assert.deepEqual([report.copied, report.failures, report.linked], [2, 0, 0]);
  assert.equal(client.calls.filter((call) => call.startsWith("chmod")).length, 1);
  assert.equal(report.warnings.length, 2);
});

test("links are kept, followed or left out", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  await tree.put("sub/file", "data");
  await symlink("sub/file", join(tree.root, "link"));
  await symlink("sub", join(tree.root, "folder"));
  await symlink("nowhere", join(tree.root, "broken"));
  await mkdir(tree.beside("other"));
  await symlink(tree.beside("other"), join(tree.root, "out"));
  assert.equal((await up(client, tree, { links: "skip" }).run()).linked, 0);
  const kept = await up(client, tree).run();
  assert.equal(client.nodes.get("/pub/link")?.target, "sub/file");
  assert.equal(client.nodes.get("/pub/folder")?.target, "sub");
  assert.ok(!client.nodes.has("/pub/out"));
  assert.deepEqual([kept.linked, kept.failures], [3, 0]);
  assert.equal((await up(client, tree).run()).linked, 0);
  const followed = await up(new TestClient(), tree, { links: "follow" }).run();
  assert.deepEqual([followed.copied, followed.made, followed.failures], [3, 4, 0]);
});

test("a loop of links ends", async () => {
  await using tree = await TestTree.make();
  await tree.put("sub/file", "data");
  await symlink("..", join(tree.root, "sub", "round"));
  const client = new TestClient();
  const report = await up(client, tree, { links: "follow" }).run();
  assert.equal(report.failed[0]?.error.code, "LIMIT");
  assert.ok(report.copied < 20);
});

test("nothing is written through a link of the server", async () => {
  await using tree = await TestTree.make();
  await tree.put("folder/file", "new");
  await tree.put("file", "new");
  const client = new TestClient();
  client.put("/other/file", "old");
  client.link("/pub/folder", "../other");
  client.link("/pub/file", "../other/file");
  const report = await up(client, tree).run();
  assert.equal(report.failed[0]?.error.code, "UNSAFE_NAME");
  assert.equal(client.text("/other/file"), "old");
  assert.equal(client.text("/pub/file"), "new");
});

test("unfinished downloads of ours are not sent", async () => {
  await using tree = await TestTree.make();
  await tree.put(".film.0123456789ab.part", "half");
  await tree.put("film", "whole");
  const client = new TestClient();
  await up(client, tree).run();
  assert.deepEqual(client.paths(), ["/pub", "/pub/film"]);
});

test("nothing is tried below a folder that could not be made, and nothing at all without the first", async () => {
  await using tree = await TestTree.make();
  for (const name of ["a/b/c", "a/d", "e/f"]) await tree.put(name, name);
  const client = new TestClient();
  client.fail("mkdir /pub/a", "DENIED");
  const report = await up(client, tree).run();
  assert.deepEqual([report.copied, report.failures, report.stopped], [1, 4, undefined]);
  assert.ok(!client.calls.some((call) => call.startsWith("upload /pub/a") || call.startsWith("mkdir /pub/a/")));
  const other = new TestClient();
  other.fail("mkdir /pub", "DENIED");
  const stopped = await up(other, tree).run({ parallel: 1 });
  assert.deepEqual([stopped.stopped?.code, stopped.failures, stopped.copied], ["DENIED", 1, 0]);
});
