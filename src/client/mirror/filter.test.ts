import assert from "node:assert/strict";
import { test } from "node:test";
import { FtpError } from "../errors.ts";
import { compileFilter, type FilterRule, type FilterSpec, rulesFromText } from "./filter.ts";

const FILE = { type: "file", size: 10, modified: undefined } as const;
const FOLDER = { type: "directory", size: undefined, modified: undefined } as const;

function taken(spec: FilterSpec, paths: readonly string[]): readonly string[] {
  const filter = compileFilter(spec);
  return paths.filter((path) => filter.takes(path.replace(/\/$/, ""), path.endsWith("/") ? FOLDER : FILE));
}

test("the last rule that matches decides", () => {
  const rules: readonly FilterRule[] = [
    { action: "exclude", glob: "*.log" },
    { action: "include", glob: "keep.log" },
    { action: "exclude", glob: "tmp/" },
    { action: "exclude", glob: "doc/**/draft*" },
  ];
  const paths = ["a.log", "sub/b.log", "sub/keep.log", "a.txt", "tmp/", "sub/tmp/", "tmp", "doc/x/draft1", "draft"];
  assert.deepEqual(taken({ rules }, paths), ["sub/keep.log", "a.txt", "tmp", "draft"]);
});

test("a first rule that includes leaves the rest out, but folders are gone through", () => {
  const rules: readonly FilterRule[] = [{ action: "include", glob: "*.{jpg,png}" }];
  assert.deepEqual(taken({ rules }, ["a.jpg", "b.txt", "sub/", "sub/c.png"]), ["a.jpg", "sub/", "sub/c.png"]);
});

test("regular expressions see the whole path, that of a folder with its slash", () => {
  const rules: readonly FilterRule[] = [
    { action: "exclude", regex: "^cache/" },
    { action: "exclude", regex: /\.BAK$/gi },
  ];
  assert.deepEqual(taken({ rules }, ["cache/", "cache", "sub/cache/", "a.bak", "b.bak"]), ["cache", "sub/cache/"]);
});

test("a rule's name may have letters of any alphabet", () => {
  const rules: readonly FilterRule[] = [{ action: "exclude", glob: "?bung.txt" }];
  assert.deepEqual(taken({ rules }, ["\u00dcbung.txt", "xxbung.txt"]), ["xxbung.txt"]);
});

test("sizes and ages are of files, and what is unknown is taken", () => {
  const now = Date.UTC(2024, 0, 2);
  const day = 86_400_000;
  const filter = compileFilter({ minSize: 5, maxSize: 9, minAgeMs: day, maxAgeMs: 10 * day }, now);
  const at = (size: number | undefined, age: number | undefined): boolean =>
    filter.takes("x", {
      type: "file",
      size,
      modified: age === undefined ? undefined : { ms: now - age, precision: "second", zone: "utc" },
    });
  assert.deepEqual([at(4, 2 * day), at(5, 2 * day), at(9, day), at(10, 2 * day)], [false, true, true, false]);
  assert.deepEqual([at(7, 0), at(7, 11 * day), at(undefined, undefined)], [false, false, true]);
  assert.ok(filter.takes("x", FOLDER));
});

test("rules from a file", () => {
  const text = "# comment\n\n+ *.txt\r\n- sub/*\n-~ ^x\n+~ y$\nplain name\n";
  assert.deepEqual(rulesFromText(text), [
    { action: "include", glob: "*.txt" },
    { action: "exclude", glob: "sub/*" },
    { action: "exclude", regex: "^x" },
    { action: "include", regex: "y$" },
    { action: "exclude", glob: "plain name" },
  ]);
});

function refused(rule: FilterRule): void {
  assert.throws(
    () => compileFilter({ rules: [rule] }),
    (error) => error instanceof FtpError && error.code === "USAGE",
  );
}

test("what is no pattern is refused", () => {
  refused({ action: "exclude", regex: "(" });
  refused({ action: "exclude", glob: "" });
  refused({ action: "exclude", glob: "a".repeat(5_000) });
  assert.throws(() => rulesFromText("x".repeat(2_000_000)), FtpError);
});
