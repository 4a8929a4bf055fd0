/** A connection that breaks in the midst of TLS, at a sample of its octets: handshakes, records and close_notify. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VERSIONS } from "../support/tls.ts";
import { sweep } from "./sweep.ts";
import { ACTS, CAREFUL } from "./unharmed.ts";

/** Octets between two breaks; a prime, so that they fall on different parts of the records. */
const EVERY = 71;
const TRIES_AT_LEAST = 50;

for (const version of VERSIONS) {
  for (const name of ["get", "put", "list"] as const) {
    test(`${name} over ${version}`, async () => {
      const options = { ...CAREFUL, tls: { mode: "explicit", trust: "any" } } as const;
      const tried = await sweep({ act: ACTS[name], liar: { tls: { version } }, options, every: EVERY });
      assert.ok(tried > TRIES_AT_LEAST, `${tried}`);
    });
  }
}
