/** Accounts given to the program: how they are written, and what is said of a wrong one without its password. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { bytesOfText } from "../base/bytes.ts";
import { accountSuite } from "../testing/account-suite.ts";
import { AccountError, RIGHTS } from "./account.ts";
import { createFixedAccounts, parseFixedAccount } from "./fixed.ts";
import { createPasswords } from "./passwords.ts";

const passwords = createPasswords({ cost: { memory: 64, passes: 1, lanes: 1 } });

accountSuite("fixed", async () => {
  const home = await mkdtemp(join(tmpdir(), "ferryman-fixed-"));
  const user = parseFixedAccount("ann:geheim ü", home);
  return {
    store: await createFixedAccounts([user, parseFixedAccount("bob:x", home)], { passwords }),
    name: bytesOfText("ann"),
    password: user.password,
    [Symbol.asyncDispose]: async () => await rm(home, { recursive: true }),
  };
});

test("NAME:PASSWORD[:DIR[:RIGHTS]]", () => {
  const { account, password } = parseFixedAccount("ann:secret", "/srv/pub");
  assert.equal(password, "secret");
  assert.deepEqual(account, {
    name: "ann",
    anonymous: false,
    home: "/srv/pub",
    rights: new Set(RIGHTS),
    folders: [],
    limits: {},
  });
  const other = parseFixedAccount("bob:x:pub:list,append", "/srv").account;
  assert.equal(other.home, resolve("pub"));
  assert.deepEqual([...other.rights], ["list", "append"]);
  assert.equal(parseFixedAccount("bob:x::read", "/srv").account.home, "/srv");
});

test("what is wrong is told without the password", () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["ann", /password is missing/],
    ["ann:", /password is missing/],
    [":secret", /name is empty/],
    ["..:secret", /means a folder/],
    ["a/b:secret", /slash/],
    ["ann:secret:dir:read:more", /too many colons/],
    ["ann:secret::raed", /Did you mean "read"/],
    ["ann:secret:a\0b", /NUL/],
  ];
  for (const [text, message] of wrong) {
    assert.throws(
      () => parseFixedAccount(text, "/srv"),
      (error) => error instanceof AccountError && message.test(error.message) && !error.message.includes("secret"),
      text,
    );
  }
});

test("a program's own mistakes are refused too", async () => {
  const ann = parseFixedAccount("ann:x", "/srv");
  await assert.rejects(createFixedAccounts([ann, ann], { passwords }), /ann is given twice/);
  await assert.rejects(createFixedAccounts([parseFixedAccount("ann:x", "srv")], { passwords }), /not absolute/);
  await assert.rejects(createFixedAccounts([{ ...ann, password: bytesOfText("") }], { passwords }), /missing/);
});
