/** SIGHUP to a service: new sessions get the new files, those that are here go on, and what is broken changes nothing. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { makeSelfSigned } from "../../src/net/tls/self-signed.ts";
import { until } from "../support/attack.ts";
import { loginSecure, openSecure } from "../support/secure-wire.ts";
import {
  type Place,
  type Served,
  addUser,
  childrenOf,
  configure,
  elsewhere,
  openIn,
  startServe,
  takesClients,
  usersSection,
} from "../support/serve-process.ts";
import { Wire } from "../support/wire.ts";

const CONTENT = randomBytes(2_000_000);

/** SIGHUP, until only new workers take clients. */
async function reload(served: Served): Promise<void> {
  const before = new Set(served.workers());
  served.signal("SIGHUP");
  await until("only new workers take clients", async () => {
    const fresh = served.workers().filter((pid) => !before.has(pid));
    return fresh.length === 2 && (await takesClients(served, fresh[0] ?? 0));
  });
}

async function writePair({ folder }: Place, name: string): Promise<void> {
  const { cert, key } = makeSelfSigned({ names: [name], days: 90, now: Date.now() });
  for (const [file, text] of [
    ["key", key],
    ["cert", cert],
  ] as const) {
    await writeFile(join(folder, `${file}.new`), text, { mode: 0o600 });
    await rename(join(folder, `${file}.new`), join(folder, `${file}.pem`));
  }
}

suite("SIGHUP without a terminal", { skip: elsewhere }, () => {
  test("new certificates serve new connections; sessions and a transfer over TLS go on", async () => {
    await using served = await startServe({
      flags: ({ folder }) => ["--cert", join(folder, "cert.pem"), "--key", join(folder, "key.pem")],
      prepare: async (place) => writePair(place, "old.example"),
    });
    using old = await loginSecure(served.port);
    const nameIn = ({ tls }: typeof old): unknown => tls.getPeerX509Certificate()?.subjectAltName;
    assert.equal(nameIn(old), "DNS:old.example");
    await old.wire.expect(200, "TYPE I");
    assert.deepEqual(await old.store("STOR kept", CONTENT), [150, 226]);
    using busy = await loginSecure(served.port);
    await busy.wire.expect(200, "TYPE I");
    const upload = await busy.beginStore("STOR long");
    upload.write(CONTENT.subarray(0, 500_000));
    await writePair(served.place, "new.example");
    await reload(served);
    using fresh = await openSecure(served.port);
    assert.equal(nameIn(fresh), "DNS:new.example");
    upload.end(CONTENT.subarray(500_000));
    await busy.wire.expect(226);
    assert.deepEqual(await readFile(join(served.place.home, "long")), CONTENT);
    assert.deepEqual(await old.fetch("RETR kept"), CONTENT);
    assert.equal(served.of("server.warning").length, 0, served.text());
  });

  test("users with homes elsewhere, limits, bans and options hold from now on", async () => {
    await using served = await startServe({
      isConfigured: true,
      prepare: async (place) => {
        await addUser(place, "bea");
        await configure(place, `${usersSection(place)}[server]\nbanner = "one"\n`);
      },
    });
    const { place, port } = served;
    using old = await Wire.login(port, { user: "bea" });
    await addUser(place, "cid");
    const changed = `[limits]\nsessions-per-account = 1\n[server]\nbanner = "two"\n[bans]\ndeny = ["127.0.0.9"]\n`;
    await configure(place, `${usersSection(place)}${changed}`);
    await reload(served);
    // His home lies outside of all that the first workers were given.
    using cid = await Wire.connect(port);
    assert.deepEqual(await cid.expect(220), ["two"]);
    await cid.expect(331, "USER cid");
    await cid.expect(230, "PASS secret");
    assert.equal((await cid.fetch("RETR of-cid")).data.toString(), "cid");
    assert.deepEqual(await cid.store("STOR new", "x"), [150, 226]);
    using second = await Wire.open(port);
    await second.expect(331, "USER cid");
    await second.expect(530, "PASS secret");
    assert.equal((await old.fetch("RETR of-bea")).data.toString(), "bea");
  });

  test("a configuration that is broken, or that workers cannot serve, changes nothing and is told", async () => {
    await using served = await startServe({
      isConfigured: true,
      prepare: async (place) => configure(place, '[server]\nbanner = "one"\n'),
    });
    const before = served.workers();
    const broken = [
      ["[limits]\nsessions-per-acount = 9\n", /not read again.*sessions-per-acount[\s\S]*Did you mean/],
      ['[serve]\nusers = "/nonexistent/users.toml"\n', /not read again.*There is no \/nonexistent\/users\.toml/],
    ] as const;
    for (const [at, [text, words]] of broken.entries()) {
      await configure(served.place, text);
      served.signal("SIGHUP");
      await until("it is told", () => served.of("server.warning").length > at);
      assert.match(served.of("server.warning")[at]?.text ?? "", words);
    }
    assert.deepEqual(served.workers(), before);
    using wire = await Wire.connect(served.port);
    assert.deepEqual(await wire.expect(220), ["one"]);
  });

  test("a home that is gone keeps nobody else out: at the start, when a worker is replaced, at a reload", async () => {
    await using served = await startServe({
      isConfigured: true,
      prepare: async (place) => {
        await addUser(place, "bea");
        await addUser(place, "cid");
        await rm(join(place.folder, "cid"), { recursive: true });
        await configure(place, usersSection(place));
      },
    });
    const { place, port } = served;
    assert.match(served.text(), /The folder \S+cid is not there/);
    await rm(join(place.folder, "bea"), { recursive: true });
    const [victim = 0, other = 0] = served.workers();
    process.kill(victim, "SIGKILL");
    await until("it is replaced", async () => {
      const fresh = served.workers().find((pid) => pid !== victim && pid !== other);
      return fresh !== undefined && (await takesClients(served, fresh));
    });
    await mkdir(join(place.folder, "cid"));
    await reload(served);
    using cid = await Wire.login(port, { user: "cid" });
    await cid.expect(250, "CWD /");
    using bea = await Wire.open(port);
    await bea.expect(331, "USER bea");
    await bea.expect(530, "PASS secret");
  });

  test("many at once: one after the other, and no process or descriptor is left", async () => {
    await using served = await startServe();
    using old = await Wire.login(served.port);
    await reload(served);
    const before = openIn(served.pid).descriptors;
    for (let count = 0; count < 4; count++) served.signal("SIGHUP");
    await reload(served);
    await until("its own workers, and the one of the old session", () => served.workers().length === 3);
    await old.expect(200, "NOOP");
    await old.expect(221, "QUIT");
    await until("the old one ends with its session", () => childrenOf(served.pid).length === 2);
    await until("nothing is left open", () => openIn(served.pid).descriptors <= before - 1);
    using wire = await Wire.login(served.port);
    assert.equal((await wire.fetch("LIST")).codes.at(-1), 226);
  });
});
