/** Limits, bans and rates hold over all workers together, and who is in already is never harmed by them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFile, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connectFrom, until } from "../support/attack.ts";
import type { SessionFacts } from "../../src/workspace/events.ts";
import {
  ELSEWHERE,
  type Served,
  addUser,
  configure,
  elsewhere,
  inWorker,
  makePlace,
  startServe,
  usersSection,
} from "../support/serve-process.ts";
import { Wire } from "../support/wire.ts";

const KIB = 1_024;
/** Octets a second of the server. */
const RATE = 512 * KIB;

async function from(address: string, port: number): Promise<Wire> {
  return Wire.over(await connectFrom(address, { port }));
}

function isOurs({ peer }: SessionFacts): boolean {
  return peer.address !== ELSEWHERE;
}

async function inEach<Result>(served: Served, open: () => Promise<Result>): Promise<readonly Result[]> {
  const all: Result[] = [];
  for (const pid of served.workers()) all.push(await inWorker(served, { pid, open }));
  return all;
}

/** Octets that come on all sockets between two moments of our clock. */
async function countFor(sockets: readonly Socket[], milliseconds: number): Promise<number> {
  let octets = 0;
  for (const socket of sockets) socket.on("data", (chunk: Buffer) => (octets += chunk.length));
  await delay(milliseconds);
  return octets;
}

suite("over all workers", { skip: elsewhere }, () => {
  test("attack 55: sessions of an address and of an account, transfers of an account, new connections", async () => {
    const env = {
      FERRYMAN_SESSIONS_PER_ADDRESS: "4",
      FERRYMAN_SESSIONS_PER_ACCOUNT: "2",
      FERRYMAN_TRANSFERS_PER_ACCOUNT: "1",
      FERRYMAN_CONNECTION_RATE: "14",
    };
    await using served = await startServe({ env });
    const { port, place } = served;
    await writeFile(join(place.home, "large"), Buffer.alloc(8_000_000));
    const [one, two] = await inEach(served, async () => Wire.login(port));
    assert.ok(one !== undefined && two !== undefined);
    // A third session of ann, in whichever worker: refused at the password, and the two are as they were.
    for (const wire of await inEach(served, async () => Wire.open(port))) {
      await wire.expect(331, "USER ann");
      await wire.expect(530, "PASS secret");
      wire[Symbol.dispose]();
    }
    await until("their places are free", () => served.of("session.closed").filter(isOurs).length === 2);
    const more = await inEach(served, async () => Wire.open(port));
    for (const fifth of await inEach(served, async () => Wire.connect(port))) {
      assert.match((await fifth.expect(421)).join(" "), /limit 4/);
      fifth[Symbol.dispose]();
    }
    for (const wire of more) wire[Symbol.dispose]();
    // One transfer at once; when it is over the other session may have its own.
    const data = await one.passive();
    await one.expect(150, "RETR large");
    assert.deepEqual((await two.fetch("RETR large")).codes, [450]);
    await one.expect(426, "ABOR");
    await one.expect(226);
    data.destroy();
    assert.equal((await two.fetch("LIST")).codes.at(-1), 226);
    // 2 + 2 + 2 + 2 connections so far: at 14 a minute the rate refuses within the next dozen, and harms nobody.
    let refused = 0;
    for (let count = 0; count < 10; count++) {
      using wire = await Wire.connect(port);
      if ((await wire.reply()).code === 421) refused += 1;
    }
    assert.ok(refused >= 3, `${refused}`);
    for (const wire of [one, two]) {
      assert.equal((await wire.ask("STAT")).code, 211);
      wire[Symbol.dispose]();
    }
  });

  test("attack 37: failed logins in one worker delay and ban in all of them; a ban ends established sessions", async () => {
    const env = { FERRYMAN_AUTOMATIC_BANS: "true", FERRYMAN_BAN_THRESHOLD: "45", FERRYMAN_LOGIN_DELAY: "40" };
    await using place = await makePlace();
    {
      await using served = await startServe({ env, place });
      const { port } = served;
      const good = await inEach(served, async () => from("127.0.0.1", port));
      for (const wire of good) await wire.expect(220);
      const bad = await inEach(served, async () => from("127.0.0.2", port));
      const times: number[] = [];
      for (let count = 0; count < 4; count++) {
        const wire = bad[count % 2];
        assert.ok(wire !== undefined);
        if (count < 2) await wire.expect(220);
        await wire.expect(331, "USER ann");
        const since = performance.now();
        await wire.expect(530, "PASS wrong");
        times.push(performance.now() - since);
      }
      // Twice as long each time, whichever worker is asked: 40, 80, 160, 320 ms.
      for (const [at, time] of times.entries()) assert.ok(time >= 40 * 2 ** at - 5, times.join(" "));
      const [last] = bad;
      last?.send("USER ann");
      last?.send("PASS wrong");
      await Promise.all(bad.map(async (wire) => wire.closed()));
      for (const wire of await inEach(served, async () => from("127.0.0.2", port))) await wire.expect(421);
      // By hand: sessions in both workers end, those from elsewhere go on.
      const signedIn = await inEach(served, async () => from("127.0.0.3", port));
      for (const wire of signedIn) await wire.expect(220);
      assert.equal((await served.ban("add", "127.0.0.3", "--for", "1h", "--reason", "by hand")).code, 0);
      for (const wire of signedIn) {
        await wire.expect(421);
        await wire.closed();
      }
      for (const wire of good) await wire.expect(200, "NOOP");
      const listed = (await served.ban("list")).stdout;
      assert.match(listed, /127\.0\.0\.2[\s\S]*127\.0\.0\.3/);
      served.signal("SIGTERM");
      assert.equal((await served.exited).code, 0);
    }
    await using again = await startServe({ env, place });
    using banned = await from("127.0.0.3", again.port);
    await banned.expect(421);
    assert.equal((await again.ban("lift", "127.0.0.3")).code, 0);
    using lifted = await from("127.0.0.3", again.port);
    await lifted.expect(220);
  });

  const rates = [
    ["server", { FERRYMAN_SERVER_DOWNLOAD_RATE: String(RATE) }, ""],
    ["account", {}, `\n[users.bea.limits]\ndownload-rate = ${RATE}\n`],
  ] as const;
  for (const [whose, env, limits] of rates) {
    test(`the rate of the ${whose} is one for all workers: 85 % to 110 % of it`, async () => {
      await using served = await startServe({
        env,
        isConfigured: true,
        prepare: async (place) => {
          await addUser(place, "bea");
          await appendFile(join(place.folder, "users.toml"), limits);
          await writeFile(join(place.folder, "bea", "large"), Buffer.alloc(20_000_000));
          await configure(place, usersSection(place));
        },
      });
      const wires = await inEach(served, async () => Wire.login(served.port, { user: "bea" }));
      const sockets: Socket[] = [];
      for (const wire of wires) {
        await wire.expect(200, "TYPE I");
        const socket = await wire.passive();
        socket.pause();
        await wire.expect(150, "RETR large");
        sockets.push(socket);
      }
      for (const socket of sockets) socket.resume();
      // What was saved up for a moment, and what the kernels hold, is gone by then.
      await countFor(sockets, 1_000);
      for (const socket of sockets) socket.removeAllListeners("data");
      const octets = await countFor(sockets, 3_000);
      const share = octets / 3 / RATE;
      assert.ok(share >= 0.85 && share <= 1.1, `${(share * 100).toFixed(1)} %`);
      for (const wire of wires) wire[Symbol.dispose]();
      for (const socket of sockets) {
        socket.destroy();
        if (!socket.closed) await once(socket, "close");
      }
    });
  }
});
