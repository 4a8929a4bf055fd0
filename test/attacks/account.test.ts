/** Attacks on the way in: 22, 30, 33, 36, 38, 39 and 40, on the stores and through the door that asks them. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { AccountStore } from "../../src/account/account.ts";
import { createAnonymousAccounts } from "../../src/account/anonymous.ts";
import { addUser } from "../../src/account/edit-users.ts";
import { createFileAccounts } from "../../src/account/file.ts";
import { createFixedAccounts, parseFixedAccount } from "../../src/account/fixed.ts";
import { type Login, type LoginResult, createLogin } from "../../src/account/login.ts";
import { type Passwords, createPasswords } from "../../src/account/passwords.ts";
import { bytesOf, bytesOfText } from "../../src/base/bytes.ts";
import { startServer } from "../support/server.ts";
import { Wire } from "../support/wire.ts";

/** Under a millisecond for a check: where the time is not what is tested. */
const quick = createPasswords({ cost: { memory: 64, passes: 1, lanes: 1 } });
const HASH = await quick.hash(bytesOfText("right"));

const HOSTILE = [
  "..",
  ".",
  "a/../../b",
  "../ann",
  "a\\..\\b",
  "ann\0",
  "\0",
  "a\nb",
  "a\rb",
  "a\u2028b",
  "",
  "x".repeat(65),
];

type Place = AsyncDisposable & { readonly folder: string; readonly file: string; readonly home: string };

async function place(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-way-in-"));
  const [file, home] = [join(folder, "users.toml"), join(folder, "home")];
  await mkdir(home);
  return { folder, file, home, [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true }) };
}

function userLines(name: string, home: string, more = ""): string {
  return `[users.${JSON.stringify(name)}]\npassword = "${HASH}"\nhome = ${JSON.stringify(home)}\n${more}\n`;
}

async function signIn(login: Login, name: string, password = "right"): Promise<LoginResult> {
  return await login.authenticate({ name: bytesOfText(name), password: bytesOfText(password), from: "192.0.2.1" });
}

/** Would let anyone in: nobody may get this far. */
const welcoming: AccountStore = {
  name: "welcoming",
  authenticate: async () => ({
    kind: "accepted",
    account: { name: "x", anonymous: false, home: "/", rights: new Set(), folders: [], limits: {} },
  }),
};

test("attacks 22, 33: names that are paths or hold controls are refused at creation", async () => {
  await using at = await place();
  for (const name of HOSTILE) {
    await assert.rejects(addUser(at.file, name, { password: HASH }), { name: "UserEditError", kind: "invalid" });
    assert.throws(() => parseFixedAccount(`${name}:right`, at.home), { name: "AccountError" }, JSON.stringify(name));
  }
  await assert.rejects(stat(at.file), { code: "ENOENT" });
});

test("attacks 22, 33: such names never sign in, even where a file has them", async () => {
  await using at = await place();
  const names = HOSTILE.filter((name) => name !== "");
  await writeFile(at.file, [userLines("ann", at.home), ...names.map((name) => userLines(name, at.home))].join("\n"));
  const stores = [
    createFileAccounts(at.file, { passwords: quick }),
    createAnonymousAccounts({ home: "/", mode: "read" }),
  ];
  const login = createLogin(stores, { passwords: quick });
  for (const name of [...HOSTILE, "ann\0", "ann\r\n", "ann ", "anonymous\0", "ftp\n"]) {
    assert.equal((await signIn(login, name)).kind, "refused", JSON.stringify(name));
  }
  const overlong = { name: bytesOf(Buffer.from([0xc0, 0xae, 0xc0, 0xae])), password: bytesOfText("right"), from: "x" };
  assert.equal((await login.authenticate(overlong)).kind, "refused");
  assert.equal((await signIn(login, "ann")).kind, "accepted");
});

test("attack 30: a home that vanishes, turns into a file or a dangling link, or may not be entered, is a refusal", async () => {
  await using at = await place();
  await writeFile(at.file, userLines("ann", at.home));
  const fixed = await createFixedAccounts([parseFixedAccount(`bob:right:${at.home}`, "/")], { passwords: quick });
  const login = createLogin([createFileAccounts(at.file, { passwords: quick, defaultHome: "/" }), fixed], {
    passwords: quick,
  });
  const both = async (): Promise<readonly string[]> => [
    (await signIn(login, "ann")).kind,
    (await signIn(login, "bob")).kind,
  ];
  assert.deepEqual(await both(), ["accepted", "accepted"]);
  await rename(at.home, `${at.home}.away`);
  assert.deepEqual(await both(), ["refused", "refused"]);
  await writeFile(at.home, "");
  assert.deepEqual(await both(), ["refused", "refused"]);
  await rm(at.home);
  await symlink("nowhere", at.home);
  assert.deepEqual(await both(), ["refused", "refused"]);
  await rm(at.home);
  await mkdir(at.home);
  // Root may enter anything, so that only others see the last case refused.
  await chmod(at.home, 0);
  const entered = process.getuid?.() === 0 ? "accepted" : "refused";
  assert.deepEqual(await both(), [entered, entered]);
});

/** Tries for each name of attack 36; the medians of so many swing by a tenth on a busy machine. */
const TRIES = 60;
/** By how much the medians may differ. Without its check an unknown name takes a twentieth. */
const RATIO = 1.35;
/** Measurements before a difference counts: a pause of the machine is not seen three times. */
const MEASUREMENTS = 3;

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}

test("attack 36: known, unknown, closed and broken accounts take the same time to refuse", async () => {
  await using at = await place();
  const passwords = createPasswords({ cost: { memory: 4_096, passes: 1, lanes: 1 } });
  const users = ["ann", "shut", "broken"];
  for (const name of users) {
    await addUser(at.file, name, { password: await passwords.hash(bytesOfText("right")), disabled: name === "shut" });
  }
  await addUser(at.file, "bad-hash", { password: HASH });
  const text = (await readFile(at.file, "utf8")).replace(HASH, "none");
  await writeFile(at.file, text.replace("[users.broken]", "[users.broken]\nhoem = 1"));
  const fixed = await createFixedAccounts([parseFixedAccount("bob:right", at.home)], { passwords });
  const login = createLogin([createFileAccounts(at.file, { passwords, defaultHome: at.home }), fixed], { passwords });
  const names = [...users, "bad-hash", "bob", "nobody", "..", "a\0b"];
  let slow: readonly string[] = [];
  for (let measurement = 0; measurement < MEASUREMENTS; measurement += 1) {
    const times = new Map<string, number[]>(names.map((name) => [name, []]));
    for (let round = 0; round < TRIES; round += 1) {
      for (const [name, taken] of times) {
        const started = performance.now();
        assert.equal((await signIn(login, name, "wrong")).kind, "refused");
        taken.push(performance.now() - started);
      }
    }
    const known = median(times.get("ann") ?? []);
    slow = [...times]
      .map(([name, taken]) => [name, median(taken) / known] as const)
      .filter(([, ratio]) => ratio > RATIO || ratio < 1 / RATIO)
      .map(([name, ratio]) => `${JSON.stringify(name)} takes ${ratio.toFixed(2)} times as long`);
    if (slow.length === 0) return;
  }
  assert.deepEqual(slow, []);
});

test("attack 36: on the wire the same octets for a known and an unknown name", async () => {
  await using at = await place();
  await writeFile(at.file, userLines("ann", at.home, "disabled = true"));
  const heard: string[] = [];
  for (const [name, password] of [
    ["ann", "wrong"],
    ["ann", "right"],
    ["nobody", "wrong"],
  ] as const) {
    await using server = await startServer({ accounts: [createFileAccounts(at.file, { passwords: quick })] });
    using wire = await Wire.open(server.port);
    wire.send(`USER ${name}`);
    wire.send(`PASS ${password}`);
    const replies = [await wire.reply(), await wire.reply()];
    heard.push(JSON.stringify(replies));
    const failed = server.events.find((event) => event.type === "login.failed");
    assert.ok(failed?.type === "login.failed" && failed.reason !== "");
    assert.ok(!JSON.stringify(replies).includes(failed.reason));
  }
  assert.equal(new Set(heard).size, 1, heard.join("\n"));
  assert.match(heard[0] ?? "", /331.*530/);
});

/** Logins at once, and milliseconds that others may wait meanwhile: attacks.md, row 38. */
const FLOOD = 50;
const PATIENCE_MS = 100;
/** Octets. Two checks of 19 MiB run at once; all 50 together would need 950 MiB. */
const MEMORY = 200 * 2 ** 20;

type Burden = { readonly loopMs: number; readonly fileMs: number; readonly memory: number };

/** What others feel while `passwords` stands a flood. */
async function flood(passwords: Passwords, at: Place): Promise<Burden> {
  // Not from a file: reading it would hold the flood back, and hide what the checks do.
  const fixed = await createFixedAccounts([parseFixedAccount("ann:right", at.home)], { passwords });
  const login = createLogin([fixed], { passwords });
  const before = process.memoryUsage.rss();
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  const waits: number[] = [];
  let memory = 0;
  const end = new AbortController();
  const watch = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const started = performance.now();
      await stat(at.home);
      waits.push(performance.now() - started);
      memory = Math.max(memory, process.memoryUsage.rss() - before);
      await delay(2);
    }
  };
  histogram.enable();
  const watching = watch();
  const names = Array.from({ length: FLOOD }, (_, index) => (index % 2 === 0 ? "ann" : `nobody${index}`));
  const results = await Promise.all(names.map(async (name) => await signIn(login, name, "wrong")));
  end.abort();
  await watching;
  histogram.disable();
  for (const { kind } of results) assert.equal(kind, "refused");
  const sorted = waits.toSorted((left, right) => left - right);
  return { loopMs: histogram.percentile(99) / 1e6, fileMs: sorted[Math.floor(sorted.length * 0.99)] ?? 0, memory };
}

test("attack 38: fifty bad logins at once hold up neither the loop nor files, and stay within memory", async () => {
  await using at = await place();
  const passwords = createPasswords();
  let burden: Burden | undefined;
  for (let measurement = 0; measurement < MEASUREMENTS; measurement += 1) {
    burden = await flood(passwords, at);
    // Never excused by a busy machine.
    assert.ok(burden.memory < MEMORY, `${burden.memory} octets`);
    if (burden.loopMs < PATIENCE_MS && burden.fileMs < PATIENCE_MS) return;
  }
  assert.fail(`others waited: ${JSON.stringify(burden)}`);
});

test("attack 38: more logins than may wait are told to come again, known and unknown names alike", async () => {
  await using at = await place();
  const passwords = createPasswords({ atOnce: 1, waiting: 3 });
  await addUser(at.file, "ann", { password: await passwords.hash(bytesOfText("right")), home: at.home });
  const login = createLogin([createFileAccounts(at.file, { passwords })], { passwords });
  for (const name of ["ann", "nobody"]) {
    const results = await Promise.all(Array.from({ length: 8 }, async () => await signIn(login, name)));
    const busy = results.filter(({ kind }) => kind === "busy").length;
    assert.equal(busy, 4, name);
  }
  assert.equal((await signIn(login, "ann")).kind, "accepted");
});

test("attack 38: a hash that was planted to exhaust us is never computed", async () => {
  await using at = await place();
  const tail = HASH.slice(HASH.indexOf("$", "$argon2id$v=19$m".length));
  for (const cost of ["m=4194304,t=1,p=1", "m=65536,t=4000000000,p=1", "m=65536,t=1,p=255"]) {
    const text = userLines("ann", at.home).replace(HASH, `$argon2id$v=19$${cost}${tail}`);
    await writeFile(at.file, `${text}\n${userLines("bob", at.home)}`);
    const login = createLogin([createFileAccounts(at.file, { passwords: quick })], { passwords: quick });
    const started = performance.now();
    assert.equal((await signIn(login, "ann")).kind, "refused", cost);
    assert.ok(performance.now() - started < 1_000, cost);
    assert.equal((await signIn(login, "bob")).kind, "accepted");
  }
});

test("attack 39: an empty or missing password in the file opens nothing", async () => {
  await using at = await place();
  for (const line of ['password = ""', "", 'password = " "', 'password = "*"', 'password = "right"', "password = []"]) {
    await writeFile(
      at.file,
      userLines("ann", at.home).replace(/password = .*/, () => line),
    );
    const login = createLogin([createFileAccounts(at.file, { passwords: quick })], { passwords: quick });
    for (const password of ["", " ", "*", "right"]) {
      assert.equal((await signIn(login, "ann", password)).kind, "refused", `${line} / "${password}"`);
    }
  }
  await assert.rejects(createFixedAccounts([{ ...parseFixedAccount("ann:x", "/srv"), password: bytesOfText("") }]));
});

test("attack 40: any broken field closes its account, for the right password and for the stores behind; others enter", async () => {
  await using at = await place();
  const broken = [
    "disabled = 0",
    'disabled = "no"',
    'expires = "2099-01-01"',
    "expires = 2099-02-30",
    'rights = ["list", "everything"]',
    "rights = { list = true }",
    'limits = { sessions = "3" }',
    "limits = { sessions = -1 }",
    'limits = { idle = "10 minutes" }',
    'limits = { download-rate = "fast" }',
    'folders = [{ pattern = "/x", rights = "raed" }]',
    "folders = [{ rights = 'read' }]",
    'allowed-from = "300.1.2.3/99"',
    'hours = "25:99-26:00"',
  ];
  for (const line of broken) {
    await writeFile(at.file, `${userLines("ann", at.home, line)}\n${userLines("bob", at.home)}`);
    const login = createLogin([createFileAccounts(at.file, { passwords: quick }), welcoming], { passwords: quick });
    const result = await signIn(login, "ann");
    assert.ok(result.kind === "refused", line);
    // For the log: the file, the line and the key.
    assert.match(result.reason, /users\.toml:4: users\.ann\.\w/, line);
    assert.equal((await signIn(login, "bob")).kind, "accepted", line);
  }
});

test("attack 40: a file that is broken or gone closes every account in it and all the stores behind", async () => {
  await using at = await place();
  const login = createLogin([createFileAccounts(at.file, { passwords: quick }), welcoming], { passwords: quick });
  const good = userLines("ann", at.home);
  for (const text of [
    `${good}\n[users.bob`,
    `${good}${good}`,
    `${good}[defaults]\nrights = "read"\n`,
    "\0",
    "users = 1",
  ]) {
    await writeFile(at.file, text);
    for (const name of ["ann", "nobody"]) assert.equal((await signIn(login, name)).kind, "refused", text);
  }
  await rm(at.file);
  assert.equal((await signIn(login, "ann")).kind, "refused");
  await writeFile(at.file, good);
  assert.equal((await signIn(login, "ann")).kind, "accepted");
});
