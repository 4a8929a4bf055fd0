import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readAhead } from "./read-ahead.ts";

/** A file of memory whose reads bring as many octets as they like, at least one. */
function fileOf(content: Uint8Array, most: number): { read: (into: Buffer, position: number) => Promise<number> } {
  return {
    read: async (into, position) => {
      await Promise.resolve();
      const octets = content.subarray(position, position + Math.min(most, into.length));
      into.set(octets);
      return octets.length;
    },
  };
}

test("a span is given in order, whatever the sizes, up to its end or the file's", async () => {
  const sizes = fc.record({ start: fc.nat(40), length: fc.nat(60), octets: fc.integer({ min: 1, max: 20 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      sizes,
      async (content, most, { start, length, octets }) => {
        const parts: Buffer[] = [];
        for await (const chunk of readAhead(fileOf(content, most), { start, end: start + length }, octets)) {
          assert.ok(chunk.length > 0 && chunk.length <= octets);
          parts.push(Buffer.from(chunk));
        }
        assert.deepEqual(Buffer.concat(parts), Buffer.from(content.subarray(start, start + length)));
      },
    ),
  );
});

test("a fault of a read is told after what was read before it", async () => {
  const file = fileOf(Buffer.from("abcdef"), 2);
  const broken = {
    read: async (into: Buffer, position: number): Promise<number> => {
      if (position === 4) throw new Error("the disk is gone");
      return file.read(into, position);
    },
  };
  let came = "";
  await assert.rejects(async () => {
    for await (const chunk of readAhead(broken, { start: 0, end: 6 }, 2)) came += chunk.toString();
  }, /the disk is gone/);
  assert.equal(came, "abcd");
});
