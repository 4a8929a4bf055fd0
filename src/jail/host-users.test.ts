import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanEnvironment } from "./environment.ts";
import { findHostUser } from "./host-users.ts";

const skip = process.platform === "linux" ? false : "other systems have other users";

test("a name is the user of this host", { skip }, () => {
  assert.equal(findHostUser("nobody").uid, 65_534);
  assert.deepEqual(findHostUser("1234:5678"), { uid: 1234, gid: 5678 });
  assert.deepEqual(findHostUser("nobody:1"), { uid: 65_534, gid: 1 });
});

test("root, strangers and half a number are refused in words", { skip }, () => {
  for (const name of ["root", "0:0", "nobody:root", "nobody:0", "1234:0"]) {
    assert.throws(() => findHostUser(name), /is root/, name);
  }
  assert.throws(() => findHostUser("no-such-user"), /no user "no-such-user"/);
  assert.throws(() => findHostUser(""), /no user/);
  assert.throws(() => findHostUser("nobody:no-such-group"), /no group/);
  assert.throws(() => findHostUser("123456"), /name a group too/);
  assert.throws(() => findHostUser("4294967295:1"), /no user/, "-1 would leave the identity as it is");
});

test("the environment is clean, and nothing that changes what is loaded gets in", () => {
  process.env["FERRYMAN_TEST_OF_ENVIRONMENT"] = "1";
  const environment = cleanEnvironment({ FERRYMAN_X: "1" });
  delete process.env["FERRYMAN_TEST_OF_ENVIRONMENT"];
  assert.equal(environment["FERRYMAN_X"], "1");
  assert.equal(environment["FERRYMAN_TEST_OF_ENVIRONMENT"], undefined);
  assert.equal(environment["HOME"], undefined);
  for (const name of ["LD_PRELOAD", "NODE_OPTIONS", "NODE_CHANNEL_FD", "OPENSSL_CONF", "A=B", "", "GCONV_PATH"]) {
    assert.throws(() => cleanEnvironment({ [name]: "x" }), /may not be given/, name);
  }
});
