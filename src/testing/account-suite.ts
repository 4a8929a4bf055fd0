/** Every promise of the account port as a test; each adapter runs it. */
import assert from "node:assert/strict";
import { isAbsolute } from "node:path";
import { suite, test } from "node:test";
import {
  type Account,
  AccountError,
  AccountsBusy,
  type AccountStore,
  RIGHTS,
  type Verdict,
} from "../account/account.ts";
import { GUEST_NAMES } from "../account/names.ts";
import { type ByteString, bytesOf, bytesOfText } from "../base/bytes.ts";

/** A store with one account that may sign in, as it is before each test. */
export type AccountFixture = AsyncDisposable & {
  readonly store: AccountStore;
  readonly name: ByteString;
  readonly password: ByteString;
  /** Makes the store's source unusable: its file broken, its server away. Absent: it has none that could break. */
  readonly breakSource?: () => Promise<void>;
};
export type AccountAbilities = {
  /** Any password is right, as for guests. */
  readonly anyPassword?: boolean;
  /** Its fixture has `breakSource`. */
  readonly breakable?: boolean;
};
export type MakeAccounts = () => Promise<AccountFixture>;

/** Names that are paths, commands, or nothing at all (attacks 22, 33), and those of a JavaScript object's own fields. */
const HOSTILE_NAMES: readonly string[] = [
  "",
  ".",
  "..",
  "../ann",
  "a/../../b",
  "a\\b",
  "ann\0",
  "\0",
  "ann\r\nSITE",
  "ann\n",
  "*",
  "ann*",
  "(uid=*)",
  "' OR 1=1 --",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "\u202e",
  "x".repeat(10_000),
];
const NOT_UTF8 = bytesOf(Buffer.from([0xff, 0xfe, 0x2f]));

const NOBODY = bytesOfText("nobody-of-this-name");
const ADDRESS = "192.0.2.1";
/** Logins at once; each store must answer them all, be it with "busy". */
const AT_ONCE = 10;

/** @param make gives a store of its own for each test. */
export function accountSuite(name: string, make: MakeAccounts, abilities: AccountAbilities = {}): void {
  const it = (what: string, check: (fixture: AccountFixture) => Promise<void>): void => {
    test(what, async () => {
      await using fixture = await make();
      await check(fixture);
    });
  };
  suite(`accounts: ${name}`, () => {
    it("the right password gives an account that can be served", async (fixture) => {
      checkAccount(accountIn(await signIn(fixture)));
    });
    if (abilities.anyPassword === true) it("a guest's password is not looked at", entersWithAny);
    else it("other passwords are refused, for a reason that does not hold them", refusesOthers);
    it("a name that it does not have is unknown, so that the next store is asked", async (fixture) => {
      assert.deepEqual(await signIn(fixture, { name: NOBODY }), { kind: "unknown" });
      assert.deepEqual(await signIn(fixture, { name: bytesOfText(`${fixture.name}x`) }), { kind: "unknown" });
    });
    it("what it says of guests without being asked is what it answers", keepsWordOfGuests);
    it("hostile names never enter (attacks 22, 33)", async (fixture) => {
      for (const hostile of [...HOSTILE_NAMES.map(bytesOfText), NOT_UTF8]) {
        const verdict = await signIn(fixture, { name: hostile });
        assert.notEqual(verdict.kind, "accepted", JSON.stringify(hostile));
      }
    });
    it("many logins at once are all answered, each as if it were alone", async (fixture) => {
      const answers = (changed: Changed): readonly Promise<string>[] =>
        Array.from({ length: AT_ONCE }, async () => await orBusy(signIn(fixture, changed)));
      const [right, unknown] = [answers({}), answers({ name: NOBODY })];
      for (const kind of await Promise.all(right)) assert.match(kind, /^(?:accepted|busy)$/);
      for (const kind of await Promise.all(unknown)) assert.match(kind, /^(?:unknown|busy)$/);
      accountIn(await signIn(fixture));
    });
    if (abilities.breakable === true)
      it("a broken source lets nobody in, and on to no other store (attack 40)", failsClosed);
  });
}

async function keepsWordOfGuests({ store }: AccountFixture): Promise<void> {
  for (const name of [...GUEST_NAMES, ...GUEST_NAMES.map((each) => each.toUpperCase())]) {
    for (const password of ["", "me@example.net"]) {
      const attempt = { name: bytesOfText(name), password: bytesOfText(password), from: ADDRESS };
      const verdict = await store.authenticate(attempt);
      if (store.guest !== undefined) assert.deepEqual(verdict, { kind: "accepted", account: store.guest });
      if (store.hasNoGuests === true) assert.equal(verdict.kind, "unknown");
    }
  }
}

async function entersWithAny(fixture: AccountFixture): Promise<void> {
  for (const any of ["", "x", "guest@example.org"]) accountIn(await signIn(fixture, { password: bytesOfText(any) }));
}

async function refusesOthers(fixture: AccountFixture): Promise<void> {
  const { password } = fixture;
  for (const wrong of [`${password}x`, password.slice(0, -1), "", `\0${password}`, `${password}\0`]) {
    const verdict = await signIn(fixture, { password: bytesOfText(wrong) });
    assert.ok(verdict.kind === "refused", `${JSON.stringify(wrong)} is ${verdict.kind}`);
    assert.notEqual(verdict.reason, "");
    assert.ok(wrong === "" || !verdict.reason.includes(wrong));
  }
}

async function failsClosed(fixture: AccountFixture): Promise<void> {
  accountIn(await signIn(fixture));
  await fixture.breakSource?.();
  await assert.rejects(signIn(fixture), AccountError);
  await assert.rejects(signIn(fixture, { name: NOBODY }), AccountError);
}

type Changed = { readonly name?: ByteString; readonly password?: ByteString };

async function signIn({ store, name, password }: AccountFixture, changed: Changed = {}): Promise<Verdict> {
  return await store.authenticate({ name, password, from: ADDRESS, ...changed });
}

async function orBusy(verdict: Promise<Verdict>): Promise<string> {
  try {
    return (await verdict).kind;
  } catch (error) {
    if (error instanceof AccountsBusy) return "busy";
    throw error;
  }
}

function accountIn(verdict: Verdict): Account {
  assert.ok(verdict.kind === "accepted", `the right password is ${verdict.kind}`);
  return verdict.account;
}

function checkAccount({ name, home, rights, folders, limits }: Account): void {
  assert.notEqual(name, "");
  assert.ok(isAbsolute(home), `the home ${home} is not absolute`);
  for (const set of [rights, ...folders.map((rule) => rule.rights)]) {
    for (const right of set) assert.ok(RIGHTS.includes(right), `there is no right ${right}`);
  }
  for (const [key, limit] of Object.entries(limits)) assert.ok(limit > 0, `the limit ${key} is ${limit}`);
}
