/** Who guesses at passwords over the wire: what he learns from it, when he is thrown out, and what others feel of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createFixedAccounts, parseFixedAccount } from "../../src/account/fixed.ts";
import { createLogin } from "../../src/account/login.ts";
import { type Passwords, createPasswords } from "../../src/account/passwords.ts";
import { bytesOfText } from "../../src/base/bytes.ts";
import { Guard } from "../../src/guard/guard.ts";
import { LocalAuthority } from "../../src/server/local-authority.ts";
import { connectFrom, until } from "../support/attack.ts";
import { startServer } from "../support/server.ts";
import { Wire } from "../support/wire.ts";

const HOME = import.meta.dirname;
/** Tries for each name; the medians of so many swing by a tenth on a busy machine. */
const TRIES = 40;
/** By how much the medians may differ. An answer without a password check takes a fifth or less. */
const RATIO = 1.5;
/** Measurements before a difference counts: a pause of the machine is not seen three times. */
const MEASUREMENTS = 3;

function at(values: readonly number[], part: number): number {
  return values.toSorted((left, right) => left - right)[Math.ceil(values.length * part) - 1] ?? Number.NaN;
}

async function wireFrom(address: string, port: number): Promise<Wire> {
  return Wire.over(await connectFrom(address, { port }));
}

test("attack 36: an unknown name, a known one and one that is banned are answered alike, in as much time", async () => {
  const passwords = createPasswords({ cost: { memory: 4_096, passes: 1, lanes: 1 } });
  const users = ["ann:right", "carl:right"].map((text) => parseFixedAccount(text, HOME));
  const login = createLogin([await createFixedAccounts(users, { passwords })], { passwords });
  const limits = { loginDelay: 0, loginTries: 100 };
  const guard = new Guard({ limits, bans: { automaticBans: false } });
  assert.ok(guard.ban("account:carl").ok && guard.ban("account:nemo").ok);
  const authority = new LocalAuthority(guard, login);
  const asks = [
    { name: "ann", word: "wrong" },
    { name: "nobody", word: "wrong" },
    { name: "carl", word: "wrong" },
    { name: "carl", word: "right" },
    { name: "nemo", word: "wrong" },
  ];
  let slow: readonly string[] = [];
  for (let measurement = 0; measurement < MEASUREMENTS; measurement += 1) {
    const times = new Map(asks.map((ask) => [ask, [] as number[]]));
    for (let round = 0; round < TRIES; round += 1) {
      const session = `${measurement}.${round}`;
      assert.ok(guard.admit(session, "192.0.2.1").ok);
      for (const [{ name, word }, taken] of times) {
        const proof = { kind: "password", password: bytesOfText(word) } as const;
        const started = performance.now();
        const answer = await authority.signIn(session, { name: bytesOfText(name), proof, from: "192.0.2.1" });
        taken.push(performance.now() - started);
        // What the client is told of it does not hold the reason.
        assert.ok(answer.kind === "failed" && answer.delayMs === 0 && !answer.endSession, name);
      }
      guard.release(session);
    }
    const known = at([...times.values()][0] ?? [], 0.5);
    slow = [...times]
      .map(([{ name, word }, taken]) => [`${name}/${word}`, at(taken, 0.5) / known] as const)
      .filter(([, ratio]) => ratio > RATIO || ratio < 1 / RATIO)
      .map(([name, ratio]) => `${name} takes ${ratio.toFixed(2)} times as long`);
    if (slow.length === 0) return;
  }
  assert.deepEqual(slow, []);
});

test("attack 36: where too many checks wait, a banned account is put off like all others", async () => {
  const passwords = createPasswords({ cost: { memory: 64, passes: 1, lanes: 1 }, atOnce: 1, waiting: 3 });
  const login = createLogin([await createFixedAccounts([parseFixedAccount("ann:right", HOME)], { passwords })], {
    passwords,
  });
  const guard = new Guard({ limits: { loginDelay: 0 }, bans: { automaticBans: false } });
  const authority = new LocalAuthority(guard, login);
  guard.ban("account:carl");
  for (const name of ["ann", "nobody", "carl"]) {
    const signIn = async (_: unknown, index: number): Promise<string> => {
      assert.ok(guard.admit(`${name}${index}`, "192.0.2.1").ok);
      const proof = { kind: "password", password: bytesOfText("wrong") } as const;
      const order = { name: bytesOfText(name), proof, from: "192.0.2.1" };
      return (await authority.signIn(`${name}${index}`, order)).kind;
    };
    const kinds = await Promise.all(Array.from({ length: 8 }, signIn));
    assert.equal(kinds.filter((kind) => kind === "busy").length, 4, name);
  }
});

test("attack 36: on the wire a banned account says what a wrong password says, octet by octet", async () => {
  const guard = new Guard({ limits: { loginDelay: 1 } });
  guard.ban("account:ann");
  await using server = await startServer({ guard });
  const heard = new Set<string>();
  for (const [name, word] of [
    ["ann", "secret"],
    ["ann", "wrong"],
    ["nobody", "wrong"],
  ]) {
    using wire = await Wire.open(server.port);
    heard.add(JSON.stringify([await wire.ask(`USER ${name}`), await wire.ask(`PASS ${word}`)]));
  }
  assert.equal(heard.size, 1, [...heard].join("\n"));
  assert.match([...heard][0] ?? "", /331.*530/);
});

test("attack 37: ten bad logins are answered ever later, then the address is banned with its sessions, and no other", async () => {
  const limits = { loginDelay: 20, loginDelayLongest: 160 };
  await using server = await startServer({ guard: { limits } });
  using established = await Wire.login(server.port);
  using neighbour = await wireFrom("127.0.0.2", server.port);
  await neighbour.expect(220);
  await neighbour.expect(331, "USER ann");
  await neighbour.expect(230, "PASS secret");
  const times: number[] = [];
  for (const codes of [
    [530, 530, 530, 530, 421],
    [530, 530, 530, 530],
  ]) {
    using wire = await Wire.open(server.port);
    for (const code of codes) {
      await wire.expect(331, `USER guess${times.length}`);
      const started = performance.now();
      await wire.expect(code, "PASS guess");
      times.push(performance.now() - started);
    }
    assert.equal((await established.ask("NOOP")).code, 200);
    if (codes.length === 5) await wire.closed();
  }
  // The clock of a timer may be a millisecond early.
  for (const [index, least] of [20, 40, 80, 160, 160, 160, 160, 160, 160].entries())
    assert.ok((times[index] ?? 0) >= least - 2, `try ${index + 1}: ${times.join(" ")}`);
  using last = await Wire.open(server.port);
  await last.expect(331, "USER guess9");
  last.send("PASS guess");
  const [goodbye = ""] = await established.expect(421);
  assert.match(goodbye, /banned/);
  await established.closed();
  const refused = await Wire.connect(server.port);
  const [text = ""] = await refused.expect(421);
  assert.match(text, /Your address is banned for 10 more minutes/);
  await refused.closed();
  refused.socket.destroy();
  await neighbour.expect(200, "NOOP");
  using other = await wireFrom("127.0.0.2", server.port);
  await other.expect(220);
  await other.expect(331, "USER ann");
  await other.expect(230, "PASS secret");
  assert.equal(server.events.filter(({ type }) => type === "login.failed").length, 10);
});

/** Logins at once, and milliseconds that others may wait meanwhile: attacks.md, row 38. */
const FLOOD = 50;
const PATIENCE_MS = 100;
/** Milliseconds between two commands of the other session, which is not to be a flood itself. */
const PAUSE_MS = 5;
/** Octets. Two checks of 19 MiB run at once; all 50 together would need 950 MiB. */
const MEMORY = 200 * 2 ** 20;

type Burden = { readonly p99: number; readonly memory: number; readonly noops: number };

async function flood(passwords: Passwords): Promise<Burden> {
  const store = await createFixedAccounts([parseFixedAccount("ann:right", HOME)], { passwords });
  const guard = { limits: { sessionsPerAddress: FLOOD + 1, loginDelay: 0 }, bans: { automaticBans: false } };
  await using server = await startServer({ accounts: [store], guard });
  using signedIn = await Wire.login(server.port, { password: "right" });
  const wires = await Promise.all(Array.from({ length: FLOOD }, async () => Wire.open(server.port)));
  const before = process.memoryUsage.rss();
  const answered = { count: 0 };
  let memory = 0;
  const guesses = wires.map(async (wire, index) => {
    await wire.expect(331, index % 2 === 0 ? "USER ann" : `USER nobody${index}`);
    await wire.expect(530, "PASS wrong");
    answered.count += 1;
  });
  const times: number[] = [];
  while (answered.count < FLOOD) {
    const started = performance.now();
    await signedIn.expect(200, "NOOP");
    times.push(performance.now() - started);
    memory = Math.max(memory, process.memoryUsage.rss() - before);
    await delay(PAUSE_MS);
  }
  await Promise.all(guesses);
  for (const wire of wires) wire.socket.destroy();
  await until("they are gone", () => server.server.who.list().length === 1);
  return { p99: at(times, 0.99), memory, noops: times.length };
}

test("attack 38: while fifty bad logins wait for their checks another session is answered at once", async () => {
  const passwords = createPasswords();
  let burden: Burden | undefined;
  for (let measurement = 0; measurement < MEASUREMENTS; measurement += 1) {
    burden = await flood(passwords);
    assert.ok(burden.noops > FLOOD, `${burden.noops} answers meanwhile`);
    // Never excused by a busy machine.
    assert.ok(burden.memory < MEMORY, `${burden.memory} octets`);
    if (burden.p99 < PATIENCE_MS) return;
  }
  assert.fail(`the other session waited: ${JSON.stringify(burden)}`);
});
