/** No form of a URL, right or mistyped, gives its password away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutPassword, withoutPasswords } from "./masked.ts";

const FORMS: readonly (readonly [typed: string, shown: string])[] = [
  ["ftp://ann:secret@h/x", "ftp://ann@h/x"],
  ["FTPES://ann:secret@h", "FTPES://ann@h"],
  ["http:/u:secret@h/x", "http:/u@h/x"],
  ["fpt://ann:secret@h/x", "fpt://ann@h/x"],
  ["ftp://ann:sec@secret@h/x", "ftp://ann@h/x"],
  ["ftp://ann:sec/secret@h/x", "ftp://ann@h/x"],
  ["ftp://ann:sec:secret@h/x", "ftp://ann@h/x"],
  ["ftp://:secret@h/x", "ftp://@h/x"],
];

test("a URL shows no password, as a word of a message and alone", () => {
  for (const [typed, shown] of FORMS) {
    assert.equal(withoutPassword(typed), shown);
    assert.equal(
      withoutPasswords(`cannot read ${typed}: "${typed}" is none`),
      `cannot read ${shown}: "${shown}" is none`,
    );
  }
});

test("what a hand typed alone shows none without a scheme, with blanks, and half a scheme", () => {
  for (const typed of ["ann:secret@h/x", "ann:se:cret@h", "ftp:ann:secret@h", "ftp://ann:my secret@h/x"]) {
    assert.doesNotMatch(withoutPassword(typed), /se|cret/, typed);
  }
});

test("what has no password stays as it is", () => {
  for (const text of [
    "ftp://ann@h:2121/x",
    "ftp://ann@h/a:b",
    "report.pdf",
    "a@b",
    "h:/path",
    "ftp://h:21/a",
    "at 12:30, see ftp://h/",
  ]) {
    assert.equal(withoutPassword(text), text);
    assert.equal(withoutPasswords(text), text);
  }
});
