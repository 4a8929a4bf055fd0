/** What the linter does not hold: each file says why it exists, is short with its comments too, and names its exports. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sourceFiles } from "./source-files.ts";

/** Lines of a file, everything counted (style.md); beyond it a reader has to scroll to find the parts. */
const LONGEST = 400;

const files = [...sourceFiles("src/**/*.ts", "test/**/*.ts"), ...sourceFiles("scripts/*.{cjs,mjs}", "bin/*.cjs")];

function offenders(isWrong: (text: string, path: string) => boolean): readonly string[] {
  return files.filter(({ path, text }) => isWrong(text, path)).map(({ path }) => path);
}

test("no file is longer than 400 lines", () => {
  assert.deepEqual(
    offenders((text) => text.trimEnd().split("\n").length > LONGEST),
    [],
  );
});

/** A command's `help` and `source` say what it is for; a unit test is for the file beside it. */
const SELF_EVIDENT = /^src\/(?:server\/commands\/.*|.*\.test)\.ts$/;

test("every file begins by saying why it exists", () => {
  assert.deepEqual(
    offenders(
      (text, path) => !SELF_EVIDENT.test(path) && !/^(?:#!.*\n)?(?:"use strict";\n)?\/(?:\*\*|\/) ?/.test(text),
    ),
    [],
  );
});

test("nothing is exported by default", () => {
  assert.deepEqual(
    offenders((text) => /^export default\b|^export \{[^}]*\bas default\b/m.test(text)),
    [],
  );
});

test("nothing is left to do: no TODO, FIXME or XXX, no test that is switched off", () => {
  const open = /\/[/*].*\b(?:TODO|FIXME|XXX)\b|\b(?:test|suite|it|describe)\.(?:only|skip|todo)\(/;
  assert.deepEqual(
    offenders((text, path) => open.test(text) && path !== "test/tidy/files.test.ts"),
    [],
  );
});

test("no file names this machine's folders or a registry", () => {
  const strange =
    /\/(?:home|work|Users)\/(?!ann\b)[a-z]\w+\/\w|registry\.npmjs|https?:\/\/[\w.]*(?:localhost|registry)[\w.]*\//;
  assert.deepEqual(
    offenders((text, path) => strange.test(text) && path !== "test/tidy/files.test.ts"),
    [],
  );
});
