import assert from "node:assert/strict";
import { appendFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { TestTree } from "./test-tools.ts";
import { UploadJournal } from "./upload-journal.ts";

const NOTE = { path: "a/b", size: 1_000_000, ms: 1_700_000_000_123.5 };

test("a note outlives its process, and holds for the same file and a shorter one there only", async () => {
  await using tree = await TestTree.make();
  const folder = tree.beside("journal");
  const first = await UploadJournal.open(folder, "mirror");
  assert.equal(first.begun(NOTE, 500), 0);
  await first.begin(NOTE);
  await first.begin({ ...NOTE, path: "small", size: 10 });
  await first.close();
  const [name = ""] = await readdir(folder);
  assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
  // A crash in the middle of a line.
  await appendFile(join(folder, name), '\n{"path":"a/b","si');
  const next = await UploadJournal.open(folder, "mirror");
  assert.ok(next.has("a/b") && !next.has("small"));
  assert.equal(next.begun(NOTE, 500), 500);
  assert.equal(next.begun(NOTE, undefined), 0);
  assert.equal(next.begun(NOTE, NOTE.size), 0);
  assert.equal(next.begun({ ...NOTE, ms: 1 }, 500), 0);
  assert.equal(next.begun({ ...NOTE, size: 999_999 }, 500), 0);
  assert.ok(!(await UploadJournal.open(folder, "another mirror")).has("a/b"));
  await next.begin({ ...NOTE, before: 500 });
  assert.equal((await UploadJournal.open(folder, "mirror")).begun(NOTE, 500), 0);
  assert.equal(next.begun(NOTE, 500), 0);
  assert.equal(next.begun(NOTE, 501), 501);
  await next.end("a/b");
  await next.close();
  assert.deepEqual(await readdir(folder), []);
});

test("without a folder notes last as long as the run", async () => {
  const journal = await UploadJournal.open(false, "mirror");
  await journal.begin(NOTE);
  assert.equal(journal.begun(NOTE, 500), 500);
  await journal.close();
});
