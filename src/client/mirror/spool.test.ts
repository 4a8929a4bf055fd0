import assert from "node:assert/strict";
import { test } from "node:test";
import { Spool } from "./spool.ts";
import type { Step } from "./types.ts";

function step(at: number): Step {
  return { kind: "delete-file", path: `folder/na\u00efve\nname ${at}`, why: "extra" };
}

test("steps come back in order from memory and file, as often as one likes", async () => {
  for (const count of [0, 3, 7, 5_000]) {
    await using spool = new Spool(7);
    for (let at = 0; at < count; at++) await spool.add(step(at));
    const wanted = Array.from({ length: count }, (_, at) => step(at));
    assert.deepEqual(await Array.fromAsync(spool), wanted);
    assert.deepEqual(await Array.fromAsync(spool), wanted);
    assert.equal(spool.count, count);
  }
});
