/** All servers of the benchmark are asked to check the same hash, or the rows about it would compare hashes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ground, QUICK } from "../../bench/ground.ts";
import { PEERS } from "../../bench/peers/index.ts";
import { WORKLOADS } from "../../bench/workloads.ts";

const FOLDER = "/nowhere";
const GROUND: Ground = {
  root: FOLDER,
  state: FOLDER,
  sizes: QUICK,
  cert: FOLDER,
  key: FOLDER,
  pem: FOLDER,
  password: "word",
  argon2id: { user: "one", hash: "$argon2id$" },
  sha512Crypt: { user: "other", hash: "$6$" },
  ownMounts: true,
  memory: "tmpfs",
};

test("each server has the account with the sha512-crypt hash, and those with argon2id another one", () => {
  for (const { name, logins, forAccounts } of PEERS) {
    const found = (forAccounts?.logins ?? logins)(GROUND);
    assert.deepEqual(found.hashed, { user: "other", password: "word" }, name);
    assert.notEqual(found.argon2id?.user, found.hashed?.user, name);
    // What files are moved by must not cost the one server more than the other.
    assert.notEqual(found.files.user, "other", name);
  }
});

test("where nothing may be mounted vsftpd, which asks PAM, has no such account", () => {
  const without = PEERS.filter(({ logins }) => logins({ ...GROUND, ownMounts: false }).hashed === undefined);
  assert.deepEqual(
    without.map(({ name }) => name),
    ["vsftpd", "vsftpd-default"],
  );
});

test("the rows of hashed logins are there for one session and for many", () => {
  const rows = WORKLOADS.filter(({ login }) => login === "hashed").flatMap((each) => each.rows.map(({ id }) => id));
  assert.deepEqual(rows, ["e-hash-1", "e-hash-64"]);
});
