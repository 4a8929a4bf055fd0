/** Guests are let in by workers alone, and yet every limit and ban holds: exactly, and at once. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { until } from "../support/attack.ts";
import { configure, elsewhere, startServe, usersSection, addUser } from "../support/serve-process.ts";
import { Wire } from "../support/wire.ts";

const GUEST = { user: "anonymous", password: "me@example.net" } as const;
/** Who come at once. */
const CROWD = Array.from({ length: 64 }, (_, index) => index);

type Tried = { readonly wire: Wire; readonly code: number };

/** From connecting to PASS, or to the refusal before it. */
async function tryLogin(port: number): Promise<Tried> {
  const wire = await Wire.connect(port);
  const { code } = await wire.reply();
  if (code !== 220) return { wire, code };
  assert.equal((await wire.ask("USER anonymous")).code, 331);
  return { wire, code: (await wire.ask("PASS me@example.net")).code };
}

function end(tried: readonly Tried[]): void {
  for (const { wire } of tried) wire[Symbol.dispose]();
}

function codesOf(tried: readonly Tried[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const { code } of tried) counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts;
}

/** @returns the code of the reply to the password. */
async function signIn(wire: Wire): Promise<number> {
  await wire.expect(331, "USER ftp");
  return (await wire.ask("PASS x")).code;
}

suite("guests", { skip: elsewhere }, () => {
  test("attack 55: of 64 at once as many are in as one address may have, and each who leaves makes room", async () => {
    await using served = await startServe({ env: { FERRYMAN_SESSIONS_PER_ADDRESS: "20" } });
    for (let round = 1; round <= 3; round++) {
      const tried = await Promise.all(CROWD.map(async () => tryLogin(served.port)));
      assert.deepEqual(Object.fromEntries(codesOf(tried)), { 230: 20, 421: 44 });
      for (const { wire, code } of tried) if (code === 230) await wire.expect(221, "QUIT");
      await until("all places are free again", () => served.of("session.closed").length === 64 * round);
      end(tried);
    }
    assert.equal(served.of("login.accepted").length, 60);
  });

  test("of 64 at once as many are in as an account may have", async () => {
    await using served = await startServe({ env: { FERRYMAN_SESSIONS_PER_ACCOUNT: "7" } });
    const tried = await Promise.all(CROWD.map(async () => tryLogin(served.port)));
    assert.deepEqual(Object.fromEntries(codesOf(tried)), { 230: 7, 530: 57 });
    end(tried);
  });

  test("a ban of guests ends those who are in and lets none in after it, in every worker; a lift lets them in", async () => {
    await using served = await startServe();
    const inside = await Promise.all(CROWD.slice(0, 8).map(async () => Wire.login(served.port, GUEST)));
    using ann = await Wire.login(served.port);
    assert.equal((await served.ban("add", "account:anonymous")).code, 0);
    for (const wire of inside) {
      await wire.expect(421);
      await wire.closed();
    }
    const tried = await Promise.all(CROWD.slice(0, 4).map(async () => tryLogin(served.port)));
    assert.deepEqual(Object.fromEntries(codesOf(tried)), { 530: 4 });
    end(tried);
    await ann.expect(200, "NOOP");
    assert.equal((await served.ban("lift", "account:anonymous")).code, 0);
    using again = await Wire.login(served.port, GUEST);
    await again.expect(200, "NOOP");
  });

  test("a reload that sets a limit holds for those who are greeted already", async () => {
    await using served = await startServe({
      isConfigured: true,
      prepare: async (place) => configure(place, "[limits]\nsessions-per-address = 100\n"),
    });
    const waiting = await Promise.all(CROWD.slice(0, 6).map(async () => Wire.open(served.port)));
    await configure(served.place, "[limits]\nsessions-per-address = 100\nsessions-per-account = 2\n");
    const before = served.workers();
    served.signal("SIGHUP");
    await until("new workers are there", () => served.workers().some((pid) => !before.includes(pid)));
    // Guests of the new workers are asked for, too: until one is refused the reload may not be through.
    await until("the limit holds", async () => {
      const tried = await Promise.all(CROWD.slice(0, 3).map(async () => tryLogin(served.port)));
      end(tried);
      return tried.some(({ code }) => code === 530);
    });
    // The places of those who tried are given back when their workers have told of it.
    for (const wire of waiting.slice(0, 2)) await until("a place is free", async () => (await signIn(wire)) === 230);
    for (const wire of waiting.slice(2)) assert.equal(await signIn(wire), 530);
    for (const wire of waiting) wire[Symbol.dispose]();
  });

  test("a guest's name in the users file is asked for: its password is looked at", async () => {
    await using served = await startServe({
      isConfigured: true,
      prepare: async (place) => {
        await addUser(place, "ftp");
        await writeFile(join(place.home, "of-guests"), "");
        await configure(place, usersSection(place));
      },
    });
    using wire = await Wire.open(served.port);
    await wire.expect(331, "USER ftp");
    await wire.expect(530, "PASS me@example.net");
    using ftp = await Wire.login(served.port, { user: "ftp", password: "secret" });
    assert.deepEqual((await ftp.fetch("NLST")).codes.at(-1), 226);
    using guest = await Wire.login(served.port, GUEST);
    await guest.expect(250, "MLST of-guests");
  });
});
