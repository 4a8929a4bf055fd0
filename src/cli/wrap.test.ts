/** Lines for people are as wide as their terminal, and whole elsewhere. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fitting, wrapped } from "./wrap.ts";

const LONG =
  "ferryman: cannot get /pub/report.pdf: there is no such file, or the server does not show it to this user.";

test("a long line is broken at blanks, and goes on further in", () => {
  const lines = wrapped(LONG, 80).split("\n");
  assert.equal(lines.length, 2);
  assert.ok(lines.every((line) => line.length <= 80));
  assert.match(lines[1] ?? "", /^ {2}\S/);
  assert.equal(lines.map((line) => line.trim()).join(" "), LONG);
});

test("what fits, and a word that cannot, stays as it is; wide letters count two", () => {
  assert.equal(wrapped("one\n  two", 80), "one\n  two");
  const url = `ftp://example.org/${"a".repeat(90)}`;
  assert.equal(wrapped(`see ${url}`, 80), `see\n  ${url}`);
  assert.equal(wrapped("漢".repeat(15) + " " + "漢".repeat(15), 40).split("\n").length, 2);
});

test("where no terminal is, lines stay whole; a terminal that does not say its width has 80 columns", () => {
  assert.equal(fitting(LONG, {}), LONG);
  assert.equal(fitting(LONG, { isTTY: true, columns: 0 }), wrapped(LONG, 80));
});
