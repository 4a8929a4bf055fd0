/** Accounts with hashes from elsewhere (crypt(5)): attack 36 with them, and the server as a process that checks them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { addUser } from "../../src/account/edit-users.ts";
import { createFileAccounts } from "../../src/account/file.ts";
import { type Login, createLogin } from "../../src/account/login.ts";
import { createPasswords } from "../../src/account/passwords.ts";
import { bytesOfText } from "../../src/base/bytes.ts";
import { loadCryptCalls } from "../../src/sys/crypt-calls.ts";
import { run } from "../support/run.ts";
import { type Place as ServePlace, configure, elsewhere, startServe, usersSection } from "../support/serve-process.ts";
import { Wire } from "../support/wire.ts";

const LAUNCHER = join(import.meta.dirname, "..", "..", "bin", "ferryman.cjs");
const calls = loadCryptCalls();
const noCrypt = calls === undefined && "no koffi or no libcrypt here";

async function hashOf(password: string, setting: string): Promise<string> {
  return (await calls?.crypt(Buffer.from(password), setting)) ?? "";
}

type Place = AsyncDisposable & { readonly file: string; readonly home: string };

async function place(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-imported-"));
  const home = join(folder, "home");
  await mkdir(home);
  return {
    file: join(folder, "users.toml"),
    home,
    [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true }),
  };
}

type Case = { readonly name: string; readonly password: string; readonly how: "authenticate" | "spendTime" };

/** Tries of each, by how much the medians may differ, and measurements before a difference counts. */
const [TRIES, RATIO, MEASUREMENTS] = [30, 1.5, 3];
/** Tries where times differ by ten and more. */
const FEW_TRIES = 5;

/** Milliseconds, the median of each case; the cases take turns. */
async function times(login: Login, cases: readonly Case[], tries = TRIES): Promise<readonly number[]> {
  const taken = cases.map((): number[] => []);
  for (let round = 0; round < tries; round += 1) {
    for (const [at, { name, password, how }] of cases.entries()) {
      const attempt = { name: bytesOfText(name), password: bytesOfText(password), from: "192.0.2.1" };
      const started = performance.now();
      await login[how](attempt);
      taken[at]?.push(performance.now() - started);
    }
  }
  return taken.map((each) => each.toSorted((left, right) => left - right)[Math.floor(tries / 2)] ?? Number.NaN);
}

async function alike(login: Login, cases: readonly Case[]): Promise<void> {
  let odd: readonly string[] = [];
  for (let measurement = 0; measurement < MEASUREMENTS; measurement += 1) {
    const [first = Number.NaN, ...others] = await times(login, cases);
    odd = others
      .map((time, at) => [cases[at + 1], time / first] as const)
      .filter(([, ratio]) => ratio > RATIO || ratio < 1 / RATIO)
      .map(([which, ratio]) => `${which?.name} by ${which?.how} takes ${ratio.toFixed(2)} times as long`);
    if (odd.length === 0) return;
  }
  assert.deepEqual(odd, []);
}

const wrong = (name: string, password = "wrong"): Case => ({ name, password, how: "authenticate" });
const banned = (name: string, password = "wrong"): Case => ({ name, password, how: "spendTime" });

test(
  "attack 36: among accounts of SHA-crypt alone an unknown name takes their time, for long passwords too",
  {
    skip: noCrypt,
  },
  async () => {
    await using at = await place();
    const passwords = createPasswords();
    for (const name of ["ann", "bob"]) {
      await addUser(at.file, name, { password: await hashOf("right", `$6$${name}`), home: at.home });
    }
    const login = createLogin([createFileAccounts(at.file, { passwords })], { passwords });
    await alike(login, [wrong("ann"), wrong("bob"), wrong("nobody"), wrong("no-one"), banned("ann"), banned("nobody")]);
    const long = "x".repeat(200);
    await alike(login, [wrong("ann", long), wrong("nobody", long), banned("ann", long), banned("nobody", long)]);
    // Beyond the limit and with NUL no password is right, and no name is told by it.
    await alike(login, [wrong("ann"), wrong("ann", "x".repeat(300)), wrong("nobody", "x".repeat(300))]);
    await alike(login, [wrong("ann"), wrong("ann", "a\0b"), wrong("nobody", "a\0b")]);
  },
);

test(
  "attack 36: among hashes of several kinds a name takes the time of its own, banned or not, and unknown ones of both",
  {
    skip: noCrypt,
  },
  async () => {
    await using at = await place();
    const passwords = createPasswords();
    await addUser(at.file, "quick", { password: await hashOf("right", "$1$salt"), home: at.home });
    await addUser(at.file, "slow", { password: await hashOf("right", "$6$rounds=40000$salt"), home: at.home });
    const login = createLogin([createFileAccounts(at.file, { passwords })], { passwords });
    await alike(login, [wrong("quick"), banned("quick")]);
    await alike(login, [wrong("slow"), banned("slow"), banned("slow", "right")]);
    const names = Array.from({ length: 20 }, (_, index) => wrong(`nobody${index}`));
    const [quick = 0, slow = 0, ...unknown] = await times(login, [wrong("quick"), wrong("slow"), ...names], FEW_TRIES);
    const border = Math.sqrt(quick * slow);
    const slower = unknown.filter((time) => time > border).length;
    // All of one kind by chance: twice in a million.
    assert.ok(slower > 0 && slower < names.length, `${slower} of ${names.length}, ${quick} and ${slow} ms`);
  },
);

/** Adds an account by the command, as one who moves a server does. */
async function imported({ folder, home }: ServePlace, line: string): Promise<void> {
  const [name = ""] = line.split(":");
  const args = ["user", "add", name, "--users", join(folder, "users.toml"), "--home", home, "--hash-stdin"];
  const ran = await run(process.execPath, [LAUNCHER, ...args], { input: `${line}\n`, cwd: folder });
  assert.equal(ran.code, 0, ran.stderr);
}

async function answers(port: number, name: string, password: string): Promise<number> {
  using wire = await Wire.open(port);
  wire.send(`USER ${name}`);
  wire.send(`PASS ${password}`);
  await wire.reply();
  return (await wire.reply()).code;
}

function hasLibrary(pid: number): boolean {
  return readFileSync(`/proc/${pid}/maps`, "utf8").includes("libcrypt.so");
}

suite("serve with accounts from elsewhere", { skip: elsewhere || noCrypt }, () => {
  test("the right password comes in through workers, which have neither hash nor library; MD5 is told of", async () => {
    await using served = await startServe({
      isConfigured: true,
      prepare: async (at) => {
        await imported(at, `carl:${await hashOf("pass word", "$6$salt")}:19000:0:99999:7:::`);
        await imported(at, `dora:${await hashOf("secret", "$1$salt")}`);
        await configure(at, usersSection(at));
      },
    });
    assert.equal(await answers(served.port, "carl", "pass word"), 230);
    assert.equal(await answers(served.port, "dora", "secret"), 230);
    assert.equal(await answers(served.port, "carl", "secret"), 530);
    assert.ok(hasLibrary(served.pid));
    assert.deepEqual(served.workers().filter(hasLibrary), []);
    const told = served.of("server.warning").map(({ text }) => text);
    assert.equal(told.filter((text) => text.includes("dora") && text.includes("$1$")).length, 1, told.join("\n"));
    assert.ok(!told.some((text) => text.includes("carl")));
  });

  test("without such an account the library is not loaded", async () => {
    await using served = await startServe();
    assert.equal(await answers(served.port, "ann", "secret"), 230);
    assert.equal(await answers(served.port, "nobody", "secret"), 530);
    assert.ok(!hasLibrary(served.pid));
  });

  test("where the library cannot be had the account is named with the cure, and nobody comes in", async () => {
    await using served = await startServe({
      workers: 0,
      isConfigured: true,
      env: { FERRYMAN_FFI: "off" },
      prepare: async (at) => {
        await imported(at, `carl:${await hashOf("secret", "$6$salt")}`);
        await configure(at, usersSection(at));
      },
    });
    assert.equal(await answers(served.port, "carl", "secret"), 530);
    assert.equal(await answers(served.port, "ann", "secret"), 230);
    const told = served.of("server.warning").map(({ text }) => text);
    assert.match(told.join("\n"), /The account carl cannot sign in: .*FERRYMAN_FFI=off.*user passwd carl/);
    const [failed] = served.of("login.failed");
    assert.match(failed?.reason ?? "", /sha512-crypt cannot be checked/);
  });
});
