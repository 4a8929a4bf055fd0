/** PEM blocks out of real files, and out of hostile ones in linear time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pemBlocks, pemOf } from "./pem.ts";

test("property: what was armoured comes out whole, whatever stands around it", () => {
  const noise = fc.string().filter((text) => !text.includes("-----"));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 200 }), noise)), (parts) => {
      const armoured = parts.map(([octets]) => pemOf("TEST BLOCK", Buffer.from(octets)));
      const text = parts.map(([, before], at) => `${before}\n${armoured[at]}`).join("");
      assert.deepEqual(
        pemBlocks(text),
        armoured.map((block) => ({ label: "TEST BLOCK", text: block })),
      );
    }),
  );
});

function texts(text: string): readonly string[] {
  return pemBlocks(text).map((block) => block.text);
}

test("a block that is cut off or ends as another one is left out, and the next is found", () => {
  const whole = pemOf("A", Buffer.from("abc"));
  assert.deepEqual(texts(`${whole.slice(0, -6)}\n${whole}`), [whole]);
  assert.deepEqual(texts(whole.replace("END A", "END B")), []);
  assert.deepEqual(texts("-----BEGIN "), []);
  assert.deepEqual(texts(`-----BEGIN a-----\n-----END a-----\n${whole}`), [whole]);
});

test("thousands of beginnings without an end take no time", () => {
  const begun = performance.now();
  assert.deepEqual(pemBlocks("-----BEGIN A-----".repeat(15_000)), []);
  assert.ok(performance.now() - begun < 2_000);
});
