/** Names of accounts: what may be one, and what a client's octets are read as (attacks 22, 33). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, bytesOfText } from "../base/bytes.ts";
import { NAME_LIMIT, nameOfClient, nameProblem } from "./names.ts";

const GOOD = ["ann", "Ann Lee", "ann@example.org", "ä", "用户", "a.b", "...", "__proto__", "x".repeat(NAME_LIMIT)];
const BAD = [
  "",
  ".",
  "..",
  "../ann",
  "a/../../b",
  "a\\b",
  "a\0b",
  "a\nb",
  "a\rb",
  "a\u007fb",
  "a\u0085b",
  "a\u2028b",
  "a\u202eb",
  " ann",
  "ann ",
  "\ud800",
  "x".repeat(NAME_LIMIT + 1),
  "ä".repeat(NAME_LIMIT / 2 + 1),
];

test("names of people and machines are fine; paths, controls and lookalikes are not", () => {
  for (const name of GOOD) assert.equal(nameProblem(name), undefined, name);
  for (const name of BAD) assert.ok(nameProblem(name), JSON.stringify(name));
});

test("the octets of a client mean the same, and what is no UTF-8 means nobody", () => {
  for (const name of GOOD) assert.equal(nameOfClient(bytesOfText(name)), name);
  for (const name of BAD.filter((each) => each.isWellFormed()))
    assert.equal(nameOfClient(bytesOfText(name)), undefined, JSON.stringify(name));
  assert.equal(nameOfClient(bytesOf(Buffer.from([0x61, 0xff]))), undefined);
  // An overlong "/".
  assert.equal(nameOfClient(bytesOf(Buffer.from([0xc0, 0xaf]))), undefined);
});
