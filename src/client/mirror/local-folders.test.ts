import assert from "node:assert/strict";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { FtpError } from "../errors.ts";
import { FOLDERS_OPEN } from "./limits.ts";
import { LocalFolders } from "./local-folders.ts";
import { TestTree } from "./test-tools.ts";

for (const pins of [true, false]) {
  const how = pins ? "by descriptors" : "by paths";

  test(`folders are reached ${how}, links are not`, async () => {
    await using tree = await TestTree.make();
    await tree.put("a/b/file", "x");
    await mkdir(tree.beside("outside"));
    await symlink(tree.beside("outside"), join(tree.root, "link"));
    await symlink("a", join(tree.root, "inside"));
    await using folders = new LocalFolders(tree.root, { follow: false, pins });
    assert.deepEqual(await folders.use("a/b", async (at) => await readdir(at)), ["file"]);
    for (const path of ["link", "inside/b", "a/b/file"]) {
      await assert.rejects(
        folders.use(path, async (at) => await writeFile(`${at}/x`, "")),
        (error) =>
          error instanceof FtpError &&
          error.code === (path === "a/b/file" ? "LOCAL_IO" : "UNSAFE_NAME") &&
          !error.retryable,
      );
    }
    await assert.rejects(
      folders.use("none", async () => {}),
      (error) => error instanceof FtpError && error.code === "NOT_FOUND",
    );
    await using following = new LocalFolders(tree.root, { follow: true, pins });
    assert.deepEqual(await following.use("inside/b", async (at) => await readdir(at)), ["file"]);
  });
}

const openNow = async (): Promise<number> => (await readdir("/proc/self/fd")).length;

test("only so many folders stay open, and none in the end", { skip: process.platform !== "linux" }, async () => {
  await using tree = await TestTree.make();
  const before = await openNow();
  const count = FOLDERS_OPEN * 2;
  for (let at = 0; at < count; at++) await mkdir(join(tree.root, `f${at}`));
  const folders = new LocalFolders(tree.root, { follow: false });
  await Promise.all(
    Array.from({ length: count }, async (_, at) => await folders.use(`f${at}`, async (path) => await readdir(path))),
  );
  assert.ok((await openNow()) <= before + FOLDERS_OPEN + 1);
  await folders.use("f0", async () => await folders.forget("f0"));
  await folders[Symbol.asyncDispose]();
  assert.equal(await openNow(), before);
});
