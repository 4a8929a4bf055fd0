/** Accounts from the command line: what is accepted, and that an error never shows the password. */
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { RIGHTS, type Verdict } from "../account/account.ts";
import { bytesOfText } from "../base/bytes.ts";
import { CliError } from "./exit.ts";
import { FlagUsers, parseFlagUser } from "./flag-user.ts";

test("NAME:PASSWORD[:DIR[:RIGHTS]]", () => {
  const { account } = parseFlagUser("ann:secret", "/srv/pub");
  assert.deepEqual([account.name, account.home, account.anonymous], ["ann", "/srv/pub", false]);
  assert.deepEqual(account.rights, new Set(RIGHTS));
  const other = parseFlagUser("bob:x:pub:read,append", "/srv").account;
  assert.equal(other.home, resolve("pub"));
  assert.deepEqual([...other.rights], ["list", "read", "append"]);
  assert.equal(parseFlagUser("bob:x::read", "/srv").account.home, "/srv");
});

test("what is wrong is told without the password (attack 22: names that are no path)", () => {
  for (const text of [
    "ann",
    "ann:",
    ":secret",
    "..:secret",
    "a/b:secret",
    "a b:secret",
    "a:secret:d:all:more",
    "a:secret::reed",
  ]) {
    assert.throws(
      () => parseFlagUser(text, "/srv"),
      (error) => error instanceof CliError && error.exitCode === 2 && !error.message.includes("secret"),
      text,
    );
  }
  assert.throws(() => parseFlagUser("a:secret::reed", "/"), /Did you mean "read"/);
});

test("the right password enters, a wrong one does not, other names go to the next store", async () => {
  const store = new FlagUsers([parseFlagUser("ann:geheim ü", "/srv")]);
  const attempt = async (name: string, password: string): Promise<Verdict> =>
    store.authenticate({ name: bytesOfText(name), password: bytesOfText(password), from: "127.0.0.1" });
  const entered = await attempt("ann", "geheim ü");
  assert.ok(entered.kind === "accepted" && entered.account.home === "/srv");
  assert.equal((await attempt("ann", "geheim")).kind, "refused");
  assert.equal((await attempt("ann", "")).kind, "refused");
  assert.equal((await attempt("bob", "geheim ü")).kind, "unknown");
});
