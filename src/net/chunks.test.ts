import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { takeOctets } from "./chunks.ts";

test("what is taken and what stays are what was there, and as much is taken as was asked for", () => {
  const list = fc.array(fc.uint8Array({ minLength: 1, maxLength: 9 }), { maxLength: 9 });
  fc.assert(
    fc.property(list, fc.nat(80), (parts, count) => {
      const chunks = parts.map((part) => Buffer.from(part));
      const whole = Buffer.concat(chunks);
      const taken = takeOctets(chunks, count);
      assert.ok(Buffer.concat(taken).equals(whole.subarray(0, count)));
      assert.ok(Buffer.concat(chunks).equals(whole.subarray(count)));
      assert.ok([...taken, ...chunks].every(({ length }) => length > 0));
    }),
  );
});
