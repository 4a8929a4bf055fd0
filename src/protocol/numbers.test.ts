import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseMode, parseOffset, parseRange } from "./numbers.ts";

test("attack 51: an offset is decimal digits up to 2^53-1, and nothing else", () => {
  assert.equal(parseOffset("0"), 0);
  assert.equal(parseOffset("007"), 7);
  assert.equal(parseOffset("9007199254740991"), Number.MAX_SAFE_INTEGER);
  const odd = ["", "-1", "+1", " 1", "1 ", "1e3", "0x10", "1.0", "9007199254740992", "9223372036854775808"];
  for (const text of [...odd, "18446744073709551616", "\u0661", "1\n", "0".repeat(17), "NaN"]) {
    assert.equal(parseOffset(text), undefined, JSON.stringify(text));
  }
});

test("every offset comes back from its digits", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (offset) => parseOffset(`${offset}`) === offset));
});

test("a range has both ends within, and 1 0 takes it back (draft-bryan-ftp-range)", () => {
  assert.deepEqual(parseRange("0 99"), { kind: "range", start: 0, end: 99 });
  assert.deepEqual(parseRange("5 5"), { kind: "range", start: 5, end: 5 });
  assert.deepEqual(parseRange("1 0"), { kind: "reset" });
  for (const text of ["", "0", "0 ", " 0", "2 0", "5 4", "0 1 2", "-1 5", "0  1", "0 9007199254740992"]) {
    assert.equal(parseRange(text), undefined, JSON.stringify(text));
  }
});

test("every range in order comes back from its text, and no other", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (start, end) => {
      const backward = start === 1 && end === 0 ? { kind: "reset" } : undefined;
      assert.deepEqual(parseRange(`${start} ${end}`), start <= end ? { kind: "range", start, end } : backward);
    }),
  );
});

test("a mode is one to four octal digits", () => {
  assert.equal(parseMode("644"), 0o644);
  assert.equal(parseMode("0"), 0);
  assert.equal(parseMode("7777"), 0o7777);
  for (const text of ["", "8", "07777", "0o644", "u+x", "-1", "644 "]) assert.equal(parseMode(text), undefined, text);
});

test("every mode comes back from its digits", () => {
  fc.assert(fc.property(fc.nat(0o7777), (mode) => parseMode(mode.toString(8)) === mode));
});

test("no text makes a parser throw or return what is no whole number", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const number of [parseOffset(text), parseMode(text)]) {
        assert.ok(number === undefined || (Number.isSafeInteger(number) && number >= 0));
      }
      parseRange(text);
    }),
  );
});
