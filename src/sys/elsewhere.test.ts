import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";
import { loadDataCalls } from "./data-calls.ts";

const calls = loadDataCalls();
const skip = calls === undefined ? "foreign-function calls need Linux and koffi" : false;

test("more calls at once than koffi has places for wait for their turn", { skip }, async () => {
  assert.ok(calls !== undefined);
  const file = openSync("/dev/null", "w");
  try {
    const octets = Buffer.alloc(100);
    const writing = Array.from({ length: 1_000 }, async () => await calls.writeElsewhere(file, octets));
    assert.deepEqual(new Set(await Promise.all(writing)), new Set([100]));
  } finally {
    closeSync(file);
  }
});
