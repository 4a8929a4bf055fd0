import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOf, bytesOfText } from "../base/bytes.ts";
import { REPLY_LIMIT, REPLY_LINE_LIMIT } from "./limits.ts";
import { type ParsedReply, REPLY_TEXT, ReplyParser, encodeReply, quotePath, reply, unquotePath } from "./reply.ts";

function parse(wire: string): { readonly replies: readonly ParsedReply[]; readonly parser: ReplyParser } {
  const parser = new ReplyParser();
  return { replies: parser.push(Buffer.from(wire, "latin1")), parser };
}

/** What arrives when these lines are a reply. */
function sent(...lines: [string, ...string[]]): string {
  return encodeReply({ code: 211, lines });
}

test("a reply has its code's standing text, or its own lines", () => {
  assert.deepEqual(reply(250), { code: 250, lines: ["Done."] });
  assert.deepEqual(reply(211, "a", "b", "c"), { code: 211, lines: ["a", "b", "c"] });
  assert.equal(encodeReply(reply(213, "5")), "213 5\r\n");
  assert.equal(encodeReply(reply(250, "")), "250 \r\n");
});

test("every standing text is one plain line, and no promise of the wrong class", () => {
  for (const [code, text] of Object.entries(REPLY_TEXT)) {
    assert.match(code, /^[1-5][0-5]\d$/);
    assert.match(text, /^[ -~]+$/);
  }
});

test("several lines are framed as RFC 959 §4.2 says", () => {
  assert.equal(sent("first", "middle", "last"), "211-first\r\nmiddle\r\n211 last\r\n");
  assert.equal(sent("Features:", " SIZE", "End"), "211-Features:\r\n SIZE\r\n211 End\r\n");
});

test("no middle line looks like the last one", () => {
  assert.equal(
    sent("a", "211 b", "211-c", "2112", "21 d", " 211 e", "z"),
    "211-a\r\n 211 b\r\n 211-c\r\n 2112\r\n21 d\r\n 211 e\r\n211 z\r\n",
  );
});

test("no name forges a line; other control octets stay", () => {
  assert.equal(sent("x\r\n226 done\0"), "211 x??226 done?\r\n");
  assert.equal(sent("\x1b[31m\t"), "211 \x1b[31m\t\r\n");
  assert.equal(sent("a", "b\r\n211 z", "c"), "211-a\r\nb??211 z\r\n211 c\r\n");
});

test("text that is no octets cannot become a line end", () => {
  assert.equal(sent("a\u010a\u010d\u20ac"), "211 a???\r\n");
  assert.equal(sent(bytesOfText("\u00e4")), "211 \xc3\xa4\r\n");
});

test("0xFF is doubled on the wire (RFC 854)", () => {
  assert.equal(sent("\xffa\xff\xff"), "211 \xff\xffa\xff\xff\xff\xff\r\n");
});

test("a path in quotes has its own quotes doubled (RFC 959 Appendix II)", () => {
  assert.equal(quotePath(bytesOfText('/a "b"')), '"/a ""b"""');
  assert.equal(unquotePath(bytesOfText('is "/a ""b""" now "x"')), '/a "b"');
  assert.equal(unquotePath(bytesOfText('""')), "");
  for (const text of ["", "none", 'one " only', '"a""']) assert.equal(unquotePath(bytesOfText(text)), undefined, text);
});

test("every path comes back from its quotes", () => {
  const paths = fc
    .array(fc.constantFrom('"', "a", "/", " ", "\xff"))
    .map((parts) => bytesOf(Buffer.from(parts.join(""), "latin1")));
  fc.assert(
    fc.property(paths, (path) => {
      assert.equal(unquotePath(bytesOf(Buffer.from(`${quotePath(path)} is here`, "latin1"))), path);
    }),
  );
});

test("replies of other servers are read", () => {
  const { replies, parser } = parse(
    "220 hi\r\n230-a\n230-b\r\n 230 c\r\n231 d\r\n230 \r\n200\r\n211-\r\nx\r\n211\r\n631 x\r\n",
  );
  assert.deepEqual(replies, [
    { code: 220, lines: ["hi"] },
    { code: 230, lines: ["a", "230-b", " 230 c", "231 d", ""] },
    { code: 200, lines: [""] },
    { code: 211, lines: ["", "x", ""] },
    { code: 631, lines: ["x"] },
  ]);
  assert.equal(parser.fault, undefined);
  assert.equal(parser.isPending, false);
});

test("a reply is pending until its last line has ended", () => {
  const { replies, parser } = parse("211-a\r\n");
  assert.deepEqual(replies, []);
  assert.equal(parser.isPending, true);
  assert.deepEqual(parser.push(Buffer.from("211 b\r")), []);
  assert.equal(parser.isPending, true);
  assert.deepEqual(parser.push(Buffer.from("\n")), [{ code: 211, lines: ["a", "b"] }]);
  assert.equal(parser.isPending, false);
  parser.push(Buffer.from("2"));
  assert.equal(parser.isPending, true);
});

test("what is no reply ends the reading, after the replies before it", () => {
  for (const line of ["", "hello", "22", "2200 x", "099 x", "700 x", "260 x", "220x", " 220 x"]) {
    const { replies, parser } = parse(`200 ok\r\n${line}\r\n200 more\r\n`);
    assert.deepEqual(replies, [{ code: 200, lines: ["ok"] }], line);
    assert.equal(parser.fault, "malformed");
    assert.deepEqual(parser.push(Buffer.from("200 more\r\n")), []);
  }
});

test("attack 64: a server cannot make a client hold more than the limits", () => {
  assert.equal(parse("2".repeat(REPLY_LINE_LIMIT)).parser.fault, "too-long");
  const line = `${"x".repeat(1022)}\r\n`;
  const { parser } = parse("211-a\r\n");
  for (let octets = 0; octets < REPLY_LIMIT - 2048; octets += 1022) parser.push(Buffer.from(line));
  assert.equal(parser.fault, undefined);
  for (let octets = 0; octets < 4096; octets += 1022) parser.push(Buffer.from(line));
  assert.equal(parser.fault, "too-long");
});

test("a Telnet interrupt among replies is passed over", () => {
  assert.deepEqual(parse("\xff\xf4200 ok\r\n").replies, [{ code: 200, lines: ["ok"] }]);
});

const octetLine = fc.uint8Array({ maxLength: 12 }).map((octets) => Buffer.from(octets).toString("latin1"));
const digits = fc.stringMatching(/^2?1?1?[ -]?x?$/);

test("any lines come back as one reply, however the wire is split", () => {
  const lines = fc.array(fc.oneof(octetLine, digits), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(lines, fc.array(fc.nat(9)), ([first = "", ...rest], cuts) => {
      const wire = Buffer.from(sent(first, ...rest), "latin1");
      const parser = new ReplyParser();
      const found: ParsedReply[] = [];
      let from = 0;
      for (const cut of [...cuts, wire.length]) {
        found.push(...parser.push(wire.subarray(from, from + cut)));
        from += cut;
      }
      const clean = [first, ...rest].map((line) => line.replaceAll(/[\r\n\0]/g, "?"));
      const expected = clean.map((line, at) => (at > 0 && at < rest.length && /^\d{3}/.test(line) ? ` ${line}` : line));
      // At the start of a line a lone DM is the rest of a Synch: a line that a client may lose an octet of, never gain.
      const exact = expected.map((line, at) => (at > 0 && at < rest.length ? line.replace(/^\xf2+/, "") : line));
      assert.deepEqual(found, [{ code: 211, lines: exact }]);
      assert.equal(parser.isPending, false);
    }),
    { numRuns: 1000 },
  );
});

test("no octets make the parser throw, and a split changes nothing", () => {
  const wire = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .array(fc.constantFrom("2", "1", "-", " ", "\r\n", "x", "211-", "211 "), { maxLength: 30 })
      .map((parts) => Buffer.from(parts.join(""))),
  );
  fc.assert(
    fc.property(wire, fc.nat(60), (octets, cut) => {
      const all = Buffer.from(octets);
      const whole = new ReplyParser();
      const expected = whole.push(all);
      const parts = new ReplyParser();
      assert.deepEqual([...parts.push(all.subarray(0, cut)), ...parts.push(all.subarray(cut))], expected);
      assert.equal(parts.fault, whole.fault);
    }),
    { numRuns: 1000 },
  );
});
