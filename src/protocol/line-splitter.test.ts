import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LINE_LIMIT, SUBNEGOTIATION_LIMIT } from "./limits.ts";
import { type LineEvent, LineSplitter } from "./line-splitter.ts";

/** Lines as their text, other events as `<kind>`. */
function show(events: readonly LineEvent[]): readonly string[] {
  return events.map((event) => (event.kind === "line" ? event.line : `<${event.kind}>`));
}

function split(text: string, limit?: number): readonly string[] {
  return show(new LineSplitter(limit).push(Buffer.from(text, "latin1")));
}

const IAC = "\xff";
const SB = `${IAC}\xfa`;
const SE = `${IAC}\xf0`;
const IP = `${IAC}\xf4`;
const DM = `${IAC}\xf2`;

test("lines end in LF, and one CR before it is dropped (RFC 959 §5.3)", () => {
  assert.deepEqual(split("USER ann\r\nNOOP\n\r\n\nQUIT\r\r\nrest"), ["USER ann", "NOOP", "", "", "QUIT\r"]);
});

test("pending is what a line holds before its end", () => {
  const splitter = new LineSplitter();
  splitter.push(Buffer.from("NOOP\r\nUSER"));
  assert.equal(splitter.pending, 4);
  splitter.push(Buffer.from("\n"));
  assert.equal(splitter.pending, 0);
});

test("CR NUL is a CR of the text, not half of a line end (RFC 2640 §3.1)", () => {
  assert.deepEqual(split("DELE a\r\0b\r\n"), ["DELE a\rb"]);
  assert.deepEqual(split("DELE a\r\0\r\n"), ["DELE a\r"]);
  assert.deepEqual(split("DELE a\r\0\0\n"), ["DELE a\r\0"], "one NUL pads, a second one is text");
  assert.deepEqual(split("\0a\0\n"), ["\0a\0"]);
  assert.deepEqual(split("a\r\0b\nc\r\n"), ["a\rb", "c"]);
});

test("attack 44: a LF after CR NUL is one of a name, not the start of a second command (RFC 2640 §3.1)", () => {
  assert.deepEqual(split("MKD a\r\0\nDELE b\r\n\n"), ["MKD a\r\nDELE b", ""]);
  assert.deepEqual(split(`${"a".repeat(99)}\r\0\nDELE b\r\nNOOP\r\n`, 20), ["<too-long>", "NOOP"]);
});

test("Telnet commands and negotiations are taken out (RFC 854)", () => {
  assert.deepEqual(split(`a${IAC}${IAC}b\n`), ["a\xffb"], "IAC IAC is one octet");
  for (let command = 0xec; command <= 0xf9; command++) {
    if (command === 0xf4) continue;
    assert.deepEqual(split(`a${IAC}${String.fromCharCode(command)}b\n`), ["ab"], `command ${command}`);
  }
  for (const negotiation of "\xfb\xfc\xfd\xfe") {
    assert.deepEqual(split(`a${IAC}${negotiation}\nb\n`), ["ab"], "the option is no text, even if it is a LF");
  }
  assert.deepEqual(split(`a${SB}\x18\n${IAC}${IAC}x${SE}b\n`), ["ab"], "subnegotiations too, with IAC IAC within");
});

test("IAC IP tells of ABOR in order, and the Synch after it goes (RFC 959 §4.1.3)", () => {
  assert.deepEqual(split(`NOOP\r\n${IP}${DM}ABOR\r\n`), ["NOOP", "<interrupt>", "ABOR"]);
});

test("a Synch that lost one octet to urgent data leaves no rest", () => {
  assert.deepEqual(split(`${IP}\xf2ABOR\r\n`), ["<interrupt>", "ABOR"], "IAC was the urgent octet");
  assert.deepEqual(split(`${IP}${IAC}ABOR\r\n`), ["<interrupt>", "ABOR"], "DM was the urgent octet");
  assert.deepEqual(split(`${IAC}\n`), [""]);
});

test("0xFF of a client that does not double it stays in a name, and never swallows a line end", () => {
  assert.deepEqual(split(`DELE ${IAC}a\xf2\n`), ["DELE \xffa\xf2"]);
  assert.deepEqual(split(`DELE ${IAC}\r\nNOOP\r\n`), ["DELE \xff", "NOOP"]);
});

test("attack 43, 44: a line over the limit is one event at once, and its rest is never run", () => {
  assert.deepEqual(split(`${"a".repeat(8)}\r\nNOOP\r\n`, 10), ["a".repeat(8), "NOOP"], "the limit counts CRLF");
  assert.deepEqual(split(`${"a".repeat(9)}\r\nNOOP\r\n`, 10), ["<too-long>", "NOOP"]);
  assert.deepEqual(split("a".repeat(10), 10), ["<too-long>"], "told before the LF comes");
  assert.deepEqual(split(`${"a".repeat(99)}DELE x${IP}\nNOOP\n`, 10), ["<too-long>", "<interrupt>", "NOOP"]);
  assert.deepEqual(split(`${"a".repeat(9)}\nb\n`, 10), ["a".repeat(9), "b"]);
});

test("attack 42, 43: never more than the limit is held, of any octets", () => {
  const splitter = new LineSplitter();
  const events: LineEvent[] = [];
  let most = 0;
  for (let octets = 0; octets < 1_000_000; octets += 1000) {
    events.push(...splitter.push(Buffer.alloc(1000, 65)));
    most = Math.max(most, splitter.pending);
  }
  assert.deepEqual(show(events), ["<too-long>"]);
  assert.ok(most < LINE_LIMIT);
});

test("a subnegotiation without end counts as a line too long", () => {
  assert.deepEqual(split(`${SB}${"x".repeat(SUBNEGOTIATION_LIMIT)}${SE}NOOP\n`), ["NOOP"]);
  assert.deepEqual(split(`${SB}${"x".repeat(SUBNEGOTIATION_LIMIT + 1)}${SE}NOOP\nQUIT\n`), ["<too-long>", "QUIT"]);
  const half = `${SB}${"x".repeat(SUBNEGOTIATION_LIMIT)}${SE}`;
  assert.deepEqual(split(`${half}${half}NOOP\n`), ["NOOP"], "each for itself");
  const endless = `${SB}${"x".repeat(2 * SUBNEGOTIATION_LIMIT)}`;
  assert.deepEqual(split(`${"a".repeat(99)}${endless}\nQUIT\n`, 10), ["<too-long>", "QUIT"], "told once");
  const escaped = `${IAC}${IAC}`.repeat(SUBNEGOTIATION_LIMIT + 1);
  assert.deepEqual(split(`${SB}${escaped}\nQUIT\n`), ["<too-long>", "QUIT"]);
});

/** Octets that mean something to a splitter, and a few that do not. */
const octet = fc.oneof(
  fc.constantFrom(0, 10, 13, 65, 66, 0xec, 0xf0, 0xf2, 0xf4, 0xfa, 0xfb, 0xfe, 0xff),
  fc.integer({ min: 0, max: 255 }),
);

test("attack 42: the same octets give the same events however they are split", () => {
  fc.assert(
    fc.property(
      fc.array(octet, { maxLength: 200 }),
      fc.array(fc.nat(20)),
      fc.integer({ min: 2, max: 40 }),
      (octets, cuts, limit) => {
        const wire = Buffer.from(octets);
        const whole = new LineSplitter(limit);
        const expected = show(whole.push(wire));
        const parts = new LineSplitter(limit);
        const events: LineEvent[] = [];
        let from = 0;
        for (const cut of [...cuts, wire.length]) {
          events.push(...parts.push(wire.subarray(from, from + cut)));
          assert.ok(parts.pending < limit);
          from += cut;
        }
        assert.deepEqual(show(events), expected);
        assert.equal(parts.pending, whole.pending);
        for (const each of events)
          assert.ok(each.kind !== "line" || (each.line.length < limit && !/(?<!\r)\n/.test(each.line)));
      },
    ),
    { numRuns: 1000 },
  );
});

test("any line without CR LF NUL comes back as it was, with 0xFF doubled", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 255 }).filter((each) => each !== 10 && each !== 13)), (octets) => {
      const line = `x${Buffer.from(octets).toString("latin1")}`;
      assert.deepEqual(split(`${line.replaceAll("\xff", "\xff\xff")}\r\n`), [line]);
    }),
  );
});
