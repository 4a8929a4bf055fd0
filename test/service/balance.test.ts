/** Sessions are spread evenly over the workers, and a reload or a stop loses no client who has come before it. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { once } from "node:events";
import { suite, test } from "node:test";
import { until } from "../support/attack.ts";
import { elsewhere, startServe, workerOf } from "../support/serve-process.ts";
import { Wire } from "../support/wire.ts";

/** Clients that come one after the other while the server reloads. */
const CLIENTS = 300;

/** How many of the sessions each worker has. */
function spread(served: Parameters<typeof workerOf>[0], wires: readonly Wire[]): readonly number[] {
  const counts = new Map(served.workers().map((pid) => [pid, 0]));
  for (const { socket } of wires) {
    const pid = workerOf(served, socket.localPort ?? 0);
    counts.set(pid, (counts.get(pid) ?? 0) + 1);
  }
  return [...counts.values()];
}

suite("balance", { skip: elsewhere }, () => {
  for (const count of [4, 8, 16]) {
    test(`${count} sessions that come at once are as many in either worker`, async () => {
      await using served = await startServe();
      using held = new DisposableStack();
      const wires = await Promise.all(Array.from({ length: count }, async () => Wire.login(served.port)));
      for (const wire of wires) held.use(wire);
      const counts = spread(served, wires);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join(" "));
    });
  }

  test("whoever leaves makes room: the next one comes to that worker", async () => {
    await using served = await startServe();
    using held = new DisposableStack();
    const wires = await Promise.all(Array.from({ length: 8 }, async () => Wire.login(served.port)));
    for (const wire of wires) held.use(wire);
    const emptied = workerOf(served, wires[0]?.socket.localPort ?? 0);
    const [leaving, staying] = [true, false].map((leaves) =>
      wires.filter(({ socket }) => (workerOf(served, socket.localPort ?? 0) === emptied) === leaves),
    );
    for (const wire of leaving ?? []) wire[Symbol.dispose]();
    await until("they have left", () => served.of("session.closed").length === leaving?.length);
    const next = await Promise.all(Array.from({ length: 4 }, async () => Wire.login(served.port)));
    for (const wire of next) held.use(wire);
    const counts = spread(served, [...(staying ?? []), ...next]);
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join(" "));
  });

  test("a reload loses nobody who comes meanwhile", async () => {
    await using served = await startServe();
    const before = new Set(served.workers());
    let greeted = 0;
    for (let client = 0; client < CLIENTS || served.workers().some((pid) => before.has(pid)); client++) {
      if (client === 50) served.signal("SIGHUP");
      using wire = await Wire.login(served.port);
      await wire.expect(200, "NOOP");
      greeted += 1;
      await wire.expect(221, "QUIT");
    }
    assert.ok(greeted >= CLIENTS);
    assert.deepEqual(served.of("server.fault"), []);
  });

  test("after a stop nobody listens, and who had come is told", async () => {
    await using served = await startServe();
    using wire = await Wire.login(served.port);
    served.signal("SIGTERM");
    await wire.expect(421);
    assert.equal((await served.exited).code, 0);
    const late = connect(served.port, "127.0.0.1");
    const [error]: unknown[] = await once(late, "error");
    assert.ok(error instanceof Error && "code" in error && error.code === "ECONNREFUSED");
  });
});
