/** DER as other readers see it, and its edges. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  time,
  utf8String,
} from "./der.ts";
import { put, run, withFolder } from "./test-tools.ts";

/** The elements in a row of DER, as an independent reader finds them. */
function read(der: Buffer): readonly { readonly tag: number; readonly content: Buffer }[] {
  const found: { tag: number; content: Buffer }[] = [];
  for (let at = 0; at < der.length;) {
    const tag = der.readUInt8(at);
    const first = der.readUInt8(at + 1);
    const more = first < 0x80 ? 0 : first & 0x7f;
    const length = more === 0 ? first : der.readUIntBE(at + 2, more);
    if (more > 0) assert.ok(length >= (more === 1 ? 0x80 : 256 ** (more - 1)), "longer than needed");
    const start = at + 2 + more;
    assert.ok(start + length <= der.length);
    found.push({ tag, content: der.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

function hex(der: Buffer): string {
  return der.toString("hex");
}

test("known encodings of X.690 and RFC 5280", () => {
  assert.equal(hex(oid("1.2.840.113549")), "06062a864886f70d");
  assert.equal(hex(oid("2.999.3")), "0603883703");
  assert.equal(hex(integer(0n)), "020100");
  assert.equal(hex(integer(127n)), "02017f");
  assert.equal(hex(integer(128n)), "02020080");
  assert.equal(hex(integer(256n)), "02020100");
  assert.equal(hex(boolean(true)), "0101ff");
  assert.equal(hex(boolean(false)), "010100");
  assert.equal(hex(bitString(Buffer.of(0x80), 7)), "03020780");
  assert.equal(hex(sequence()), "3000");
  assert.equal(hex(explicit(0, integer(2n))), "a003020102");
  assert.equal(hex(implicit(2, Buffer.from("a"))), "820161");
  assert.equal(hex(utf8String("é")), "0c02c3a9");
  assert.equal(time(Date.UTC(2049, 11, 31, 23, 59, 59)).toString("latin1"), "\x17\x0d491231235959Z");
  assert.equal(time(Date.UTC(2050, 0, 1)).toString("latin1"), "\x18\x0f20500101000000Z");
  assert.equal(time(Date.UTC(1949, 11, 31)).toString("latin1"), "\x18\x0f19491231000000Z");
  assert.equal(time(Date.UTC(1950, 0, 1, 0, 0, 0, 999)).toString("latin1"), "\x17\x0d500101000000Z");
});

test("what DER cannot say is refused", () => {
  assert.throws(() => integer(-1n), RangeError);
  for (const wrong of ["", "1", "3.1", "1.2.", "1.x", "1.40", "0.40.1", "1.2\n"])
    assert.throws(() => oid(wrong), RangeError);
  for (const wrong of [NaN, Infinity, Date.UTC(10_000, 0), -62_167_219_200_001])
    assert.throws(() => time(wrong), RangeError);
  for (const wrong of [-1, 31, 0.5]) assert.throws(() => implicit(wrong, Buffer.alloc(0)), RangeError);
});

test("property: any content comes back, with the shortest length", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 5 }), (parts) => {
      const [outer] = read(sequence(...parts.map((part) => octetString(Buffer.from(part)))));
      assert.equal(outer?.tag, 0x30);
      assert.deepEqual(
        read(outer.content).map(({ content }) => [...content]),
        parts.map((part) => [...part]),
      );
    }),
  );
  for (const length of [127, 128, 255, 256, 65_535, 65_536]) {
    assert.equal(read(octetString(Buffer.alloc(length)))[0]?.content.length, length);
  }
});

test("property: integers are positive two's complement, as short as can be", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 160n }), (value) => {
      const content = read(integer(value))[0]?.content ?? Buffer.alloc(0);
      assert.equal(BigInt(`0x${content.toString("hex")}`), value);
      assert.ok(content.readUInt8(0) < 0x80);
      assert.ok(content.length === 1 || content.readUInt8(0) !== 0 || content.readUInt8(1) >= 0x80);
    }),
  );
});

test("property: a set has one order", () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: 0n, max: 70_000n })), (values) => {
      const parts = values.map(integer);
      assert.ok(setOf(...parts).equals(setOf(...parts.toReversed())));
    }),
  );
});

test("property: OpenSSL reads object identifiers and times as they were meant", async (t) => {
  await withFolder(async (folder) => {
    const numbers = fc.sample(fc.array(fc.nat({ max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 6 }), {
      numRuns: 20,
      seed: 1,
    });
    const ids = numbers.map((rest) => ["2", ...rest].join("."));
    const times = fc.sample(fc.integer({ min: -631_152_000, max: 253_402_300_799 }), { numRuns: 20, seed: 2 });
    const file = await put(folder, {
      name: "x.der",
      text: sequence(...ids.map(oid), ...times.map((seconds) => time(seconds * 1000))),
    });
    const parsed = run("openssl", ["asn1parse", "-inform", "der", "-in", file]);
    if (parsed === undefined) {
      t.skip("openssl is not installed");
      return;
    }
    assert.equal(parsed.status, 0, parsed.output);
    const found = [...parsed.output.matchAll(/(OBJECT|UTCTIME|GENERALIZEDTIME) *:(\S+)/g)];
    const shown = times.map((seconds) => {
      const digits = new Date(seconds * 1000).toISOString().replace(/[-:T]|\.000/g, "");
      return /^(?:19[5-9]|20[0-4])/.test(digits) ? digits.slice(2) : digits;
    });
    assert.equal(found.length, ids.length + times.length);
    // OpenSSL shows the identifiers that it knows by name.
    found.slice(0, ids.length).forEach(([, , text = ""], at) => {
      if (/^[\d.]+$/.test(text)) assert.equal(text, ids[at]);
    });
    assert.deepEqual(
      found.slice(ids.length).map(([, , text]) => text),
      shown,
    );
  });
});
