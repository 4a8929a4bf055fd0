/** Tests of options that a profile stands in for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Profile } from "./profile.ts";
import { withProfile } from "./with-profile.ts";

const PROFILE: Profile = {
  host: "ftp.example.org",
  port: 21,
  greeting: "220 Hello.",
  system: "UNIX",
  features: ["MLST type*;"],
  tls: { offered: false },
  modes: [
    { mode: "epsv", outcome: "refused", ms: 5, works: false },
    { mode: "pasv", outcome: "works", ms: 5, works: true },
  ],
  listing: "list",
  pipelining: false,
  zoneMinutes: 120,
  warnings: [],
};
const AT = { host: "FTP.example.org", port: 21 };

test("what works comes first, and what did not is still a way out", () => {
  const kept: unknown = JSON.parse(JSON.stringify(PROFILE));
  assert.deepEqual(kept, PROFILE, "it survives JSON");
  const { data, listing, zoneMinutes, pipelining } = withProfile({ profile: PROFILE }, AT);
  assert.deepEqual(data?.modes, ["pasv", "epsv", "eprt", "port"]);
  assert.deepEqual([listing, zoneMinutes, pipelining], ["list", 120, "off"]);
});

test("what is said in the options counts more", () => {
  const said = { data: { modes: ["port"] }, listing: "mlsd", zoneMinutes: 0, pipelining: "on" } as const;
  const options = withProfile({ profile: PROFILE, ...said }, AT);
  assert.deepEqual(options.data?.modes, ["port"]);
  assert.deepEqual([options.listing, options.zoneMinutes, options.pipelining], ["mlsd", 0, "on"]);
});

test("what a profile does not know is as without it", () => {
  const profile: Profile = { ...PROFILE, modes: [], pipelining: undefined, zoneMinutes: undefined };
  const { data, zoneMinutes, pipelining } = withProfile({ profile }, AT);
  assert.deepEqual([data?.modes, zoneMinutes, pipelining], [undefined, undefined, "auto"]);
  assert.equal(withProfile({ profile: { ...PROFILE, pipelining: true } }, AT).pipelining, "on");
  assert.deepEqual(withProfile({}, AT), {});
});

test("the profile of another server is refused", () => {
  for (const at of [
    { host: "ftp.example.com", port: 21 },
    { host: "ftp.example.org", port: 2121 },
  ]) {
    assert.throws(() => withProfile({ profile: PROFILE }, at), { code: "USAGE", message: /is of ftp\.example\.org/ });
  }
});
