import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AsciiDecoder, AsciiEncoder } from "./ascii.ts";

type Converter = AsciiEncoder | AsciiDecoder;

function convert(converter: Converter, ...chunks: readonly (string | Uint8Array)[]): string {
  // What comes out is good until the next call.
  const parts = chunks.map((chunk) => Buffer.from(converter.push(Buffer.from(chunk))));
  return Buffer.concat([...parts, converter.end()]).toString("latin1");
}
const encode = (...chunks: readonly (string | Uint8Array)[]): string => convert(new AsciiEncoder(), ...chunks);
const decode = (...chunks: readonly (string | Uint8Array)[]): string => convert(new AsciiDecoder(), ...chunks);

test("LF becomes CRLF, and what is CRLF stays (RFC 959 §3.1.1.1)", () => {
  assert.equal(encode("a\nb\n\n"), "a\r\nb\r\n\r\n");
  assert.equal(encode("a\r\nb\rc\r\r\n"), "a\r\nb\rc\r\r\n");
  assert.equal(encode("a\r", "\nb\r", "", "\n", "\n"), "a\r\nb\r\n\r\n");
  assert.equal(encode("a\r", "b\n", "\n"), "a\rb\r\n\r\n");
  assert.equal(encode(""), "");
});

test("CRLF becomes LF, and a CR or LF alone stays", () => {
  assert.equal(decode("a\r\nb\r\n\r\n"), "a\nb\n\n");
  assert.equal(decode("a\rb\nc\r\r\nd\r"), "a\rb\nc\r\nd\r");
  assert.equal(decode("a\r", "\nb\r", "", "c\r", "\r", "\n"), "a\nb\rc\r\n");
  assert.equal(decode(""), "");
});

test("a chunk in which nothing changes is not copied", () => {
  const chunk = Buffer.from("no line end");
  assert.equal(new AsciiEncoder().push(chunk), chunk);
  assert.equal(new AsciiDecoder().push(chunk).buffer, chunk.buffer);
});

test("a decoder works in the memory of the chunk", () => {
  const chunk = Buffer.from("a\r\nb\r\n");
  assert.equal(new AsciiDecoder().push(chunk).buffer, chunk.buffer);
});

test("after end a decoder begins anew", () => {
  const decoder = new AsciiDecoder();
  assert.equal(convert(decoder, "a\r"), "a\r");
  assert.equal(convert(decoder, "b"), "b");
});

/** Chunks rich in line ends, and some with lines of many lengths, so that each place of a word has one. */
const short = fc.array(fc.constantFrom(10, 13, 65), { maxLength: 8 });
const lines = fc
  .array(fc.tuple(fc.nat(40), fc.constantFrom([10], [13], [13, 10], [10, 10], [13, 13, 10])), { maxLength: 8 })
  .map((each) => each.flatMap(([length, end]) => [...Buffer.alloc(length, 0xfe), ...end]));
const chunks = fc.array(fc.oneof(short, lines).map((octets) => Buffer.from(octets)));

test("however the octets are split, the result is the same, and what plain replacing gives", () => {
  fc.assert(
    fc.property(chunks, (parts) => {
      const whole = Buffer.concat(parts).toString("latin1");
      assert.equal(encode(...parts), whole.replace(/(?<!\r)\n/g, "\r\n"));
      assert.equal(decode(...parts), whole.replaceAll("\r\n", "\n"));
    }),
    { numRuns: 2000 },
  );
});

test("a text without CR comes back from the wire as it was", () => {
  const octets = fc.array(fc.oneof(fc.constant(10), fc.integer({ min: 0, max: 255 })).filter((octet) => octet !== 13));
  fc.assert(
    fc.property(octets, (text) => {
      const wire = Buffer.from(encode(Buffer.from(text)), "latin1");
      assert.equal(decode(wire), Buffer.from(text).toString("latin1"));
    }),
  );
});
