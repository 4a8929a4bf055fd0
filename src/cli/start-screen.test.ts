/** The first screen fits a small terminal, whatever is served to whomever. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { type ScreenFacts, startScreen } from "./start-screen.ts";

const FACTS: ScreenFacts = {
  folder: "/srv/pub",
  bound: [
    { address: "127.0.0.1", port: 2121 },
    { address: "::1", port: 2121 },
  ],
  access: [{ who: "anonymous", may: "list and read", folder: "/srv/pub" }],
  graceSeconds: 10,
  tls: undefined,
};

test("it says what, who, how, what next, and that nothing is encrypted", () => {
  const text = startScreen(FACTS, false);
  for (const part of [
    "/srv/pub",
    "curl ftp://127.0.0.1:2121/",
    "ftp://[::1]:2121/",
    "bin/ferryman.cjs user add",
    "Ctrl-C",
  ]) {
    assert.ok(text.includes(part), part);
  }
  assert.match(text, /TLS is off/);
  assert.equal(stripVTControlCharacters(text), text);
  assert.equal(stripVTControlCharacters(startScreen(FACTS, true)), text);
  assert.notEqual(startScreen(FACTS, true), text);
});

test("with TLS it says who needs it, and shows the fingerprint of a certificate that nobody else vouches for", () => {
  const fingerprint = Array.from({ length: 32 }, () => "AB").join(":");
  const bound = [{ address: "127.0.0.1", port: 990, implicit: true }];
  const text = startScreen(
    { ...FACTS, bound, tls: { level: "require", selfSigned: true, fingerprint, until: "2027-01-01" } },
    false,
  );
  assert.match(text, /ftps:\/\/127\.0\.0\.1:990/);
  assert.match(text, /needed to sign in/);
  assert.equal(text.replace(/\n {2}/g, "").split(fingerprint).length, 2);
  const trusted = startScreen(
    { ...FACTS, tls: { level: "allow", selfSigned: false, fingerprint, until: "2027-01-01" } },
    false,
  );
  assert.ok(!trusted.includes("AB:AB"));
  assert.match(trusted, /valid until 2027-01-01/);
});

test("it fits 80 by 24 with many accounts, addresses and long names", () => {
  const long = "x".repeat(200);
  const access = Array.from({ length: 40 }, () => ({ who: long, may: long, folder: `/${long}/end` }));
  const bound = Array.from({ length: 9 }, (_, index) => ({ address: `127.0.0.${index + 1}`, port: 2121 }));
  const tls = { level: "allow", selfSigned: true, fingerprint: "A".repeat(95), until: "2027-01-01" };
  const lines = startScreen({ ...FACTS, tls, folder: `/${long}/end`, bound, access: [...access] }, false).split("\n");
  assert.ok(lines.length <= 24, `${lines.length} lines`);
  assert.ok(lines[0]?.endsWith("/end"));
});

test("an open address is shown as one that can be connected to, and users by name", () => {
  const text = startScreen(
    {
      ...FACTS,
      bound: [{ address: "0.0.0.0", port: 21 }],
      access: [{ who: "ann", may: "everything", folder: "/srv/ann" }],
    },
    false,
  );
  assert.match(text, /curl --user ann ftp:\/\/127\.0\.0\.1:21\//);
  assert.doesNotMatch(text, /anonymous|for other machines/);
});

test("with a users file the next account goes there, and a folder that nobody sees is not said to be served", () => {
  const text = startScreen(
    {
      ...FACTS,
      users: "/etc/ferryman/users.toml",
      access: [
        { who: "ann", may: "everything", folder: "/srv/ann" },
        { who: "bob", may: "everything", folder: "/srv/bob" },
      ],
    },
    false,
  );
  assert.match(text, /^Ferryman serves the homes of 2 accounts\n/);
  assert.match(text, /user add NAME --users \/etc\/ferryman\/users\.toml\n/);
  assert.doesNotMatch(text, / users\.toml/);
});
