import assert from "node:assert/strict";
import { test } from "node:test";
import { untraced } from "./untraced.ts";

test("the error has its message and no trace, and the next one has a trace again", () => {
  const error = untraced(() => new RangeError("statx: ENOENT"));
  assert.equal(error.message, "statx: ENOENT");
  assert.ok(!error.stack?.includes("\n    at "));
  assert.match(new Error("another").stack ?? "", /\n {4}at /);
});
