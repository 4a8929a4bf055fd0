/** ARCHITECTURE.md's table is the law: an import that it does not name fails here. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { allowedImports, specifiers, wrongImports } from "./imports.ts";
import { ROOT, isTest, sourceFiles } from "./source-files.ts";

const allowed = allowedImports(readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8"));

test("imports follow the table in ARCHITECTURE.md", () => {
  const files = sourceFiles("src/**/*.ts").filter(({ path }) => !isTest(path));
  assert.ok(files.length > 20, "the sources were not found");
  assert.deepEqual(wrongImports(files, allowed), []);
});

test("tests in src/ keep to the table too, but may use the published test kit and do I/O", () => {
  const withKit = new Map([...allowed].map(([folder, names]) => [folder, new Set([...names, "testing"])]));
  const wrong = wrongImports(sourceFiles("src/**/*.test.ts"), withKit);
  assert.deepEqual(
    wrong.filter((line) => !line.includes("→ node:")),
    [],
  );
});

test("every folder of src/ has a row, and every row a folder", () => {
  const folders = new Set(sourceFiles("src/**/*.ts").map(({ path }) => path.split("/")[1] ?? ""));
  assert.deepEqual([...allowed.keys()].toSorted(), [...folders].toSorted());
});

test("the table has no cycle", () => {
  const reaches = (from: string, goal: string, seen = new Set<string>()): boolean =>
    [...(allowed.get(from) ?? [])].some((next) => {
      if (next === from || seen.has(next)) return false;
      seen.add(next);
      return next === goal || reaches(next, goal, seen);
    });
  assert.deepEqual(
    [...allowed.keys()].filter((folder) => reaches(folder, folder)),
    [],
  );
});

test("every form of import is seen, and comments are not", () => {
  const text = [
    'import { a } from "./a.ts";',
    'import type { B } from "../b.ts";',
    'import "./c.ts";',
    'export { d } from "./d.ts";',
    'export * from "./e.ts";',
    'const f = await import("./f.ts");',
    'type G = import("./g.ts").G;',
    'const h = require("node:fs");',
    "import {",
    "  i,",
    '} from "./i.ts";',
    '// import "./no.ts"',
    '/* from "./no.ts" */',
  ].join("\n");
  const wanted = ["./a.ts", "../b.ts", "./c.ts", "./d.ts", "./e.ts", "./f.ts", "./g.ts", "node:fs", "./i.ts"];
  assert.deepEqual(specifiers(text), wanted);
});

test("planted wrong imports are found", () => {
  assert.equal(planted("src/protocol/x.ts", "../server/server.ts").length, 1);
  assert.equal(planted("src/protocol/x.ts", "node:fs").length, 1);
  assert.equal(planted("src/server/x.ts", "../storage/storage.ts").length, 1);
  assert.equal(planted("src/server/x.ts", "../../test/tidy/imports.ts").length, 1);
  assert.equal(planted("src/server/commands/x.ts", "../../protocol/reply.ts").length, 0);
  assert.equal(planted("src/protocol/x.ts", "node:stream").length, 0);
  assert.equal(planted("src/protocol/x.ts", "node:net").length, 1);
  assert.equal(planted("src/jail/x.ts", "../workspace/workspace.ts").length, 1);
  assert.equal(planted("src/jail/x.ts", "../sys/process-calls.ts").length, 0);
});

function planted(path: string, specifier: string): readonly string[] {
  return wrongImports([{ path, text: `export * from "${specifier}";` }], allowed);
}
