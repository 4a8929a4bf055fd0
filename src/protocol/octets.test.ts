import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOf, bytesOfText } from "../base/bytes.ts";
import { isUtf8, joined } from "./octets.ts";

test("well-formed UTF-8 is told from other octets", () => {
  for (const text of ["", "plain", "\0\x7f", "\u00e4\u20ac\u{1f600}"])
    assert.equal(isUtf8(bytesOfText(text)), true, text);
  const broken = ["\xe4", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "a\x80"];
  for (const octets of broken) assert.equal(isUtf8(joined(octets)), false, JSON.stringify(octets));
});

test("octets are UTF-8 exactly when decoding and encoding gives them back", () => {
  const some = fc.oneof(
    fc.uint8Array({ maxLength: 6 }),
    fc.string({ unit: "binary", maxLength: 4 }).map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(some, (octets) => {
      const buffer = Buffer.from(octets);
      const again = Buffer.from(new TextDecoder("utf-8", { ignoreBOM: true }).decode(buffer), "utf8");
      assert.equal(isUtf8(bytesOf(buffer)), buffer.equals(again));
    }),
  );
});
