import assert from "node:assert/strict";
import { once } from "node:events";
import { type Socket, createConnection } from "node:net";
import { test } from "node:test";
import type { Endpoint } from "./addresses.ts";
import { chooseDataPath } from "./data-path.ts";
import { NoPassivePort, type PassiveLease, PassivePool } from "./passive-pool.ts";

const HERE = "127.0.0.1";

function terms(strangers: Endpoint[] = []): Parameters<PassivePool["lease"]>[0] {
  return { address: HERE, from: HERE, onStranger: (stranger) => strangers.push(stranger) };
}

async function connect(port: number, localAddress = HERE): Promise<Socket> {
  const socket = createConnection({ host: HERE, port, localAddress });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Free ports are no constant: a range that no other test uses is found by asking the system for one. */
async function freeRange(count: number): Promise<{ first: number; last: number }> {
  const pool = new PassivePool();
  using lease = await pool.lease(terms());
  const first = Math.min(lease.port, 65_535 - count);
  pool.close();
  return { first, last: first + count - 1 };
}

for (const path of [chooseDataPath("auto"), chooseDataPath("portable")]) {
  test(`${path.kind}: a lease gives the connection of its own client, early or late`, async () => {
    const pool = new PassivePool({ path });
    for (const early of [true, false]) {
      using lease = await pool.lease(terms());
      const accepted = early ? undefined : lease.accept(AbortSignal.timeout(5_000));
      const client = await connect(lease.port);
      const server = await (accepted ?? lease.accept(AbortSignal.timeout(5_000)));
      server.toSocket().end("hello");
      client.setEncoding("utf8");
      const [text]: unknown[] = await once(client, "data");
      assert.equal(text, "hello");
      client.destroy();
    }
    pool.close();
  });

  test(`attack 5: a stranger who comes first is dropped and told of, and the rightful client is served (${path.kind} path)`, async () => {
    const pool = new PassivePool({ path });
    const strangers: Endpoint[] = [];
    using lease = await pool.lease(terms(strangers));
    const thief = await connect(lease.port, "127.0.0.2");
    await once(thief, "close");
    const accepted = lease.accept(AbortSignal.timeout(5_000));
    const client = await connect(lease.port);
    const server = await accepted;
    assert.equal(server.remote.address, HERE);
    assert.equal(strangers.length, 1);
    assert.equal(strangers[0]?.address, "127.0.0.2");
    client.destroy();
    server.destroy();
    pool.close();
  });

  test(`attack 7: over 10,000 leases every port of the range comes up as often as chance has it (${path.kind} path)`, async () => {
    const range = await freeRange(50);
    const pool = new PassivePool({ range, path });
    // All of them first: one that another program holds now, and gives back halfway, would come up half as often.
    const first: PassiveLease[] = [];
    try {
      while (first.length < 50) first.push(await pool.lease(terms()));
    } catch (error) {
      assert.ok(error instanceof NoPassivePort);
    }
    const counts = new Map(first.map(({ port }) => [port, 0]));
    for (const lease of first) lease[Symbol.dispose]();
    for (let turn = 0; turn < 10_000; turn++) {
      using lease = await pool.lease(terms());
      const count = counts.get(lease.port);
      if (count !== undefined) counts.set(lease.port, count + 1);
    }
    const ports = counts.size;
    const expected = [...counts.values()].reduce((sum, count) => sum + count, 0) / ports;
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // The rest must be even. 99.999 % bound for 49 degrees of freedom.
    assert.ok(ports > 25, `${ports} of 50 ports`);
    assert.ok(chiSquare < 102, `chi-square ${chiSquare}`);
    pool.close();
  });

  test(`attack 8: 10,000 leases in one session, each given up for the next, leave few listeners open (${path.kind} path)`, async () => {
    const pool = new PassivePool({ kept: 4, path });
    for (let turn = 0; turn < 10_000; turn++) {
      (await pool.lease(terms()))[Symbol.dispose]();
    }
    assert.ok(pool.size <= 4, `${pool.size} listeners`);
    pool.close();
  });

  test(`${path.kind}: a drained range is said plainly, and a port that is given back serves again`, async () => {
    const pool = new PassivePool({ range: await freeRange(3), path });
    const leases = [];
    for (;;) {
      try {
        leases.push(await pool.lease(terms()));
      } catch (error) {
        assert.ok(error instanceof NoPassivePort);
        break;
      }
    }
    assert.ok(leases.length >= 1 && leases.length <= 3);
    assert.equal(new Set(leases.map(({ port }) => port)).size, leases.length);
    const [first] = leases;
    first?.[Symbol.dispose]();
    using again = await pool.lease(terms());
    assert.equal(again.port, first?.port);
    pool.close();
  });

  test(`${path.kind}: many leases at once never share a port`, async () => {
    const pool = new PassivePool({ path });
    const leases = await Promise.all(Array.from({ length: 300 }, async () => pool.lease(terms())));
    assert.equal(new Set(leases.map(({ port }) => port)).size, 300);
    for (const lease of leases) lease[Symbol.dispose]();
    assert.ok(pool.size <= 256);
    pool.close();
  });

  test(`${path.kind}: a connection that waits when its lease ends is none of the next one's`, async () => {
    const range = await freeRange(1);
    const pool = new PassivePool({ range, path });
    const first = await pool.lease(terms());
    const left = await connect(first.port);
    const closed = once(left, "close");
    first[Symbol.dispose]();
    using second = await pool.lease(terms());
    if (path.kind === "native") assert.equal(second.take(), undefined);
    second[Symbol.dispose]();
    await closed;
    pool.close();
  });

  test(`${path.kind}: a connection left over from one lease never reaches the next`, async () => {
    const range = await freeRange(1);
    const pool = new PassivePool({ range, path });
    const first = await pool.lease(terms());
    const left = await connect(first.port);
    first[Symbol.dispose]();
    await once(left, "close");
    using second = await pool.lease(terms());
    const accepted = second.accept(AbortSignal.timeout(5_000));
    const client = await connect(second.port);
    const server = await accepted;
    assert.equal(server.remote.port, client.localPort);
    client.destroy();
    server.destroy();
    pool.close();
  });

  test(`${path.kind}: an aborted wait ends with the signal's reason and leaves the lease usable`, async () => {
    const pool = new PassivePool({ path });
    using lease = await pool.lease(terms());
    const controller = new AbortController();
    const waiting = lease.accept(controller.signal);
    controller.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    pool.close();
  });
}

const native = chooseDataPath("auto");
// Node's sockets tell of a reset only to those who read from them.
if (native.kind === "native") {
  test("native: who connects, resets and connects again is served by the second one", async () => {
    const pool = new PassivePool({ path: native });
    using lease = await pool.lease(terms());
    for (let attempt = 0; attempt < 3; attempt++) {
      const client = await connect(lease.port);
      client.resetAndDestroy();
      await once(client, "close");
    }
    const client = await connect(lease.port);
    const server = await lease.accept(AbortSignal.timeout(5_000));
    assert.equal(server.remote.port, client.localPort);
    server.destroy();
    client.destroy();
    pool.close();
  });
}
