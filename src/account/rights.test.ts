/** Rights in words: both ways, and what is said of a wrong one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { RIGHTS } from "./account.ts";
import { PRESETS, formatRights, parseRights } from "./rights.ts";

test("presets, single rights and mixtures", () => {
  assert.deepEqual([...parseRights("read")], ["list", "read"]);
  assert.deepEqual([...parseRights("list, read")], ["list", "read"]);
  assert.deepEqual([...parseRights("read,mkdir")], ["read", "mkdir"]);
  assert.throws(() => parseRights("drop,mkdir"), /"drop"\. That preset stands alone/);
  assert.equal(parseRights("none").size, 0);
  assert.equal(parseRights("full").size, RIGHTS.length);
});

test("a drop box takes new files and shows, changes and removes nothing (features.md B1)", () => {
  assert.deepEqual(PRESETS.drop, ["write"]);
  assert.ok(!parseRights("write").has("delete") && !parseRights("write").has("rename"));
});

test("a wrong word is named, with all that are right and the nearest", () => {
  assert.throws(() => parseRights("raed"), /no right "raed"\. Did you mean "read"\? Presets: none, .*rights: list/);
  for (const text of ["", "read,", "constructor", "READ"]) assert.throws(() => parseRights(text), RangeError, text);
});

test("what is printed reads back as the same rights", () => {
  const rights = fc.uniqueArray(fc.constantFrom(...RIGHTS)).map((list) => new Set(list));
  fc.assert(fc.property(rights, (set) => assert.deepEqual(parseRights(formatRights(set)), set)));
});
