import assert from "node:assert/strict";
import { posix, win32 } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOfText } from "../../base/bytes.ts";
import { joined } from "../octets.ts";
import { unsafeName } from "./unsafe-name.ts";

test("attack 64: a name that leads elsewhere or speaks to a terminal is refused, with the reason", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /empty/],
    [".", /folder/],
    ["..", /folder/],
    ["../x", /"\/"/],
    ["/etc/passwd", /"\/"/],
    ["a\0b", /control octet/],
    ["a\r\nb", /control octet/],
    ["\x1b[2J", /control octet/],
    ["\x7f", /control octet/],
    ["a\xc2\x9bb", /control character/],
  ];
  for (const [name, reason] of cases) assert.match(unsafeName(joined(name)) ?? "", reason, JSON.stringify(name));
});

test("everything else is a name, in any set", () => {
  for (const name of [
    "a",
    "...",
    " ",
    "a b ",
    "-rf",
    "con",
    "a:b",
    "\\",
    "a*",
    "\xe9",
    "\xff\xfe",
    "..a",
    "a..",
    "\x82\xa0",
  ]) {
    assert.equal(unsafeName(joined(name)), undefined, name);
  }
  assert.equal(unsafeName(bytesOfText("Übung-日本語-é")), undefined);
  assert.equal(unsafeName(bytesOfText("日本語"), { windows: true }), undefined);
});

test("attack 64: Windows takes more names for something else", () => {
  const names = [
    "a\\b",
    "..\\x",
    "C:",
    "C:x",
    "a:stream",
    "a*",
    "a?",
    "a|b",
    "<a",
    'a"',
    "CON",
    "nul.txt",
    "com1",
    "LPT9 .x",
    "con:",
    "aux",
    "CONIN$",
    "com\xb9",
    "a.",
    "a ",
  ];
  for (const name of names) assert.notEqual(unsafeName(joined(name), { windows: true }), undefined, name);
  for (const name of ["console", "nulls.txt", "com", "com10", "a.con", "a b"]) {
    assert.equal(unsafeName(joined(name), { windows: true }), undefined, name);
  }
});

test("attack 64: no name that passes can leave its folder", () => {
  const parts = fc.constantFrom(".", "..", "/", "\\", ":", "C:", "a", " ", "\0", "\n");
  const names = fc.array(parts, { maxLength: 6 }).map((each) => joined(each.join("")));
  fc.assert(
    fc.property(names, (name) => {
      if (unsafeName(name) === undefined) assert.equal(posix.dirname(posix.resolve("/folder", name)), "/folder");
      if (unsafeName(name, { windows: true }) === undefined) {
        assert.equal(win32.dirname(win32.resolve("C:\\folder", name)), "C:\\folder");
      }
    }),
    { numRuns: 2000 },
  );
});
