import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { describeProfile } from "./describe-profile.ts";
import type { Profile } from "./profile.ts";

const GOOD: Profile = {
  host: "ftp.example.org",
  port: 21,
  greeting: "Welcome",
  system: "UNIX Type: L8",
  features: ["MLST"],
  tls: { offered: true, version: "TLSv1.3", fingerprint: "AB:CD", resumes: true },
  modes: [
    { mode: "epsv", works: true, outcome: "works", ms: 12, endpoint: "192.0.2.1:2000" },
    { mode: "pasv", works: true, outcome: "works", ms: 1_240, endpoint: "192.0.2.1:2001" },
  ],
  listing: "mlsd",
  pipelining: true,
  zoneMinutes: -210,
  warnings: [],
};

test("a server on which all works, in plain words", () => {
  assert.equal(
    describeProfile(GOOD),
    `ftp.example.org, port 21
  says       Welcome
  system     UNIX Type: L8
  TLS        TLSv1.3; data connections resume it
  certificate SHA-256 AB:CD
  listings   MLSD: exact times and sizes; LIST tells the time of UTC-3:30
  pipelining works: the next command may go out while a file comes
  data connections:
    works  EPSV (we connect, IPv4 and IPv6), 192.0.2.1:2000: 12 ms
    works  PASV (we connect, IPv4), 192.0.2.1:2001: 1.2 s
`,
  );
});

test("what does not work, and what to do about it", () => {
  const words = describeProfile({
    ...GOOD,
    tls: { offered: false },
    modes: GOOD.modes.map((mode) => ({ ...mode, works: false, outcome: "no answer" })),
    pipelining: undefined,
    zoneMinutes: undefined,
    warnings: ["PASV names the private address 10.0.0.1"],
  });
  for (const part of [
    /not offered/,
    /fails {2}EPSV.*: no answer/,
    /What is not right:\n {2}- PASV names/,
    /range of passive ports/,
    /switch TLS on/,
    /public address/,
  ]) {
    assert.match(words, part);
  }
  assert.match(describeProfile({ ...GOOD, tls: { offered: true } }), /Use ftpes:/);
});

test("attack 64: nothing that a server says disturbs a terminal", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const [first] = GOOD.modes;
      const modes = first === undefined ? [] : [{ ...first, works: false, outcome: text }];
      const words = describeProfile({ ...GOOD, greeting: text, system: text, warnings: [text], modes });
      // oxlint-disable-next-line no-control-regex -- control characters are what is meant
      assert.doesNotMatch(words, /[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
    }),
  );
});
