/** Guests: their names, and rights that only take or only give. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfText } from "../base/bytes.ts";
import { accountSuite } from "../testing/account-suite.ts";
import type { Right } from "./account.ts";
import { type AnonymousOptions, createAnonymousAccounts } from "./anonymous.ts";

async function rightsOfGuest(
  options: Omit<AnonymousOptions, "home">,
  name: string,
): Promise<readonly Right[] | undefined> {
  const store = createAnonymousAccounts({ home: "/srv/pub", ...options });
  const verdict = await store.authenticate({ name: bytesOfText(name), password: bytesOfText(""), from: "192.0.2.1" });
  return verdict.kind === "accepted" ? [...verdict.account.rights] : undefined;
}

accountSuite(
  "anonymous",
  async () => ({
    store: createAnonymousAccounts({ home: "/srv/pub", mode: "read" }),
    name: bytesOfText("anonymous"),
    password: bytesOfText("guest@"),
    async [Symbol.asyncDispose]() {},
  }),
  { anyPassword: true },
);

test("both names of RFC 1635 in any case, and no other", async () => {
  for (const name of ["anonymous", "ftp", "FTP", "Anonymous"]) {
    assert.deepEqual(await rightsOfGuest({ mode: "read" }, name), ["list", "read"], name);
  }
  for (const name of ["", "anon", "ftp ", "ann"]) assert.equal(await rightsOfGuest({ mode: "read" }, name), undefined);
});

test("a drop box takes new files; what else it allows is the admin's to say", async () => {
  assert.deepEqual(await rightsOfGuest({ mode: "drop" }, "ftp"), ["write"]);
  assert.deepEqual(await rightsOfGuest({ mode: "drop", also: ["mkdir"] }, "ftp"), ["write", "mkdir"]);
  assert.equal(await rightsOfGuest({ mode: "off" }, "ftp"), undefined);
});
