/** The commands that list, as processes: files as well as folders, wrong words, zones, and what is not removed. */
import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Liar } from "./client/liar.ts";
import { BARE, LAUNCHER, onServer } from "./support/client-stage.ts";
import { run } from "./support/run.ts";

test("ls, find and du take a file as they take a folder", async () => {
  await onServer(async ({ root, url, ferryman }) => {
    await mkdir(join(root, "sub"));
    await writeFile(join(root, "sub", "a.txt"), "12345");
    const out = async (...words: readonly string[]): Promise<string> => (await ferryman(...words)).stdout.trim();
    assert.equal(await out("ls", url("sub/a.txt")), "a.txt");
    assert.match(await out("ls", "-R", url("sub/a.txt")), /a\.txt$/);
    assert.match(await out("find", url("sub/a.txt"), "--larger", "1"), /sub\/a\.txt$/);
    assert.equal(await out("find", url("sub/a.txt"), "--name", "b*"), "");
    assert.match(await out("du", "-b", url("sub/a.txt")), /^5\t.*sub\/a\.txt$/);
    assert.match(await out("du", "-b", url("sub")), /^5\t.*sub$/);
    const none = await ferryman("find", url("sub/none"));
    assert.equal(none.code, 1, none.stderr);
  });
});

test("what is no order, no pattern, no zone and no kind of listing is refused before anybody is asked", async () => {
  const wrong = [
    ["ls", "--sort", "foo"],
    ["find", "--name", "["],
    ["find", "--name", "{a,b"],
    ["ls", "--zone", "02:00"],
    ["ls", "--zone", "+15:00"],
    ["ls", "--listing", "dir"],
  ];
  await Promise.all(
    wrong.map(async ([name = "", ...words]) => {
      const ran = await run(process.execPath, [LAUNCHER, name, "ftp://127.0.0.1:1/", ...words]);
      assert.equal(ran.code, 2, `${words.join(" ")}: ${ran.stderr}`);
    }),
  );
  await onServer(async ({ root, url, ferryman }) => {
    await writeFile(join(root, "a[1]"), "");
    for (const glob of ["a[[]*", "a\\[*", "a[0-9[]1]", "{a,b}*"]) {
      assert.match((await ferryman("find", url(""), "--name", glob)).stdout, /a\[1\]$/m, glob);
    }
  });
});

test("the zone of LIST and the kind of listing are as the command line says", async () => {
  const line = "-rw-r--r-- 1 a a 23 2024-01-02 12:34 hello.txt";
  await using liar = await Liar.start({ lies: { content: { LIST: () => [Buffer.from(`${line}\r\n`)] } } });
  const zones = [
    ["+02:00", "10:34"],
    ["-0330", "16:04"],
    ["utc", "12:34"],
  ] as const;
  for (const [zone, time] of zones) {
    const words = ["ls", "-l", liar.url("/"), "--listing", "list", "--zone", zone, ...BARE];
    assert.match((await run(process.execPath, [LAUNCHER, ...words])).stdout, new RegExp(`2024-01-02 ${time}~`), zone);
  }
});

test("rm -r of a path with dots removes nothing", async () => {
  await onServer(async ({ root, url, ferryman }) => {
    await mkdir(join(root, "sub"));
    await writeFile(join(root, "a.txt"), "a");
    for (const path of ["sub/../..", "sub/..", "sub/."]) {
      const ran = await ferryman("rm", "-r", url(path));
      assert.equal(ran.code, 2, `${path}: ${ran.stderr}`);
      assert.match(ran.stderr, /leads elsewhere/);
    }
    assert.deepEqual((await readdir(root)).toSorted(), ["a.txt", "sub"]);
  });
});
