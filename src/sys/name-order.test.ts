import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inNameOrder } from "./name-order.ts";

/** @returns names as `inNameOrder` puts them. */
function sorted(names: readonly string[]): readonly string[] {
  const buffer = Buffer.from(names.map((name) => `${name}\0junk`).join(""), "latin1");
  let at = 0;
  const offsets = Uint32Array.from(names, (name) => (at += name.length + 5) - name.length - 5);
  return Array.from(inNameOrder(buffer, offsets), (start) =>
    buffer.toString("latin1", start, buffer.indexOf(0, start)),
  );
}

test("names come in the order of their octets", () => {
  const alike = fc.array(fc.constantFrom("a", "b", "\xff", "aaaa"), { minLength: 1, maxLength: 30 });
  const name = fc.oneof(
    fc
      .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 12 })
      .map((codes) => String.fromCharCode(...codes)),
    alike.map((parts) => parts.join("")),
    fc.nat(9_999).map((number) => `a-common-beginning-${number}.txt`),
  );
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 300 }), (names) => {
      assert.deepEqual(sorted(names), names.toSorted());
    }),
  );
});

test("long names that differ late, and names that a broken folder has twice, come to an end", () => {
  const late = Array.from({ length: 50 }, (_, at) => "x".repeat(200 - at) + "y".repeat(at));
  assert.deepEqual(sorted(late), late.toSorted());
  const twice = [
    ...late,
    ...late,
    ...Array.from({ length: 20 }, () => "again"),
    ...Array.from({ length: 20 }, () => ""),
  ];
  assert.deepEqual(sorted(twice), twice.toSorted());
});

test("no name and one name are in order", () => {
  assert.deepEqual(sorted([]), []);
  assert.deepEqual(sorted(["one"]), ["one"]);
});
