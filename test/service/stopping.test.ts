/** SIGTERM: what runs may end, idle clients hear why, and nothing is left; a second one cuts. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "../support/attack.ts";
import {
  type Served,
  childrenOf,
  elsewhere,
  inWorker,
  isAlive,
  makePlace,
  spawnServe,
  startServe,
} from "../support/serve-process.ts";
import { Wire } from "../support/wire.ts";

const CONTENT = randomBytes(3_000_000);
/** Milliseconds within which two signals count as one (cli/stop-signals.ts), and some. */
const ONE_PRESS_MS = 450;

async function upload(port: number, name: string): Promise<{ wire: Wire; data: Socket }> {
  const wire = await Wire.login(port);
  await wire.expect(200, "TYPE I");
  const data = await wire.passive();
  await wire.expect(150, `STOR ${name}`);
  data.write(CONTENT.subarray(0, 1_000_000));
  return { wire, data };
}

async function inBoth<Result>(served: Served, open: (pid: number) => Promise<Result>): Promise<readonly Result[]> {
  const all: Result[] = [];
  for (const pid of served.workers()) all.push(await inWorker(served, { pid, open: async () => open(pid) }));
  return all;
}

suite("SIGTERM", { skip: elsewhere }, () => {
  test("transfers of all workers complete, then 421; idle sessions hear 421 at once; exit code 0", async () => {
    await using served = await startServe({ env: { FERRYMAN_GRACE_TIMEOUT: "30" } });
    const workers = served.workers();
    const busy = await inBoth(served, async (pid) => upload(served.port, `${pid}.bin`));
    const idle = await inBoth(served, async () => Wire.login(served.port));
    served.signal("SIGTERM");
    for (const wire of idle) await wire.expect(421);
    // The channel has told the workers to end as well, and not how: their time is the configured one.
    await delay(ONE_PRESS_MS);
    for (const { wire, data } of busy) {
      data.end(CONTENT.subarray(1_000_000));
      data.resume();
      await wire.expect(226);
      await wire.expect(421);
    }
    assert.deepEqual(await served.exited, { code: 0, signal: null });
    for (const pid of workers) {
      assert.equal(isAlive(pid), false);
      assert.deepEqual(await readFile(join(served.place.home, `${pid}.bin`)), CONTENT);
    }
    assert.equal(existsSync(served.place.control), false);
    for (const wire of idle) wire[Symbol.dispose]();
    for (const { wire } of busy) wire[Symbol.dispose]();
  });

  test("a second one cuts what runs", async () => {
    await using served = await startServe({ env: { FERRYMAN_GRACE_TIMEOUT: "60" } });
    const workers = served.workers();
    const busy = await inBoth(served, async (pid) => upload(served.port, `${pid}.bin`));
    // Nor does one that hears nothing hold it up.
    process.kill(workers[0] ?? 0, "SIGSTOP");
    served.signal("SIGTERM");
    await delay(ONE_PRESS_MS);
    const since = performance.now();
    served.signal("SIGTERM");
    const { code } = await served.exited;
    assert.ok(performance.now() - since < 5_000, `${performance.now() - since} ms`);
    assert.equal(code, 1);
    for (const pid of workers) assert.equal(isAlive(pid), false);
    for (const { wire } of busy) wire[Symbol.dispose]();
  });

  test("in the middle of a start nothing is left, whenever it comes", async () => {
    await using place = await makePlace();
    for (const wait of [200, 600, 900]) {
      const started = spawnServe(place);
      await delay(wait);
      const workers = childrenOf(started.child.pid ?? 0);
      started.signal("SIGTERM");
      const { code, signal } = await started.exited;
      assert.ok(code === 0 || signal === "SIGTERM", `after ${wait} ms: ${code} ${signal}\n${started.text()}`);
      await until("workers are gone", () => workers.every((pid) => !isAlive(pid)));
    }
    // The socket that was left behind is in nobody's way.
    await using served = await startServe({ place });
    using wire = await Wire.login(served.port);
    await wire.expect(200, "NOOP");
  });

  test("in the middle of a reload the workers of both configurations end", async () => {
    await using served = await startServe();
    using wire = await Wire.login(served.port);
    served.signal("SIGHUP");
    await until("new workers start", () => served.workers().length > 2);
    const all = served.workers();
    served.signal("SIGTERM");
    await wire.expect(421);
    assert.deepEqual(await served.exited, { code: 0, signal: null });
    for (const pid of all) assert.equal(isAlive(pid), false);
    assert.equal(served.of("server.warning").length, 0, served.text());
  });
});
