import assert from "node:assert/strict";
import { mkdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { FtpError } from "../errors.ts";
import { scratch } from "../test-folder.ts";
import { LocalTree } from "./local-tree.ts";

async function inFolder(
  pins: boolean | undefined,
  act: (tree: LocalTree, folder: string) => Promise<void>,
): Promise<void> {
  await using own = await scratch();
  const folder = own.path;
  await using tree = await LocalTree.open(join(folder, "to/here"), pins);
  await act(tree, join(folder, "to/here"));
}

function isCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof FtpError && error.code === code && !error.message.includes("/proc/");
}

async function nothing(): Promise<void> {
  await Promise.resolve();
}

for (const [how, pins] of [
  ["with folders held open", undefined],
  ["without /proc", false],
] as const) {
  suite(how, () => {
    test("folders are made on the way, at the same time too", async () => {
      await inFolder(pins, async (tree, folder) => {
        const write = async (name: string): Promise<void> =>
          await tree.within(["a", "b"], async (at) => await writeFile(join(at, name), name));
        await Promise.all(["one", "two", "three"].map(write));
        assert.equal(await readFile(join(folder, "a/b/two"), "utf8"), "two");
        assert.equal((await tree.look({ folders: ["a", "b"], name: "one" }))?.size, 3);
        await tree.remove({ folders: ["a", "b"], name: "one" });
        assert.equal(await tree.look({ folders: ["a", "b"], name: "one" }), undefined);
      });
    });

    test("attack 64: links on the way are not followed, files are left alone, and depth has an end", async () => {
      await inFolder(pins, async (tree, folder) => {
        await mkdir(join(folder, "real"));
        await symlink("real", join(folder, "link"));
        await writeFile(join(folder, "file"), "mine");
        await assert.rejects(tree.within(["link"], nothing), isCode("UNSAFE_NAME"));
        await assert.rejects(tree.within(["link", "below"], nothing), isCode("UNSAFE_NAME"));
        await assert.rejects(tree.within(["file", "below"], nothing), isCode("EXISTS"));
        await assert.rejects(
          tree.within(
            Array.from({ length: 200 }, () => "x"),
            nothing,
          ),
          isCode("UNSAFE_NAME"),
        );
      });
    });

    test("links are made and mended, and nothing else is replaced by one", async () => {
      await inFolder(pins, async (tree, folder) => {
        const place = { folders: ["sub"], name: "link" };
        assert.equal(await tree.link(place, "one"), true);
        assert.equal(await tree.link(place, "one"), false);
        assert.equal(await tree.link(place, "two"), true);
        assert.equal(await readlink(join(folder, "sub/link")), "two");
        await writeFile(join(folder, "sub/file"), "mine");
        await assert.rejects(tree.link({ folders: ["sub"], name: "file" }, "one"), isCode("EXISTS"));
      });
    });
  });
}

test("a folder that cannot be made is an error", async () => {
  await using own = await scratch();
  const folder = own.path;
  const file = join(folder, "file");
  await writeFile(file, "");
  await assert.rejects(LocalTree.open(join(file, "below")), isCode("LOCAL_IO"));
});
