/** Folders come about with those above them, and where none can, that is said at once. */
import assert from "node:assert/strict";
import { mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeFolders } from "./make-folders.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "ferryman-folders-"));
});
after(async () => await rm(folder, { recursive: true, force: true }));

test("makes all that is missing, and is content with what is there", async () => {
  const path = join(folder, "a/b/c");
  await makeFolders(path, 0o700);
  assert.equal((await stat(path)).mode & 0o777, 0o700);
  await makeFolders(path);
  await symlink(path, join(folder, "link"));
  await makeFolders(join(folder, "link/d"));
  assert.ok((await stat(join(path, "d"))).isDirectory());
});

test("a file in the way, and a link that leads to nothing, are errors", async () => {
  await writeFile(join(folder, "file"), "");
  await assert.rejects(makeFolders(join(folder, "file")), { code: "EEXIST" });
  await assert.rejects(makeFolders(join(folder, "file/x")), { code: "ENOTDIR" });
  await symlink("nowhere", join(folder, "dangling"));
  await assert.rejects(makeFolders(join(folder, "dangling")), { code: "EEXIST" });
});

test("where the kernel makes no folder it ends", { skip: process.platform !== "linux" }, async () => {
  await assert.rejects(makeFolders("/proc/ferryman/x"), { code: "ENOENT" });
});
