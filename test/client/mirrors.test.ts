/** Mirrors from and to a server that lies or breaks off: nothing outside of the folder, nothing lost, nothing half that looks whole. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { FtpError } from "../../src/client/errors.ts";
import { mirror } from "../../src/client/mirror/mirror.ts";
import type { MirrorSpec } from "../../src/client/mirror/types.ts";
import { scratch } from "../../src/client/test-folder.ts";
import { sweep } from "./sweep.ts";
import { type Act, CAREFUL, tryOut } from "./unharmed.ts";

const TRIES_AT_LEAST = 50;
const FILES = {
  "/src/one": "the first\n",
  "/src/deep/two": "the second\n",
  "/src/same": "same\n",
  "/incoming/": "",
} as const;

function down(local: string, changes: Partial<MirrorSpec> = {}): MirrorSpec {
  return { direction: "down", remote: "/src", local, journal: false, ...changes };
}

/** Everything below a folder: names with their content. */
async function contentOf(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    found.set(path.slice(folder.length + 1), entry.isFile() ? await readFile(path, "latin1") : "");
  }
  return found;
}

const list =
  (...lines: readonly string[]): (() => readonly Buffer[]) =>
  () => [Buffer.from(lines.map((line) => `${line}\r\n`).join(""), "latin1")];

test("attack 64: a mirror writes nothing outside of its folder, whatever the names are", async () => {
  const names = ["..", "../up", "/etc/up", "a/../../up", "nul\0up", "cr\rup", ".", "", "good"];
  const content = {
    MLSD: list(...names.map((name) => `type=file;size=5; ${name}`)),
    RETR: () => [Buffer.from("12345")],
  };
  await tryOut({
    liar: { lies: { content }, files: FILES },
    async act({ client, folder }) {
      const local = join(folder, "deep", "down");
      await mkdir(local, { recursive: true });
      const report = await mirror(client, down(local)).run({ retries: 0 });
      assert.ok(report.warnings.length > 0 || report.failures > 0);
      assert.deepEqual([...(await contentOf(folder)).keys()].toSorted(), ["deep", "deep/down", "deep/down/good"]);
    },
    ends: "well",
  });
});

test("attack 64: a link that is listed as a folder too leads no file elsewhere", async () => {
  await using ownOutside = await scratch();
  const outside = ownOutside.path;
  for (const lines of [
    [`type=OS.unix=slink:${outside};perm=r; trap`, "type=dir;perm=el; trap"],
    ["type=dir;perm=el; trap", `type=OS.unix=slink:${outside};perm=r; trap`],
    ["type=OS.unix=slink:../../..;perm=r; trap", "type=dir;perm=el; trap"],
  ]) {
    let times = 0;
    const content = {
      MLSD: () => (times++ === 0 ? list(...lines)() : list("type=file;size=5; evil")()),
      RETR: () => [Buffer.from("12345")],
    };
    await tryOut({
      liar: { lies: { content }, files: { ...FILES, "/src/trap/evil": "12345" } },
      async act({ client, folder }) {
        const local = join(folder, "a", "b");
        await mkdir(local, { recursive: true });
        // Twice: the second run finds what the first has left.
        for (let run = 0; run < 2; run += 1) {
          times = 0;
          await mirror(client, down(local)).run({ retries: 0 });
        }
        assert.ok(!existsSync(join(folder, "evil")) && !existsSync(join(folder, "a", "evil")));
        assert.deepEqual(await readdir(outside), []);
      },
      ends: "well",
    });
  }
});

/** A mirror over a folder with an old file, one that is the same, and one that the source does not have. */
const mirrorDown: Act = async ({ client, folder }) => {
  const local = join(folder, "local");
  await mkdir(local, { recursive: true });
  await writeFile(join(local, "one"), "old");
  await writeFile(join(local, "same"), "same\n");
  await writeFile(join(local, "extra"), "extra");
  let fault: unknown;
  try {
    const report = await mirror(client, down(local, { delete: true })).run({ retries: 0 });
    fault = report.stopped ?? report.failed[0]?.error;
    if (report.failures === 0 && report.stopped === undefined) assert.ok(existsSync(join(local, "deep", "two")));
  } catch (error) {
    fault = error;
  }
  const found = await contentOf(local);
  assert.equal(found.get("same"), "same\n");
  assert.ok(["old", "the first\n"].includes(found.get("one") ?? "none"), `one is ${found.get("one")}`);
  assert.ok(["the second\n", undefined].includes(found.get("deep/two")), `two is ${found.get("deep/two")}`);
  for (const name of found.keys()) {
    assert.ok(
      ["one", "same", "extra", "deep", "deep/two"].includes(name) || /(?:^|\/)\./.test(name),
      `${name} was made`,
    );
  }
  if (fault === undefined) assert.deepEqual([...found.keys()].toSorted(), ["deep", "deep/two", "one", "same"]);
  else assert.ok(fault instanceof FtpError, inspect(fault));
};

test("a mirror that is broken off anywhere loses nothing and leaves nothing half", async () => {
  const tried = await sweep({
    act: mirrorDown,
    liar: { files: FILES },
    options: { ...CAREFUL, connections: 2 },
    every: 7,
  });
  assert.ok(tried > TRIES_AT_LEAST, `${tried}`);
});

test("a mirror upwards that is broken off removes nothing that it has not replaced", async () => {
  const files = { "/src/one": "older", "/src/extra": "x", "/src/keep": "keep\n" };
  const up: Act = async ({ client, folder, liar }) => {
    for (const [path, text] of Object.entries(files)) liar.tree.set(path, Buffer.from(text));
    const local = join(folder, "local");
    await mkdir(local, { recursive: true });
    await writeFile(join(local, "one"), "newer one");
    await writeFile(join(local, "keep"), "keep\n");
    const spec: MirrorSpec = { direction: "up", remote: "/src", local, journal: false, delete: true };
    const report = await mirror(client, spec).run({ retries: 0 });
    const error = report.stopped ?? report.failed[0]?.error;
    if (error !== undefined) throw error;
    assert.equal(liar.tree.get("/src/one")?.toString(), "newer one");
    assert.ok(!liar.tree.has("/src/extra"));
    assert.equal(liar.tree.get("/src/keep")?.toString(), "keep\n");
  };
  assert.ok((await sweep({ act: up, liar: { files }, every: 29 })) > TRIES_AT_LEAST / 3);
});
