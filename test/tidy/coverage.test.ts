/**
 * Loads every file of protocol/. The test runner measures the coverage of what was loaded: without this, a file that no
 * test imports would be missing from the figures instead of spoiling them.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { ROOT, isTest, sourceFiles } from "./source-files.ts";

test("every file of protocol/ loads by itself", async () => {
  const files = sourceFiles("src/protocol/**/*.ts").filter(({ path }) => !isTest(path));
  assert.ok(files.length > 0, "protocol/ was not found");
  for (const { path } of files) await import(pathToFileURL(join(ROOT, path)).href);
});
