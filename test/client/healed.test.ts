/** One connection that breaks, at any octet, and a server that is well afterwards: a call that may try again succeeds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sweep } from "./sweep.ts";
import { ACTS, CAREFUL } from "./unharmed.ts";

const TRIES_AT_LEAST = 100;
const PATIENT = { ...CAREFUL, retry: { attempts: 4, firstMs: 1, mostMs: 4 } } as const;

for (const name of ["get", "put", "list"] as const) {
  test(`${name}: healed`, async () => {
    const tried = await sweep({ act: ACTS[name], options: PATIENT, breaks: 1, ends: "well", every: 5 });
    assert.ok(tried > TRIES_AT_LEAST, `${tried}`);
  });
}
