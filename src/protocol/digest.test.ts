import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { DIGEST_NAMES, type DigestName, createDigest } from "./digest.ts";

/** Of the octets of "123456789": the check values that each algorithm's own description gives or agrees with. */
const CHECKS: Readonly<Record<DigestName, string>> = {
  CRC32: "cbf43926",
  MD5: "25f9e794323b453885f5181f1b624d0b",
  "SHA-1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
  "SHA-256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
  "SHA-512":
    "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85",
};

test("each algorithm gives its check value", () => {
  for (const name of DIGEST_NAMES) {
    const digest = createDigest(name);
    digest.update(Buffer.from("1234"));
    digest.update(Buffer.from("56789"));
    assert.equal(digest.hex(), CHECKS[name], name);
  }
});

test("CRC32 keeps its leading zeros", () => {
  assert.equal(createDigest("CRC32").hex(), "00000000");
});

test("a digest does not depend on how the octets are split", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), fc.constantFrom(...DIGEST_NAMES), (chunks, name) => {
      const parts = createDigest(name);
      for (const chunk of chunks) parts.update(Buffer.from(chunk));
      const whole = createDigest(name);
      whole.update(Buffer.concat(chunks));
      assert.equal(parts.hex(), whole.hex());
    }),
  );
});

test("SHA-256 is the one of the platform", () => {
  const digest = createDigest("SHA-256");
  digest.update(Buffer.from("abc"));
  assert.equal(digest.hex(), createHash("sha256").update("abc").digest("hex"));
});
