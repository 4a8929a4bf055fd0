/** The documents say what the code does: README's table of commands is the command index, no more and no less. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { COMMANDS } from "../../src/server/commands/index.ts";
import { ROOT, sourceFiles } from "./source-files.ts";

const readme = readFileSync(join(ROOT, "README.md"), "utf8");

/** Verbs in backquotes in the rows between the markers. */
function documentedVerbs(): readonly string[] {
  const [, table = ""] = /<!-- commands -->([\s\S]*?)<!-- \/commands -->/.exec(readme) ?? [];
  return [...table.matchAll(/`([A-Z][A-Z0-9]*)`/g)].map(([, verb = ""]) => verb);
}

test("README's table of commands is in step with the command index", () => {
  const documented = documentedVerbs();
  assert.deepEqual(documented.toSorted(), [...new Set(documented)].toSorted(), "a command stands there twice");
  assert.deepEqual(documented.toSorted(), [...COMMANDS.keys()].toSorted());
});

test("every relative link in a document leads to a file", () => {
  const dead = sourceFiles("*.md", "docs/**/*.md", "demo/**/*.md").flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)/g)]
      .filter(([, target = ""]) => !existsSync(join(ROOT, dirname(path), target)))
      .map(([, target = ""]) => `${path}: ${target}`),
  );
  assert.deepEqual(dead, []);
});

test("ARCHITECTURE.md stays short enough to be read", () => {
  assert.ok(readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8").split("\n").length < 150);
});

test("the needed version of Node is the same in package.json, the launcher and README", async () => {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  assert.ok(typeof manifest === "object" && manifest !== null && "engines" in manifest);
  const needed = /NEEDED = \[(\d+), (\d+)\]/.exec(readFileSync(join(ROOT, "bin", "find-node.cjs"), "utf8"));
  const version = `${needed?.[1]}.${needed?.[2]}`;
  assert.deepEqual(manifest.engines, { node: `>=${version}` });
  assert.ok(readme.includes(version), "README names another version");
});
