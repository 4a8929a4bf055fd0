/** Nothing is left of sessions, however they end: descriptors, ports, temporaries. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { leftovers, until } from "../support/attack.ts";
import { churn } from "../support/churn.ts";
import { type Served, elsewhere, inWorker, openIn, startServe } from "../support/serve-process.ts";
import { Wire } from "../support/wire.ts";

/** By hand more: FERRYMAN_TEST_SESSIONS=10000. */
const SESSIONS = Number(process.env["FERRYMAN_TEST_SESSIONS"] ?? 500);

/** Of each worker: what is open besides passive ports, which stay open for the next. */
function openBesides(served: Served): readonly number[] {
  return served.workers().map((pid) => {
    const { descriptors, listening } = openIn(pid);
    return descriptors - listening;
  });
}

/** MiB resident (proc_pid_status(5)). */
function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1_024);
}

suite("what is left", { skip: elsewhere }, () => {
  test(`attack 53: nothing, after ${SESSIONS} sessions that ended in every way`, async (context) => {
    // Who has closed his side may still open a data connection; so long his session waits for one.
    await using served = await startServe({ env: { FERRYMAN_DATA_OPEN_TIMEOUT: "2" }, lifeMs: 60_000 + SESSIONS * 60 });
    await writeFile(join(served.place.home, "large"), Buffer.alloc(4_000_000));
    // What comes with the first of its kind, such as threads, stays.
    await churn(served.port, { count: 120, atOnce: 6 });
    await until("all have ended", () => served.of("session.closed").length === served.of("session.opened").length);
    const workers = served.workers();
    await until("their sockets are closed", () => workers.every((pid) => openIn(pid).connected === 0));
    const before = openBesides(served);
    const memoryBefore = workers.map(memoryOf);
    const taken = await churn(served.port, { count: SESSIONS, atOnce: 8 });
    await until("all have ended", () => served.of("session.closed").length === served.of("session.opened").length);
    await until("all is closed", () => openBesides(served).every((count, at) => count <= (before[at] ?? 0)));
    assert.deepEqual(served.workers(), workers);
    context.diagnostic(`MiB resident: ${memoryBefore.join(" ")}, then ${workers.map(memoryOf).join(" ")}`);
    context.diagnostic(
      JSON.stringify({ before, after: openBesides(served), listening: workers.map((pid) => openIn(pid).listening) }),
    );
    context.diagnostic(JSON.stringify(Object.fromEntries(taken)));
    // A broken upload is kept for REST, the last one of a name; the clients took eight names.
    const ours = leftovers(served.place.home).filter((name) => !name.includes(".ferryman-journal"));
    assert.ok(ours.length <= 8 && ours.every((name) => name.includes(".ferryman-part.")), ours.join(" "));
    assert.deepEqual(served.of("server.fault"), []);
    assert.deepEqual(served.of("server.warning"), []);
  });

  test("a small range of passive ports serves all workers, in turn and after a reload", async () => {
    await using served = await startServe({ flags: () => ["--passive-ports", "22500-22505"] });
    const workers = served.workers();
    for (let round = 0; round < 2; round++) {
      for (const pid of workers) {
        using wire = await inWorker(served, { pid, open: async () => Wire.login(served.port) });
        for (let count = 0; count < 30; count++) assert.equal((await wire.fetch("NLST")).codes.at(-1), 226);
      }
    }
    using old = await Wire.login(served.port);
    assert.equal((await old.fetch("NLST")).codes.at(-1), 226);
  });
});
