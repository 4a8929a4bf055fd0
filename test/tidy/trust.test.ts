/** docs/TRUST.md says which test shows us safe from which attack: it is held to the names of the tests that there are. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT, sourceFiles } from "./source-files.ts";

/** Rows of the list of attacks. */
const ROWS = 64;
/** A heading and what follows it. */
const [, EXISTING = "", MISSING = ""] = readFileSync(join(ROOT, "docs", "TRUST.md"), "utf8").split(
  /^## Rows that .*$/m,
);
const TITLE = /\b(?:test|suite|it|describe|jailTest)\(\s*(["'`])((?:(?!\1).)*)\1/g;
const NUMBERS = /\battacks? (\d+(?:(?:, | and )\d+)*)/;

/** Row → files with tests of that number. */
function testsByRow(files: readonly { readonly path: string; readonly text: string }[]): Map<number, Set<string>> {
  const rows = new Map<number, Set<string>>();
  for (const { path, text } of files) {
    for (const [, , title = ""] of text.matchAll(TITLE)) {
      const [, numbers = ""] = NUMBERS.exec(title) ?? [];
      for (const [number] of numbers.matchAll(/\d+/g)) {
        rows.set(Number(number), (rows.get(Number(number)) ?? new Set()).add(path));
      }
    }
  }
  return rows;
}

type Row = { readonly row: number; readonly protection: string; readonly tests: readonly string[] };

function tableRows(text: string): readonly Row[] {
  return [...text.matchAll(/^\| (\d+) \|(.*)\|$/gm)].map(([, row, rest = ""]) => {
    const cells = rest.split(" | ");
    return { row: Number(row), protection: cells[1] ?? "", tests: pathsIn(cells[2] ?? "") };
  });
}

function pathsIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`((?:src|test)\/[^`]+)`/g)].map(([, path = ""]) => path);
}

const covered = tableRows(EXISTING);
const files = sourceFiles("src/**/*.test.ts", "src/testing/*.ts", "test/**/*.test.ts");
const tests = testsByRow(files.filter(({ path }) => !path.startsWith("test/tidy/")));

test("each row of TRUST.md names the files with tests of that number, all of them and no others", () => {
  const differences = [...new Set([...covered.map(({ row }) => row), ...tests.keys()])].flatMap((row) => {
    const there = tests.get(row) ?? new Set();
    const named = new Set(covered.find((each) => each.row === row)?.tests);
    return [
      ...[...there.difference(named)].map((path) => `row ${row} does not name ${path}`),
      ...[...named.difference(there)].map((path) => `row ${row} names ${path}, which has no test "attack ${row}: …"`),
      ...(there.size === 0 ? [`row ${row} has no test`] : []),
    ];
  });
  assert.deepEqual(differences, []);
});

test("every row of the list of attacks is covered, or stands among what is not built", () => {
  const numbers = covered.map(({ row }) => row);
  assert.deepEqual(numbers, [...new Set(numbers)], "a row stands there twice");
  const all = new Set([...numbers, ...tableRows(MISSING).map(({ row }) => row)]);
  const absent = Array.from({ length: ROWS }, (_, index) => index + 1).filter((row) => !all.has(row));
  assert.deepEqual(absent, []);
});

test("what protects us is there", () => {
  const dead = covered.flatMap(({ row, protection }) => {
    const paths = pathsIn(protection);
    if (paths.length === 0) return [`row ${row} names no file`];
    return paths.filter((path) => !existsSync(join(ROOT, path))).map((path) => `row ${row}: there is no ${path}`);
  });
  assert.deepEqual(dead, []);
});

test("every way to name rows in a test is read", () => {
  const text = [
    'test("attack 1: a", …',
    "test(`attack 2, 3: ${b}`, …",
    'suite(\n  "attacks 4 and 5: c", …',
    'it("d (attacks 6, 7)", …',
    '// "attack 8"',
  ].join("\n");
  assert.deepEqual([...testsByRow([{ path: "x", text }]).keys()], [1, 2, 3, 4, 5, 6, 7]);
});
