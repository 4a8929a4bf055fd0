/** A connection that breaks after any octet of a whole upload or listing, as in breaks.test.ts: two files, as each takes its time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sweep } from "./sweep.ts";
import { ACTS } from "./unharmed.ts";

/** A call says and hears some hundred octets: fewer tries mean that the sweep has swept nothing. */
const TRIES_AT_LEAST = 300;

for (const name of ["put", "list"] as const) {
  test(`${name}: broken after every octet, by a reset and by an end in turns`, async () => {
    assert.ok((await sweep({ act: ACTS[name], every: 2 })) > TRIES_AT_LEAST);
  });
}
