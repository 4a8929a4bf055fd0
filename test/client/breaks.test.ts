/** A connection that breaks after any octet of a whole download, in clear: an error or the truth, in time, and nothing is left. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sweep } from "./sweep.ts";
import { ACTS, WITHOUT_SIZE } from "./unharmed.ts";

/** A call says and hears some hundred octets: fewer tries mean that the sweep has swept nothing. */
const TRIES_AT_LEAST = 300;

test("get from a server without SIZE: what came without a 226 is not the file", async () => {
  assert.ok((await sweep({ act: ACTS.get, liar: { lies: WITHOUT_SIZE }, every: 2 })) > TRIES_AT_LEAST);
});

test("get: broken after every octet, by a reset and by an end in turns", async () => {
  assert.ok((await sweep({ act: ACTS.get, every: 2 })) > TRIES_AT_LEAST);
});
