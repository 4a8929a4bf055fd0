/** Hashes from elsewhere: which are taken, checked against vectors of others, and what they may ask for (attacks 38, 39). */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { bytesOf, bytesOfText } from "../base/bytes.ts";
import { loadCryptCalls } from "../sys/crypt-calls.ts";
import { AccountError, AccountsBusy } from "./account.ts";
import { CRYPT_PASSWORD_LIMIT, cryptHindrance, oddHash, parseCryptHash } from "./crypt-hashes.ts";
import { hashForm, hashNotes, hashProblem } from "./hash-forms.ts";
import { createPasswords } from "./passwords.ts";

const CHEAP = { cost: { memory: 256, passes: 1, lanes: 1 } };
const passwords = createPasswords(CHEAP);
const noCrypt = loadCryptCalls() === undefined && "no koffi or no libcrypt here";

/** Of openssl passwd, which has SHA-crypt's and MD5's own code, of crypt_blowfish's wrapper.c, and of libxcrypt itself. */
const VECTORS = [
  ["$1$abcdefgh$fzmjzFdo5nMtBG8gtud5e0", "Hello world!", "md5-crypt"],
  ["$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!", "sha256-crypt"],
  [
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    "Hello world!",
    "sha512-crypt",
  ],
  ["$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA", "Hello world!", "sha256-crypt"],
  ["$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", "bcrypt"],
  ["$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", "bcrypt"],
  ["$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", "bcrypt"],
  ["$y$j75$ferryman$Rmf41vzHNiyyqg74yVYsuTI0ovroH4xQ5m150Fks3c.", "ferryman", "yescrypt"],
] as const;

test("every form lets in the right password and no other", { skip: noCrypt }, async () => {
  for (const [hash, password, form] of VECTORS) {
    assert.equal(hashForm(hash), form);
    assert.equal(await cryptHindrance(form), undefined, form);
    assert.ok(await passwords.verify(hash, bytesOfText(password)), hash);
    for (const wrong of ["", `${password} `, password.toLowerCase().slice(1), hash]) {
      assert.ok(!(await passwords.verify(hash, bytesOfText(wrong))), `${hash}: ${wrong}`);
    }
  }
});

test("a hash of which one character is another lets nobody in", { skip: noCrypt }, async () => {
  const [hash, password] = VECTORS[2];
  for (const at of [4, hash.length - 50, hash.length - 1]) {
    const other = hash[at] === "a" ? "b" : "a";
    assert.ok(!(await passwords.verify(hash.slice(0, at) + other + hash.slice(at + 1), bytesOfText(password))));
  }
});

test(
  "octets that are no text are a password too; one with NUL or beyond the limit is none",
  { skip: noCrypt },
  async () => {
    const calls = loadCryptCalls();
    const hashOf = async (octets: Buffer): Promise<string> => (await calls?.crypt(octets, "$1$salt")) ?? "";
    const strange = Buffer.from([0xff, 0x80, 0x01]);
    assert.ok(await passwords.verify(await hashOf(strange), bytesOf(strange)));
    const longest = "x".repeat(CRYPT_PASSWORD_LIMIT);
    assert.ok(await passwords.verify(await hashOf(Buffer.from(longest)), bytesOfText(longest)));
    assert.ok(!(await passwords.verify(await hashOf(Buffer.from(`${longest}x`)), bytesOfText(`${longest}x`))));
    // C would see "secret" alone.
    assert.ok(!(await passwords.verify(await hashOf(Buffer.from("secret")), bytesOfText("secret\0and more"))));
    // What is checked in their place is the empty password, which must not let them in either.
    assert.ok(!(await passwords.verify(await hashOf(Buffer.from("")), bytesOfText("\0"))));
  },
);

test("attack 38: a planted hash of crypt(5) cannot ask for more than the bounds", () => {
  const [sum43, sum86] = ["a".repeat(43), "a".repeat(86)];
  const bcrypt = `${"a".repeat(21)}.${"a".repeat(31)}`;
  const good = [
    `$5$rounds=1000$s$${sum43}`,
    `$6$rounds=1000000$s$${sum86}`,
    `$2b$04$${bcrypt}`,
    `$2b$14$${bcrypt}`,
    `$y$j9T$salt$${sum43}`,
    `$y$jBT$salt$${sum43}`,
  ];
  for (const hash of good) assert.ok(parseCryptHash(hash), hash);
  const bad = [
    `$5$rounds=999$s$${sum43}`,
    `$5$rounds=0$s$${sum43}`,
    `$6$rounds=1000001$s$${sum86}`,
    `$6$rounds=999999999$s$${sum86}`,
    `$6$rounds=01000$s$${sum86}`,
    `$6$rounds=-5$s$${sum86}`,
    `$2b$03$${bcrypt}`,
    `$2b$15$${bcrypt}`,
    `$2b$31$${bcrypt}`,
    `$y$jCT$salt$${sum43}`,
    `$y$jjj$salt$${sum43}`,
    `$y$jz5$salt$${sum43}`,
    `$y$j9T/..$salt$${sum43}`,
    `$y$k9T$salt$${sum43}`,
  ];
  for (const hash of bad) {
    assert.equal(parseCryptHash(hash), undefined, hash);
    assert.match(hashProblem(hash) ?? "", /^expected of \S+crypt: .*ferryman user passwd/, hash);
  }
  assert.deepEqual(parseCryptHash(`$y$j9T$salt$${sum43}`), { form: "yescrypt", cost: 16_384 });
  assert.deepEqual(parseCryptHash(`$6$s$${sum86}`), { form: "sha512-crypt", cost: 5_000 });
});

test("attack 39: what is no hash of crypt(5) has no password, and what it seems to be is told without it", async () => {
  const reasons: readonly (readonly [string, RegExp])[] = [
    ["!$6$salt$x", /lock/],
    ["*", /lock/],
    ["!!", /lock/],
    ["abJnggxhB/yWI", /DES hash.*user passwd/],
    ["5ebe2294ecd0e0f08eab7690d2a6ee69", /bare digest.*user passwd/],
    ["$6$", /sha512-crypt.*86 characters/],
    ["$6$salt$", /sha512-crypt/],
    ["$6$$", /sha512-crypt/],
    ["$2b$10$short", /bcrypt/],
    ["$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", /^expected a hash "\$argon2id/],
    ["$apr1$salt$abcdefghijklmnopqrstuv", /^expected a hash "\$argon2id.*\$1\$/],
    ["_J9..K0AyUubNgkBG5yo", /^expected a hash/],
    ["*0", /lock/],
    ["", /^expected a hash/],
    ["hunter2", /^expected a hash/],
    [`${VECTORS[0][0]}\n`, /md5-crypt/],
    [`${VECTORS[2][0]}$`, /sha512-crypt/],
  ];
  for (const [hash, reason] of reasons) {
    assert.equal(parseCryptHash(hash), undefined, hash);
    assert.match(hashProblem(hash) ?? "", reason, hash);
    if (hash.length > 3) assert.ok(!(hashProblem(hash) ?? "").includes(hash));
    for (const password of ["", "x", hash]) assert.ok(!(await passwords.verify(hash, bytesOfText(password))), hash);
  }
});

test("any text is a hash or not, never an error, and never anything that C would not see to its end", () => {
  const prefix = fc.constantFrom("", "$1$", "$5$", "$6$", "$2b$10$", "$y$j9T$", "$6$rounds=5000$");
  const letters = fc.string({
    unit: fc.constantFrom(..."a b z 0 9 . / $ ! * : \0 \n ü".split(" "), " "),
    maxLength: 120,
  });
  fc.assert(
    fc.property(prefix, letters, (head, tail) => {
      const hash = head + tail;
      if (parseCryptHash(hash) !== undefined) assert.match(hash, /^[\x21-\x7e]{30,256}$/);
      assert.equal(typeof (oddHash(hash) ?? ""), "string");
    }),
  );
});

test("checks of hashes from elsewhere have their turn with the others", { skip: noCrypt }, async () => {
  const few = createPasswords({ ...CHEAP, atOnce: 1, waiting: 1 });
  const [hash, password] = VECTORS[2];
  const results = await Promise.allSettled(
    Array.from({ length: 3 }, async () => await few.verify(hash, bytesOfText(password))),
  );
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "fulfilled", "rejected"],
  );
  assert.ok(results[2]?.status === "rejected" && results[2].reason instanceof AccountsBusy);
});

test("without the library the right password is refused, and people are told of whom and what to do", async (context) => {
  const before = process.env["FERRYMAN_FFI"];
  process.env["FERRYMAN_FFI"] = "off";
  context.after(() => {
    if (before === undefined) delete process.env["FERRYMAN_FFI"];
    else process.env["FERRYMAN_FFI"] = before;
  });
  const [hash, password] = VECTORS[2];
  await assert.rejects(passwords.verify(hash, bytesOfText(password)), AccountError);
  await passwords.verifyAgainstNothing(bytesOfText(password));
  const users = ["ann", "bob"].map((name) => ({ name, password: hash }));
  const [note, ...others] = await hashNotes(users);
  assert.match(note ?? "", /^Accounts ann, bob cannot sign in: sha512-crypt cannot be checked: .*user passwd NAME$/);
  assert.deepEqual(others, []);
});

test("weak hashes are told of once, with the first names", { skip: noCrypt }, async () => {
  const users = ["a", "b", "c", "d", "e", "f", "g"].map((name) => ({ name, password: VECTORS[0][0] }));
  const [note, ...others] = await hashNotes(users);
  assert.match(note ?? "", /^The password of a, b, c, d, e and 2 more is kept as MD5 \(\$1\$\).*user passwd NAME$/);
  assert.deepEqual(others, []);
  assert.match((await hashNotes(users.slice(0, 1)))[0] ?? "", /of a is kept.*user passwd a$/);
  assert.deepEqual(await hashNotes([{ name: "h", password: VECTORS[2][0] }]), []);
});
