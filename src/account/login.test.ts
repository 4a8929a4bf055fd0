/** The door: the order of stores, what a broken one does, and one password check for each answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfText } from "../base/bytes.ts";
import { type Account, AccountError, AccountsBusy, type AccountStore, type Verdict } from "./account.ts";
import { createLogin, type LoginResult } from "./login.ts";
import { createPasswords, type Passwords } from "./passwords.ts";

const ATTEMPT = { name: bytesOfText("ann"), password: bytesOfText("x"), from: "192.0.2.1" };
const ACCOUNT: Account = {
  name: "ann",
  anonymous: false,
  home: "/srv",
  rights: new Set(),
  folders: [],
  limits: {},
};

function store(name: string, answer: Verdict | Error): AccountStore {
  return {
    name,
    async authenticate() {
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
}

/** The result, and how often the time of a check was spent by the door itself. */
async function ask(...stores: readonly AccountStore[]): Promise<readonly [LoginResult, number]> {
  let checks = 0;
  const passwords: Passwords = {
    ...createPasswords(),
    async verifyAgainstNothing() {
      checks += 1;
    },
  };
  return [await createLogin(stores, { passwords }).authenticate(ATTEMPT), checks];
}

const unknown = store("one", { kind: "unknown" });
const accepts = store("two", { kind: "accepted", account: ACCOUNT });
const refuses = store("three", { kind: "refused", reason: "wrong password" });
const broken = store("four", new AccountError("file is gone"));

test("stores are asked in order until one knows the name", async () => {
  assert.deepEqual(await ask(unknown, accepts, refuses), [{ kind: "accepted", account: ACCOUNT }, 0]);
  assert.deepEqual(await ask(unknown, refuses, accepts), [{ kind: "refused", reason: "wrong password" }, 0]);
});

test("a name that nobody has takes a check too", async () => {
  assert.deepEqual(await ask(unknown, unknown), [{ kind: "refused", reason: "no such account" }, 1]);
  assert.deepEqual(await ask(), [{ kind: "refused", reason: "no such account" }, 1]);
});

test("a broken store refuses, whatever comes behind it (attack 40)", async () => {
  assert.deepEqual(await ask(unknown, broken, accepts), [{ kind: "refused", reason: "four: file is gone" }, 1]);
  assert.deepEqual((await ask(accepts, broken))[0].kind, "accepted");
});

test("busy is busy, for known and unknown names; a bug is a bug", async () => {
  assert.deepEqual(await ask(store("five", new AccountsBusy("full"))), [{ kind: "busy" }, 0]);
  const full: Passwords = {
    ...createPasswords(),
    async verifyAgainstNothing() {
      throw new AccountsBusy("full");
    },
  };
  assert.deepEqual(await createLogin([unknown], { passwords: full }).authenticate(ATTEMPT), { kind: "busy" });
  await assert.rejects(ask(store("six", new TypeError("bug"))), TypeError);
});

test("time is spent as for this name with another password of its length, and nobody is let in by it", async () => {
  const heard: string[] = [];
  const listening: AccountStore = {
    name: "listening",
    async authenticate({ name, password, from }) {
      heard.push(`${name} ${password} ${from}`);
      return { kind: "accepted", account: ACCOUNT };
    },
  };
  const login = createLogin([listening], { passwords: createPasswords() });
  const password = bytesOfText("a long one that nobody has");
  assert.equal(await login.spendTime({ ...ATTEMPT, password }), true);
  assert.match(heard[0] ?? "", /^ann [\da-f]{26} 192\.0\.2\.1$/);
  assert.ok(!(heard[0] ?? "").includes(password));
  const full = createLogin([store("full", new AccountsBusy("full"))], { passwords: createPasswords() });
  assert.equal(await full.spendTime(ATTEMPT), false);
});
