/** Hashes: made, checked against vectors of others, and bounded in what a planted one may ask for (attacks 38, 39). */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { bytesOf, bytesOfText } from "../base/bytes.ts";
import { AccountsBusy } from "./account.ts";
import { DEFAULT_COST, PASSWORD_LIMIT, createPasswords, parseArgon2id } from "./passwords.ts";

/** A hash of 256 KiB takes under a millisecond. */
const CHEAP = { cost: { memory: 256, passes: 1, lanes: 1 } };
const passwords = createPasswords(CHEAP);

test("a new hash is argon2id in PHC form with the default cost, and never twice the same", async () => {
  const made = createPasswords();
  const [one, two] = [await made.hash(bytesOfText("secret")), await made.hash(bytesOfText("secret"))];
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  assert.notEqual(one, two);
  assert.deepEqual(parseArgon2id(one)?.cost, DEFAULT_COST);
  assert.ok(await made.verify(one, bytesOfText("secret")));
  assert.ok(!(await made.verify(one, bytesOfText("Secret"))));
});

test("a hash that the argon2 reference program made", async () => {
  // phc-winner-argon2, test.c: hashtest(version, 2, 8, 1, "password", "somesalt", …, Argon2_id).
  const hash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
  assert.ok(await passwords.verify(hash, bytesOfText("password")));
  assert.ok(!(await passwords.verify(hash, bytesOfText("passwore"))));
});

test("octets that are no text are a password like others", async () => {
  const password = bytesOf(Buffer.from([0xff, 0xfe, 0x80]));
  const hash = await passwords.hash(password);
  assert.ok(await passwords.verify(hash, password));
  assert.ok(!(await passwords.verify(hash, bytesOf(Buffer.from([0xff, 0xfe, 0x81])))));
});

test("attack 39: what is no hash has no password, the empty one least of all", async () => {
  const good = await passwords.hash(bytesOfText("x"));
  const [, , , , salt = "", tag = ""] = good.split("$");
  const head = "$argon2id$v=19$m=256,t=1,p=1";
  const bad = [
    "",
    " ",
    "x",
    "*",
    "!",
    "$",
    "$argon2id$",
    `${head}$${salt}$`,
    `${head}$$${tag}`,
    `${head}$${salt}$${tag.slice(0, 8)}`,
    `${head}$${salt}$${tag}=`,
    `${head}$${salt}$${tag}\n`,
    `${head}$${salt.slice(0, 5)}$${tag}`,
    good.replace("argon2id", "argon2d"),
    good.replace("v=19", "v=16"),
    good.replace("t=1", "t=0"),
    good.replace("m=256", "m=7"),
    good.replace("m=256", "m=0256"),
    `${head}$${salt}$${"A".repeat(600)}`,
  ];
  for (const hash of bad) {
    assert.equal(parseArgon2id(hash), undefined, hash);
    for (const password of ["", "x", hash]) assert.ok(!(await passwords.verify(hash, bytesOfText(password))), hash);
  }
});

test("attack 38: a planted hash cannot ask for more than the bounds", () => {
  const tail = "$c29tc2FsdHNvbWVzYWx0$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
  assert.ok(parseArgon2id(`$argon2id$v=19$m=65536,t=3,p=4${tail}`));
  for (const cost of ["m=65537,t=3,p=4", "m=4294967295,t=1,p=1", "m=1024,t=11,p=1", "m=1024,t=1,p=5", "m=8,t=1,p=2"]) {
    assert.equal(parseArgon2id(`$argon2id$v=19$${cost}${tail}`), undefined, cost);
  }
});

test("any text is read or refused, never an error", () => {
  fc.assert(fc.property(fc.string(), (text) => parseArgon2id(`$argon2id$v=19$m=${text}`) === undefined));
});

test("a password beyond the limit never matches", async () => {
  const password = bytesOfText("x".repeat(PASSWORD_LIMIT + 1));
  assert.ok(!(await passwords.verify(await passwords.hash(password), password)));
});

test("few checks at once, some waiting, the rest refused as busy", async () => {
  const few = createPasswords({ ...CHEAP, atOnce: 1, waiting: 2 });
  const tries = Array.from({ length: 5 }, async () => await few.verifyAgainstNothing(bytesOfText("x")));
  const results = await Promise.allSettled(tries);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "fulfilled", "fulfilled", "rejected", "rejected"],
  );
  assert.ok(results[4]?.status === "rejected" && results[4].reason instanceof AccountsBusy);
  await few.verifyAgainstNothing(bytesOfText("x"));
});
