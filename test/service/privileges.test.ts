/** Who the processes of a server run as, and that they serve all the same: the real `ferryman serve`. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { chown } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { type PrivilegeFacts, parsePrivilegeFacts } from "../../src/jail/privilege-facts.ts";
import { loadProcessCalls } from "../../src/sys/process-calls.ts";
import { loginSecure } from "../support/secure-wire.ts";
import {
  NOBODY,
  type Served,
  elsewhere,
  inWorker,
  isRoot,
  makePlace,
  spawnServe,
  startServe,
  workerOf,
} from "../support/serve-process.ts";
import { Wire } from "../support/wire.ts";

const skip = elsewhere || (!isRoot && "needs root") || (loadProcessCalls() === undefined && "needs koffi");

/** Of every thread: Node has many, and each has its own powers. */
function factsOfAll(pid: number): readonly PrivilegeFacts[] {
  return readdirSync(`/proc/${pid}/task`).map((task) =>
    parsePrivilegeFacts(readFileSync(`/proc/${pid}/task/${task}/status`, "utf8")),
  );
}

function isPowerless({ uids, gids, groups, capabilities, noNewPrivileges }: PrivilegeFacts, id: number): void {
  assert.deepEqual(uids, [id, id, id, id]);
  assert.deepEqual(gids, [id, id, id, id]);
  assert.deepEqual(groups, []);
  const none = { effective: [], permitted: [], bounding: [], ambient: [], inheritable: [] };
  assert.deepEqual(capabilities, none);
  assert.equal(noNewPrivileges, true);
}

/** Containers often let everybody have low ports (ip(7), ip_unprivileged_port_start). */
function freeLowPorts(): string | false {
  const first = Number(readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "latin1"));
  return first > 21 ? false : "low ports are everybody's here";
}

/** Each worker takes an upload, lists it and gives it back. */
async function servesInEach(served: Served, login: (port: number) => Promise<Wire>): Promise<void> {
  const [first = 0, second = 0] = served.workers();
  assert.notEqual(first, second);
  for (const pid of [first, second]) {
    using wire = await inWorker(served, { pid, open: async () => login(served.port) });
    assert.equal(workerOf(served, wire.socket.localPort ?? 0), pid);
    const content = Buffer.alloc(300_000, `${pid}`);
    assert.deepEqual(await wire.store(`STOR of-${pid}`, content), [150, 226]);
    assert.ok((await wire.fetch("NLST")).data.toString().includes(`of-${pid}`));
    assert.deepEqual((await wire.fetch(`RETR of-${pid}`)).data, content);
    assert.equal(statSync(join(served.place.home, `of-${pid}`)).uid, isRoot ? NOBODY : process.getuid?.());
  }
}

suite("under root", { skip }, () => {
  test("attack 31: workers are nobody and have no powers in any thread; the broker keeps what it needs", async () => {
    await using served = await startServe({
      flags: () => ["--tls", "require"],
      listen: ["127.0.0.1:0", "ftps://127.0.0.1:0"],
    });
    assert.equal(served.workers().length, 2);
    // With work behind them: threads that come late are looked at too.
    for (let count = 0; count < 4; count++) {
      using secure = await loginSecure(served.port);
      assert.deepEqual(await secure.store("STOR secret.bin", Buffer.alloc(100_000, count)), [150, 226]);
      assert.deepEqual(await secure.fetch("RETR secret.bin"), Buffer.alloc(100_000, count));
      assert.match((await secure.fetch("LIST")).toString(), /secret\.bin/);
    }
    for (const pid of served.workers()) {
      const all = factsOfAll(pid);
      assert.ok(all.length > 1);
      for (const facts of all) isPowerless(facts, NOBODY);
    }
    for (const { uids, capabilities, noNewPrivileges } of factsOfAll(served.pid)) {
      assert.deepEqual(uids, [0, 0, 0, 0]);
      const kept = ["DAC_READ_SEARCH", "KILL", "SETGID", "SETPCAP", "SETUID"];
      for (const set of ["effective", "permitted", "bounding"] as const) {
        assert.deepEqual(capabilities[set].toSorted(), kept, set);
      }
      assert.deepEqual([capabilities.ambient, capabilities.inheritable], [[], []]);
      assert.equal(noNewPrivileges, true);
    }
    // With --tls require nobody signs in without it.
    using plain = await Wire.open(served.port);
    assert.equal(Math.floor((await plain.ask("USER ann")).code / 100), 5);
  });

  test("each worker takes uploads, lists and gives back; what the broker keeps is closed to them", async () => {
    await using served = await startServe();
    await servesInEach(served, async (port) => Wire.login(port));
    const { uid, mode } = statSync(join(served.place.folder, "state"));
    assert.deepEqual([uid, mode & 0o077], [0, 0]);
  });
});

suite("as another user", { skip: elsewhere || (!isRoot && "needs root to become another user") }, () => {
  test("all but low ports works, and workers have no powers", async () => {
    await using place = await makePlace();
    await chown(place.folder, NOBODY, NOBODY);
    await using served = await startServe({ uid: NOBODY, place });
    await servesInEach(served, async (port) => Wire.login(port));
    for (const pid of served.workers()) {
      for (const facts of factsOfAll(pid)) {
        assert.deepEqual([facts.uids[1], facts.capabilities.effective, facts.noNewPrivileges], [NOBODY, [], true]);
      }
    }
  });

  test("a low port: what is missing and what to do", { skip: freeLowPorts() }, async () => {
    await using place = await makePlace();
    await chown(place.folder, NOBODY, NOBODY);
    const started = spawnServe(place, { uid: NOBODY, listen: ["127.0.0.1:21"] });
    const { code } = await started.exited;
    assert.equal(code, 77);
    assert.match(started.text(), /No right to listen on 127\.0\.0\.1:21: ports below 1024 need a privilege/);
    assert.match(started.text(), /setcap cap_net_bind_service/);
  });
});
