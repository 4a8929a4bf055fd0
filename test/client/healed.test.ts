/** One connection that breaks, at any octet, and a server that is well afterwards: a call that may try again succeeds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FtpErrorCode } from "../../src/client/errors.ts";
import { sweep } from "./sweep.ts";
import { ACTS, CAREFUL } from "./unharmed.ts";

const TRIES_AT_LEAST = 100;
const PATIENT = { ...CAREFUL, retry: { attempts: 4, firstMs: 1, mostMs: 4 } } as const;
/** What is told and not tried again: a server that took half and called it good, and a listing of which a part was read. */
const TOLD: Readonly<Record<"get" | "put" | "list", readonly FtpErrorCode[]>> = {
  get: [],
  put: ["MISMATCH"],
  list: ["RESET"],
};

for (const name of ["get", "put", "list"] as const) {
  test(`${name}: healed`, async () => {
    const tried = await sweep({ act: ACTS[name], options: PATIENT, breaks: 1, mayEnd: TOLD[name], every: 5 });
    assert.ok(tried > TRIES_AT_LEAST, `${tried}`);
  });
}
