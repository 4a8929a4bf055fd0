/** A short run of the fuzzer in every test run; `npm run fuzz` is the long one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryStorage } from "../../src/storage/memory.ts";
import { startServer } from "../support/server.ts";
import { fuzz } from "./fuzz.ts";

test("attacks 35 and 49: 20,000 random and mutated lines get one answer each, and no session ends", async () => {
  await using server = await startServer({
    openStorage: async () => createMemoryStorage({ "/a": "hello", "/dir/c": "deep" }),
  });
  const report = await fuzz({
    port: server.port,
    lines: 20_000,
    sessions: 20,
    parallel: 4,
    seed: 1,
    timeLimitMs: 60_000,
  });
  assert.deepEqual(report.wrong, []);
  assert.equal(report.sent, 20_000);
  assert.deepEqual(
    server.events.filter(({ type }) => type === "server.fault"),
    [],
  );
});
