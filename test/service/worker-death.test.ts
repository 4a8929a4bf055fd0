/** Workers and brokers that are killed: what dies with them, what goes on, and what is left. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chown, readFile, writeFile } from "node:fs/promises";
import { type Socket, connect } from "node:net";
import { join } from "node:path";
import { suite, test } from "node:test";
import { leftovers, until } from "../support/attack.ts";
import {
  NOBODY,
  type Served,
  elsewhere,
  inWorker,
  isAlive,
  isRoot,
  openIn,
  startServe,
  takesClients,
  workerOf,
} from "../support/serve-process.ts";
import { Wire, readAll } from "../support/wire.ts";

const CONTENT = randomBytes(8_000_000);

/** A session that has begun an upload, and has sent half of it. */
async function halfway(port: number, name: string): Promise<{ wire: Wire; data: Socket }> {
  const wire = await Wire.login(port);
  await wire.expect(200, "TYPE I");
  const data = await wire.passive();
  await wire.expect(150, `STOR ${name}`);
  await new Promise((resolve) => {
    data.write(CONTENT.subarray(0, CONTENT.length / 2), resolve);
  });
  return { wire, data };
}

function sessionsNow(served: Served): number {
  return served.of("session.opened").length - served.of("session.closed").length;
}

suite("kill -9", { skip: elsewhere }, () => {
  test("a dead worker takes its own sessions alone, and leaves nothing; another takes its place", async () => {
    const limit = { FERRYMAN_SESSIONS_PER_ADDRESS: "5", FERRYMAN_TRANSFERS_PER_ACCOUNT: "3" };
    await using served = await startServe({ env: limit, flags: () => ["--passive-ports", "21500-21520"] });
    const { port, place } = served;
    await writeFile(join(place.home, "large.bin"), CONTENT);
    const [victim = 0, survivor = 0] = served.workers();
    const dies = await inWorker(served, { pid: victim, open: async () => halfway(port, "dies.bin") });
    const lives = await inWorker(served, { pid: survivor, open: async () => halfway(port, "lives.bin") });
    using idleVictim = await inWorker(served, { pid: victim, open: async () => Wire.login(port) });
    using reader = await inWorker(served, { pid: survivor, open: async () => Wire.login(port) });
    await reader.expect(200, "TYPE I");
    const download = await reader.passive();
    await reader.expect(150, "RETR large.bin");
    using fifth = await inWorker(served, { pid: survivor, open: async () => Wire.login(port) });
    // Sessions and transfers count over all workers: no sixth, no fourth.
    using sixth = await Wire.connect(port);
    await sixth.expect(421);
    const refused = await fifth.fetch("LIST");
    assert.deepEqual(refused.codes, [450]);

    process.kill(victim, "SIGKILL");
    await Promise.all([dies.wire.closed(), idleVictim.closed()]);
    await until("the death is in the log", () => served.of("worker.gone").length === 1);
    assert.match(served.of("worker.gone")[0]?.reason ?? "", /SIGKILL/);
    await until("its sessions are over in the log too", () => sessionsNow(served) === 3);
    // The others have noticed nothing.
    lives.data.end(CONTENT.subarray(CONTENT.length / 2));
    await lives.wire.expect(226);
    assert.deepEqual(await readFile(join(place.home, "lives.bin")), CONTENT);
    const [octets] = await Promise.all([readAll(download), reader.expect(226)]);
    assert.deepEqual(octets, CONTENT);
    assert.equal((await fifth.fetch("LIST")).codes.at(-1), 226);
    // Places are free again, and the new one serves, with the ports of the old one.
    await until("a new worker listens", () => served.workers().length === 2 && !served.workers().includes(victim));
    const fresh = served.workers().find((pid) => pid !== survivor) ?? 0;
    await until("it accepts", () => takesClients(served, fresh));
    lives.wire[Symbol.dispose]();
    await until("the place is free", () => sessionsNow(served) === 2);
    for (let count = 0; count < 3; count++) {
      using wire = await inWorker(served, { pid: fresh, open: async () => Wire.login(port) });
      assert.equal(workerOf(served, wire.socket.localPort ?? 0), fresh);
      await wire.expect(200, "TYPE I");
      assert.deepEqual((await wire.fetch("RETR lives.bin", "PASV")).data.length, CONTENT.length);
    }
    assert.deepEqual(
      leftovers(place.home).filter((name) => !name.includes("journal")),
      [],
    );
    assert.ok(!(await readFile(join(place.home, "dies.bin")).catch(() => undefined)));
    dies.wire[Symbol.dispose]();
  });

  test("a resumed upload of a dead worker is there to resume, and no name of ours is left", async () => {
    await using served = await startServe();
    const { port, place } = served;
    await writeFile(join(place.home, "part.bin"), CONTENT.subarray(0, 1_000_000));
    if (isRoot) await chown(join(place.home, "part.bin"), NOBODY, NOBODY);
    for (let round = 0; round < 3; round++) {
      const wire = await Wire.login(port);
      await wire.expect(200, "TYPE I");
      const data = await wire.passive();
      await wire.expect(150, round === 1 ? "APPE part.bin" : `STOR named-${round}.bin`);
      data.write(randomBytes(200_000));
      await until("octets came", () => openIn(workerOf(served, wire.socket.localPort ?? 0)).connected >= 2);
      const victim = workerOf(served, wire.socket.localPort ?? 0);
      process.kill(victim, "SIGKILL");
      await wire.closed();
      await until("it is replaced", () => served.workers().length === 2 && !served.workers().includes(victim));
      wire[Symbol.dispose]();
    }
    // A listing meets what no sweep has found.
    using wire = await Wire.login(port);
    const names = (await wire.fetch("NLST")).data.toString().trim().split("\r\n");
    assert.deepEqual(names, ["part.bin"]);
    assert.deepEqual(
      leftovers(place.home).filter((name) => /\.ferryman-(?!journal)/.test(name)),
      [],
    );
  });

  test("attack 31: with the broker all its workers end within seconds, and no port stays open", async () => {
    await using served = await startServe({ listen: ["127.0.0.1:0", "127.0.0.1:0"] });
    const workers = served.workers();
    using wire = await Wire.login(served.port);
    const data = await wire.passivePort();
    const since = performance.now();
    process.kill(served.pid, "SIGKILL");
    await wire.closed();
    await until("all are gone", () => workers.every((pid) => !isAlive(pid)));
    assert.ok(performance.now() - since < 5_000);
    for (const port of [...served.ports, data.port]) {
      // A socket that is just being closed resets whom it had in its queue.
      await until("nobody listens", async () => (await faultOf(port)) === "ECONNREFUSED");
    }
  });

  test("a worker that stands still is killed and replaced, its sessions are over, others never wait for it", async () => {
    await using served = await startServe({ env: { FERRYMAN_TEST_PONG_MS: "1500", FERRYMAN_TEST_PING_MS: "300" } });
    const [stuck = 0, other = 0] = served.workers();
    using still = await inWorker(served, { pid: stuck, open: async () => Wire.login(served.port) });
    using wire = await inWorker(served, { pid: other, open: async () => Wire.login(served.port) });
    process.kill(stuck, "SIGSTOP");
    await wire.expect(200, "NOOP");
    await still.closed();
    await until("it is told", () => served.of("worker.gone").length === 1);
    assert.match(served.of("worker.gone")[0]?.reason ?? "", /no sign of life/);
    await until("it is replaced", () => served.workers().length === 2 && !served.workers().includes(stuck));
    await wire.expect(200, "NOOP");
    assert.equal(sessionsNow(served), 1);
  });
});

/** What a connection to the port comes to; "" if it comes about. */
async function faultOf(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return "";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "";
  } finally {
    socket.destroy();
  }
}
