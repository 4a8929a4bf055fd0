/** The package has the client's commands in one file, without the server's: the launcher must know which is whose. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";

type FirstFile = (words: readonly string[]) => { readonly file: string; readonly isMover: boolean };
const { firstFile, SERVER_COMMANDS }: { firstFile: FirstFile; SERVER_COMMANDS: readonly string[] } = createRequire(
  import.meta.url,
)("../bin/first-file.cjs");

test("commands of the client begin with its file, those of the server and help with that of all", () => {
  const files = [["ls", "x"], ["-q", "get"], ["--version"], [], ["mirorr"]].map((words) => firstFile(words).file);
  assert.deepEqual(new Set(files), new Set(["main.cjs"]));
  for (const name of SERVER_COMMANDS) assert.equal(firstFile(["--any", name, "ls"]).file, "start.js");
  assert.deepEqual([firstFile(["get"]).isMover, firstFile(["mirror"]).isMover], [true, false]);
});

test("what the server alone needs is in no file of the client", async () => {
  const cli = join(import.meta.dirname, "..", "src", "cli");
  const main = await readFile(join(cli, "main.ts"), "utf8");
  const names = Array.from(main.matchAll(/import\("\.\/([\w-]+)\.ts"\)/g), ([, name = ""]) => name);
  assert.ok(names.length > SERVER_COMMANDS.length, "main.ts imports its commands in another way");
  for (const name of names.filter((each) => !SERVER_COMMANDS.includes(each))) {
    const source = await readFile(join(cli, `${name}.ts`), "utf8");
    assert.doesNotMatch(source, /from "\.\.\/(?:server|service|doctor|config)\//, `${name} belongs to the server`);
  }
});
