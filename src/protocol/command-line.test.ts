import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOf, bytesOfText } from "../base/bytes.ts";
import { parseCommandLine } from "./command-line.ts";

function parse(text: string): string | undefined {
  const parsed = parseCommandLine(bytesOf(Buffer.from(text, "latin1")));
  return parsed === undefined ? undefined : `${parsed.verb}|${parsed.argument}`;
}

test("a verb, one space, and the argument as it stands (RFC 959 §5.3)", () => {
  assert.equal(parse("NOOP"), "NOOP|");
  assert.equal(parse("retr a b "), "RETR|a b ");
  assert.equal(parse("DELE  x"), "DELE| x");
  assert.equal(parse("CWD "), "CWD|");
  assert.equal(parse("XSHA256 a"), "XSHA256|a");
});

test("octets beyond ASCII stay as they are", () => {
  assert.equal(parse("RETR \xff\x1b\xc3\xa4\t"), "RETR|\xff\x1b\xc3\xa4\t");
});

test("a malformed verb is no command", () => {
  for (const line of ["", " NOOP", "NO-OP x", "NOOP\tx", "\xc4CWD", "GET/", "A".repeat(17), `${"A".repeat(17)} x`]) {
    assert.equal(parse(line), undefined, JSON.stringify(line));
  }
  assert.equal(parse("A".repeat(16)), `${"A".repeat(16)}|`);
});

test("only ASCII letters fold: dotless i in UTF-8 is no I", () => {
  assert.equal(parseCommandLine(bytesOfText("s\u0131ze x")), undefined);
  assert.equal(parseCommandLine(bytesOfText("\u017fize x")), undefined);
});

test("attack 33: NUL, CR and LF within a line make it none", () => {
  for (const octet of "\0\r\n") {
    for (const line of [`USER a${octet}b`, `USER${octet}`, `${octet}USER a`, `USER a${octet}`]) {
      assert.equal(parse(line), undefined, JSON.stringify(line));
    }
  }
});

test("attack 49: any octets parse to a clean command or to none", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (octets) => {
      const line = bytesOf(Buffer.from(octets));
      const parsed = parseCommandLine(line);
      if (parsed === undefined) return;
      assert.match(parsed.verb, /^[A-Z0-9]{1,16}$/);
      assert.doesNotMatch(parsed.argument, /[\0\r\n]/);
      assert.ok(line.endsWith(parsed.argument));
    }),
  );
});

test("verb and argument come back from the line that they make", () => {
  const verb = fc.stringMatching(/^[A-Za-z0-9]{1,16}$/);
  const argument = fc.uint8Array({ maxLength: 60 }).map((octets) => bytesOf(Buffer.from(octets)));
  fc.assert(
    fc.property(verb, argument, (name, text) => {
      const expected = /[\0\r\n]/.test(text) ? undefined : `${name.toUpperCase()}|${text}`;
      assert.equal(parse(`${name} ${text}`), expected);
    }),
  );
});
