import assert from "node:assert/strict";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { bytesOfText } from "../../base/bytes.ts";
import type { Entry, Listing } from "../types.ts";
import { describePlan, describeStep } from "./describe-plan.ts";
import { mirror } from "./mirror.ts";
import { THEN, TestClient } from "./test-client.ts";
import { TestTree } from "./test-tools.ts";

const FOLDERS = 100;
const FILES = 1_000;
const MIB = 1_048_576;

/** A tree of FOLDERS times FILES that nothing holds: each listing is made when it is asked for. */
class WideClient extends TestClient {
  readonly #folders: number;
  readonly #files: number;

  constructor(folders: number, files: number) {
    super();
    this.#folders = folders;
    this.#files = files;
    this.folder("/pub");
  }

  override list(folder = "/"): Listing {
    const isTop = folder === "/pub";
    const [count, type] = isTop ? [this.#folders, "directory" as const] : [this.#files, "file" as const];
    const entries = async function* (): AsyncGenerator<Entry> {
      await Promise.resolve();
      for (let at = count - 1; at >= 0; at--) {
        const name = `${isTop ? "folder" : "file"}-${at}`;
        const modified = { ms: THEN, precision: "second", zone: "utc" } as const;
        yield { name, path: `${folder}/${name}`, type, size: 3, modified, raw: bytesOfText(name) };
      }
    };
    return { warnings: [], [Symbol.asyncIterator]: entries, toArray: async () => await Array.fromAsync(entries()) };
  }
}

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");

/** Octets that live, garbage collected. */
function heap(): number {
  if (typeof collect === "function") collect();
  return process.memoryUsage().heapUsed;
}

test("a plan of 100,000 new files holds a few folders of them at a time", async () => {
  await using tree = await TestTree.make();
  const client = new WideClient(FOLDERS, FILES);
  const before = heap();
  let most = 0;
  let looks = 0;
  const report = await mirror(client, { direction: "down", remote: "/pub", local: tree.root }).run({
    dryRun: true,
    onEvent: ({ kind }) => {
      if (kind === "planned" && looks++ % 20 === 0) most = Math.max(most, heap() - before);
    },
  });
  assert.equal(report.copied, FOLDERS * FILES);
  assert.equal(report.octets, 3 * FOLDERS * FILES);
  assert.ok(looks > FOLDERS);
  assert.ok(most < 16 * MIB, `${Math.round(most / MIB)} MiB`);
});

test("a plan that is kept keeps its steps in a file", async () => {
  await using tree = await TestTree.make();
  const before = heap();
  await using plan = await mirror(new WideClient(30, FILES), {
    direction: "down",
    remote: "/pub",
    local: tree.root,
  }).plan();
  assert.ok(heap() - before < 16 * MIB);
  let steps = 0;
  for await (const step of plan.steps) steps += step.kind === "copy" ? 1 : 0;
  assert.equal(steps, 30 * FILES);
  assert.deepEqual(describePlan(plan), [
    "30,000 files to copy",
    "30 folders to make",
    "90,000 octets to move",
    "0 the same, 0 left out",
  ]);
});

test("with nothing to do 2,000 files are looked at and none is touched", async () => {
  await using tree = await TestTree.make();
  for (let folder = 0; folder < 2; folder++) {
    mkdirSync(join(tree.root, `folder-${folder}`));
    for (let file = 0; file < FILES; file++) {
      const path = join(tree.root, `folder-${folder}`, `file-${file}`);
      writeFileSync(path, "abc");
      utimesSync(path, new Date(THEN), new Date(THEN));
    }
  }
  const client = new WideClient(2, FILES);
  const report = await mirror(client, { direction: "down", remote: "/pub", local: tree.root, delete: true }).run();
  assert.deepEqual([report.same, report.copied, report.deleted, report.failures], [2 * FILES, 0, 0, 0]);
});

test("steps and plans in words are fit for a terminal", () => {
  assert.equal(
    describeStep({ kind: "replace", path: "a\u001b[2J", from: "a", why: "size", size: 12_345, resume: 45 }),
    "replace a?[2J (size, 12,345 octets, 45 of them are there)",
  );
  assert.equal(describeStep({ kind: "make-link", path: "l", target: "t" }), "make-link l -> t");
  assert.equal(describeStep({ kind: "delete-folder", path: "d", why: "extra" }), "delete-folder d");
});
