import assert from "node:assert/strict";
import { renameSync, symlinkSync } from "node:fs";
import { mkdir, readFile, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { FtpError } from "../errors.ts";
import { mirror } from "./mirror.ts";
import { THEN, TestClient } from "./test-client.ts";
import { TestTree } from "./test-tools.ts";
import type { Step } from "./types.ts";

const LARGE = Buffer.alloc(400_000, "large file ");

test("a new tree comes over with times and modes, and a second run has nothing to do", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/a.txt", "one");
  client.put("/pub/sub/deep/b.txt", "two", { mode: 0o600 });
  client.put("/pub/run.sh", "#!", { mode: 0o755 });
  client.folder("/pub/empty");
  const job = mirror(client, { direction: "down", remote: "/pub", local: tree.root });
  const report = await job.run();
  assert.deepEqual(await tree.paths(), ["a.txt", "empty", "run.sh", "sub", "sub/deep", "sub/deep/b.txt"]);
  assert.equal(await tree.text("sub/deep/b.txt"), "two");
  assert.equal(await tree.ms("a.txt"), THEN);
  assert.equal(await tree.mode("sub/deep/b.txt"), 0o600);
  assert.equal(await tree.mode("run.sh"), 0o755 & ~process.umask());
  assert.deepEqual([report.copied, report.made, report.octets, report.failures], [3, 3, 8, 0]);
  client.calls.length = 0;
  const again = await job.run({});
  assert.deepEqual([again.copied, again.replaced, again.modesSet, again.same], [0, 0, 0, 3]);
  assert.ok(
    client.calls.every((call) => /^(?:list|exists) /.test(call)),
    String(client.calls),
  );
});

test("a local folder that is not there is made", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/a", "one");
  const local = join(tree.root, "new", "copy");
  await mirror(client, { direction: "down", remote: "/pub/", local }).run();
  assert.equal(await readFile(join(local, "a"), "utf8"), "one");
});

test("a plan says each step and does none", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/new", "new");
  client.put("/pub/sub/x", "x");
  client.put("/pub/other", "longer");
  client.put("/pub/mode", "m", { mode: 0o600 });
  await tree.put("other", "short");
  await tree.put("mode", "m", { mode: 0o644 });
  await tree.put("gone/file", "g");
  await using plan = await mirror(client, { direction: "down", remote: "/pub", local: tree.root, delete: true }).plan();
  const steps: Step[] = await Array.fromAsync(plan.steps);
  assert.deepEqual(
    steps.map(({ kind, path }) => `${kind} ${path}`),
    [
      "set-mode mode",
      "copy new",
      "replace other",
      "make-folder sub",
      "copy sub/x",
      "delete-file gone/file",
      "delete-folder gone",
    ],
  );
  assert.equal(plan.counts.octets, 3 + 6 + 1);
  assert.equal(plan.counts.same, 1);
  assert.deepEqual(await tree.paths(), ["gone", "gone/file", "mode", "other"]);
  const report = await mirror(client, { direction: "down", remote: "/pub", local: tree.root, delete: true }).run({
    dryRun: true,
  });
  assert.deepEqual([report.copied, report.replaced, report.made, report.deleted, report.modesSet], [2, 1, 1, 2, 1]);
  assert.ok(!client.calls.some((call) => call.startsWith("download")));
});

test("a cut download goes on where it ended, in the same run and in the next", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/large", LARGE);
  client.fail("download /pub/large", "RESET", { octets: 100_000, retryable: true });
  const job = mirror(client, { direction: "down", remote: "/pub", local: tree.root });
  await job.run();
  assert.deepEqual(
    client.calls.filter((call) => call.startsWith("download")),
    ["download /pub/large from 100000"],
  );
  assert.deepEqual(await readFile(join(tree.root, "large")), LARGE);

  client.put("/pub/two", LARGE);
  client.fail("download /pub/two", "LOCAL_IO", { octets: 250_000 });
  assert.equal((await job.run()).failures, 1);
  await using plan = await job.plan();
  const [step] = await Array.fromAsync(plan.steps);
  assert.ok(step?.kind === "copy" && step.resume === 250_000, JSON.stringify(step));
  assert.equal(plan.counts.octets, 150_000);
  client.calls.length = 0;
  await job.run();
  assert.deepEqual(
    client.calls.filter((call) => call.startsWith("download")),
    ["download /pub/two from 250000"],
  );
  assert.deepEqual(await tree.paths(), ["large", "two"]);
});

test("a source that changed meanwhile is not glued to the old beginning, which is cleared away", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/large", LARGE);
  client.fail("download /pub/large", "LOCAL_IO", { octets: 100_000 });
  const job = mirror(client, { direction: "down", remote: "/pub", local: tree.root });
  await job.run();
  const fresh = Buffer.alloc(400_000, "other ");
  client.put("/pub/large", fresh, { ms: THEN + 5_000 });
  await writeFile(join(tree.root, ".mine.0123456789ab.part"), "not of any file of the source");
  const report = await job.run();
  assert.deepEqual(client.calls.at(-1), "download /pub/large");
  assert.deepEqual(await readFile(join(tree.root, "large")), fresh);
  assert.deepEqual(await tree.paths(), [".mine.0123456789ab.part", "large"]);
  assert.equal(report.deleted, 1);
});

test("attack 64: names that lead out or hold control characters are left out with a warning", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/good", "good");
  client.extraNames = ["..", "../evil", "a/b", "bell\u0007", "/etc/passwd", ""];
  const report = await mirror(client, { direction: "down", remote: "/pub", local: tree.root }).run();
  assert.deepEqual(await tree.paths(), ["good"]);
  assert.equal(report.warnings.length, 5);
  assert.ok(!report.warnings.some((warning) => warning.includes("\u0007")));
  assert.deepEqual(await readdir(tree.beside(".")), ["tree"]);
});

test("attack 64: a link that leads out is not made, and one inside is", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/sub/file", "data");
  client.link("/pub/good", "sub/file");
  client.link("/pub/sub/up", "../good");
  client.link("/pub/absolute", "/pub/sub");
  for (const [name, target] of [
    ["out1", ".."],
    ["out2", "/etc"],
    ["out3", "sub/../../x"],
    ["out4", "good/../.."],
  ] as const) {
    client.link(`/pub/${name}`, target);
  }
  client.link("/pub/sub/out5", "../../x");
  const job = mirror(client, { direction: "down", remote: "/pub", local: tree.root });
  const report = await job.run();
  assert.deepEqual(await tree.paths(), ["absolute -> sub", "good -> sub/file", "sub", "sub/file", "sub/up -> ../good"]);
  assert.equal(report.linked, 3);
  assert.equal(report.warnings.length, 5);
  assert.equal((await job.run()).linked, 0);
});

test("attack 64: nothing is written through a link that lies in the local tree", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/folder/file", "new");
  client.put("/pub/file", "new");
  const outside = tree.beside("outside");
  await mkdir(outside);
  await writeFile(join(outside, "file"), "old");
  await symlink(outside, join(tree.root, "folder"));
  await symlink(join(outside, "file"), join(tree.root, "file"));
  const spec = { direction: "down", remote: "/pub", local: tree.root } as const;
  const report = await mirror(client, spec).run();
  assert.equal(report.failures, 1);
  assert.equal(report.failed[0]?.error.code, "UNSAFE_NAME");
  assert.equal(await readFile(join(outside, "file"), "utf8"), "old");
  // The link to a file gave its name to the file.
  assert.deepEqual(await tree.paths(), ["file", `folder -> ${outside}`]);
  assert.equal(await tree.text("file"), "new");
  assert.equal((await mirror(client, { ...spec, delete: true }).run()).failures, 0);
  assert.deepEqual(await tree.paths(), ["file", "folder", "folder/file"]);
  assert.deepEqual(await readdir(outside), ["file"]);
});

test("attack 64: a folder that becomes a link under way is not written into", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/one/a", "a");
  client.put("/pub/two/b", "b");
  const outside = tree.beside("outside");
  await mkdir(outside);
  await mkdir(join(tree.root, "two"));
  const report = await mirror(client, { direction: "down", remote: "/pub", local: tree.root }).run({
    parallel: 1,
    onEvent: (event) => {
      if (event.kind !== "done" || event.path !== "one/a") return;
      renameSync(join(tree.root, "two"), tree.beside("moved"));
      symlinkSync(outside, join(tree.root, "two"));
    },
  });
  assert.deepEqual(await readdir(outside), []);
  assert.ok(report.failures <= 1);
});

test("names that fall together: Unicode forms are one name, twins are told of and left alone", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  const [nfc, nfd] = ["caf\u00e9", "cafe\u0301"];
  client.put(`/pub/${nfd}`, "coffee");
  await tree.put(nfc, "coffee");
  const job = mirror(client, { direction: "down", remote: "/pub", local: tree.root, delete: true });
  assert.equal((await job.run()).same, 1);
  assert.deepEqual(await tree.paths(), [nfc]);
  client.put(`/pub/${nfc}`, "coffee");
  const report = await job.run();
  assert.match(report.warnings[0] ?? "", /fall together/);
  assert.deepEqual([report.copied, report.deleted], [0, 0]);
  client.put("/pub/README", "r");
  client.put("/pub/readme", "r");
  const folded = await mirror(client, { direction: "down", remote: "/pub", local: tree.root, ignoreCase: true }).run();
  assert.equal(folded.copied, 1);
});

test("single failures do not end the rest; room that runs out does", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  for (const name of ["a", "b", "c", "d"]) client.put(`/pub/${name}`, name);
  client.fail("download /pub/b", "DENIED");
  const job = mirror(client, { direction: "down", remote: "/pub", local: tree.root });
  const report = await job.run();
  assert.deepEqual([report.copied, report.failures, report.stopped], [3, 1, undefined]);
  assert.equal(report.failed[0]?.path, "b");
  for (const name of ["e", "f", "g", "h"]) client.put(`/pub/${name}`, name);
  client.fail("download /pub/b", "NO_SPACE");
  const full = await job.run({ parallel: 1 });
  assert.equal(full.stopped?.code, "NO_SPACE");
  assert.deepEqual([full.copied, full.failures], [0, 1]);
  client.fail("download *", "DENIED", { times: 100 });
  const early = await job.run({ parallel: 1, failEarly: true });
  assert.deepEqual([early.stopped?.code, early.failures], ["DENIED", 1]);
});

test("tries are counted for all files together", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  for (const name of ["a", "b", "c"]) client.put(`/pub/${name}`, name);
  client.fail("download *", "RESET", { times: 100, retryable: true });
  const waits: number[] = [];
  const report = await mirror(client, { direction: "down", remote: "/pub", local: tree.root }).run({
    parallel: 1,
    retries: 1,
    onEvent: (event) => event.kind === "retry" && waits.push(event.waitMs),
  });
  assert.equal(waits.length, 1);
  assert.equal(report.stopped?.code, "RESET");
});

test("the caller's signal ends it with its reason, and the next run goes on", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  for (const name of ["a", "b", "c"]) client.put(`/pub/${name}`, name);
  const stop = new AbortController();
  const job = mirror(client, { direction: "down", remote: "/pub", local: tree.root });
  const reason = new Error("enough");
  await assert.rejects(
    job.run({ parallel: 1, signal: stop.signal, onEvent: ({ kind }) => kind === "done" && stop.abort(reason) }),
    reason,
  );
  assert.deepEqual(await tree.paths(), ["a"]);
  assert.equal((await job.run()).copied, 2);
});

test("a file that changes while it is copied is copied again", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/a", "old");
  let changes = 0;
  const report = await mirror(client, { direction: "down", remote: "/pub", local: tree.root, checkAfter: true }).run({
    onEvent: ({ kind }) =>
      kind === "progress" && changes++ === 0 && client.put("/pub/a", "newer", { ms: THEN + 9_000 }),
  });
  assert.deepEqual([report.copied, report.failures], [1, 0]);
  assert.equal(await tree.text("a"), "newer");
  assert.equal(await tree.ms("a"), THEN + 9_000);
});

test("a source that is not there or is no folder is an error", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/file", "x");
  const job = (remote: string): Promise<unknown> =>
    mirror(client, { direction: "down", remote, local: tree.root }).run();
  await assert.rejects(job("/none"), (error) => error instanceof FtpError && error.code === "NOT_FOUND");
  await assert.rejects(job("/pub/file"), (error) => error instanceof FtpError && error.code === "USAGE");
});

test("a listing that breaks off is asked for again", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/sub/file", "x");
  client.fail("list /pub/sub", "RESET", { times: 2 });
  const spec = { direction: "down", remote: "/pub", local: tree.root } as const;
  assert.equal((await mirror(client, spec).run()).failures, 0);
  client.fail("list /pub/sub", "RESET", { times: 3 });
  assert.equal((await mirror(client, spec).run()).failures, 1);
});

test("a listener's own error ends the run and is what it throws", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  for (const name of ["a", "b", "c"]) client.put(`/pub/${name}`, name);
  const fault = new Error("mine");
  for (const at of ["done", "planned"] as const) {
    const run = mirror(client, { direction: "down", remote: "/pub", local: tree.root }).run({
      onEvent: ({ kind }) => {
        if (kind === at) throw fault;
      },
    });
    await assert.rejects(run, fault);
  }
});

test("a limit in time ends it as a time-out", async () => {
  await using tree = await TestTree.make();
  const client = new TestClient();
  client.put("/pub/a", "a");
  client.fail("download /pub/a", "RESET", { times: 100, retryable: true });
  const run = mirror(client, { direction: "down", remote: "/pub", local: tree.root }).run({
    timeoutMs: 100,
    tries: 100,
  });
  await assert.rejects(run, (error) => error instanceof FtpError && error.code === "TIMEOUT");
});
