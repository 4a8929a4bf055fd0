/** How private a login and its data must be: of the listener, of guests, of accounts; and which certificate a name gets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Verdict } from "../../src/account/account.ts";
import { clientAuthority } from "../support/client-certificates.ts";
import { type ByteString, bytesOfText } from "../../src/base/bytes.ts";
import { createMemoryStorage } from "../../src/storage/memory.ts";
import { annStore, startServer } from "../support/server.ts";
import { PrivateWire, VERSIONS, pairFor, planActive } from "../support/tls.ts";
import { Wire } from "../support/wire.ts";

/** The code of USER; then of PASS if that was asked for. */
async function login(wire: Wire, user: string): Promise<readonly number[]> {
  const { code } = await wire.ask(`USER ${user}`);
  return code === 331 ? [331, (await wire.ask("PASS secret")).code] : [code];
}

const LEVELS = [
  { level: "off", clear: [331, 230], auth: 502 },
  { level: "allow", clear: [331, 230], auth: 234 },
  { level: "require", clear: [530], auth: 234 },
  { level: "require-data", clear: [530], auth: 234 },
] as const;

for (const { level, clear, auth } of LEVELS) {
  test(`level ${level} of the setting and of a listener: a login in clear, and AUTH`, async () => {
    for (const tls of [{ settings: { tls: level } }, { level, settings: { tls: "allow" } } as const]) {
      await using server = await startServer({ tls });
      using wire = await Wire.open(server.port);
      assert.deepEqual(await login(wire, "ann"), clear);
      using other = await Wire.open(server.port);
      await other.expect(auth, "AUTH TLS");
      using third = await Wire.open(server.port);
      const features = (await third.expect(211, "FEAT")).join();
      assert.equal(features.includes("AUTH TLS"), level !== "off");
      if (level === "off") continue;
      using secured = await PrivateWire.open(server.port);
      assert.deepEqual(await login(secured.wire, "ann"), [331, 230]);
      await secured.wire.expect(229, "EPSV");
      const { code } = await secured.wire.ask("NLST no-such");
      assert.equal(code === 521, level === "require-data");
    }
  });
}

test("an account may ask for more than its listener: refused after the password, for it alone", async () => {
  for (const level of ["require", "require-data"] as const) {
    await using server = await startServer({ tls: {}, account: { tls: level } });
    using wire = await Wire.open(server.port);
    assert.deepEqual(await login(wire, "ann"), [331, 530]);
    await wire.expect(530, "PWD");
    using secured = await PrivateWire.open(server.port);
    assert.deepEqual(await login(secured.wire, "ann"), [331, 230]);
    assert.deepEqual((await secured.wire.fetch("LIST")).codes, level === "require" ? [150, 226] : [521]);
  }
});

test("anonymousTls: guests by other rules than users, both ways, whatever the spelling of their name", async () => {
  await using lax = await startServer({ tls: { settings: { tls: "require-data", anonymousTls: "allow" } } });
  using guest = await Wire.open(lax.port);
  assert.deepEqual(await login(guest, "anonymous"), [331, 230]);
  assert.deepEqual((await guest.fetch("LIST")).codes, [150, 226]);
  using user = await Wire.open(lax.port);
  assert.deepEqual(await login(user, "ann"), [530]);
  await using strict = await startServer({ tls: { settings: { anonymousTls: "require-data" } } });
  for (const name of ["anonymous", "ANONYMOUS", "ftp", "Ftp"]) {
    using wire = await Wire.open(strict.port);
    assert.deepEqual(await login(wire, name), [530]);
  }
  using plain = await Wire.open(strict.port);
  assert.deepEqual(await login(plain, "ann"), [331, 230]);
  using secured = await PrivateWire.open(strict.port);
  assert.deepEqual(await login(secured.wire, "anonymous"), [331, 230]);
  assert.deepEqual((await secured.wire.fetch("LIST")).codes, [521]);
});

const VERBS = ["RETR a", "STOR b", "APPE b", "STOU", "LIST", "NLST", "MLSD"];

test("require-data: 521 for every way to move data in clear, whatever planned it, and nothing is touched", async () => {
  await using server = await startServer({ tls: { settings: { tls: "require-data" } } });
  using secured = await PrivateWire.login(server.port);
  const { wire } = secured;
  assert.deepEqual(await secured.store("STOR a", "x"), [150, 226]);
  await wire.expect(534, "PROT C");
  using other = await PrivateWire.open(server.port);
  assert.deepEqual(await login(other.wire, "ann"), [331, 230]);
  for (const plan of ["EPSV", "PASV", "EPRT", "PORT"] as const) {
    for (const verb of VERBS) {
      if (plan === "EPSV" || plan === "PASV") await other.wire.passivePort(plan);
      else (await planActive(other.wire, plan)).close();
      await other.wire.expect(521, verb);
    }
  }
  assert.equal((await secured.fetch("NLST")).data.toString(), "a\r\n");
});

test("CCC under require: no further login in clear, and data stays private", async () => {
  await using server = await startServer({ tls: { settings: { tls: "require-data", ccc: true } } });
  using secured = await PrivateWire.login(server.port);
  await secured.wire.expect(200, "CCC");
  await secured.clear();
  assert.deepEqual(await secured.store("STOR a", "x"), [150, 226]);
  await secured.wire.expect(534, "PROT C");
  assert.deepEqual(await login(secured.wire, "ann"), [530]);
});

for (const version of VERSIONS) {
  test(`commands that were pipelined behind CCC inside TLS are not run, ${version}`, async () => {
    await using server = await startServer({ tls: { settings: { ccc: true } } });
    using secured = await PrivateWire.login(server.port, { version });
    secured.tls.write("CCC\r\nMKD one\r\n");
    secured.tls.write("MKD two\r\n");
    secured.tls.write(`MKD ${"x".repeat(1_000)}\r\n`.repeat(30));
    await secured.wire.expect(200);
    await secured.clear();
    const [text = ""] = await secured.wire.expect(257, "PWD");
    assert.match(text, /^"\/"/);
    assert.equal((await secured.fetch("NLST")).data.length, 0);
  });

  test(`REIN goes back to the clear, and AUTH works again and again, ${version}`, async () => {
    await using server = await startServer({ tls: { settings: { tls: "require", dataBinding: "require" } } });
    let secured = await PrivateWire.login(server.port, { version });
    const { wire } = secured;
    for (let turn = 0; turn < 15; turn++) {
      assert.deepEqual(await secured.store("STOR a", `turn ${turn}`), [150, 226]);
      const before = await secured.session();
      await wire.expect(220, "REIN");
      await secured.clear();
      assert.deepEqual(await login(wire, "ann"), [530]);
      secured = await PrivateWire.upgrade(wire, { version });
      assert.deepEqual(await login(wire, "ann"), [331, 230]);
      await wire.expect(503, "PROT P");
      await wire.expect(200, "PBSZ 0");
      await wire.expect(200, "PROT P");
      // The TLS session before REIN is nobody's.
      assert.deepEqual((await secured.fetch("RETR a", before)).codes, [150, 522]);
    }
    wire[Symbol.dispose]();
  });
}

test("SNI and HOST choose the certificate", async () => {
  const pairs = { a: pairFor("a.example"), b: pairFor("b.example") };
  const credentials = { choose: (name: string | undefined) => (name === "b.example" ? pairs.b : pairs.a) };
  for (const version of VERSIONS) {
    await using server = await startServer({ tls: { terms: { credentials }, settings: { dataBinding: "require" } } });
    for (const [more, line, expected] of [
      [{}, "NOOP", "a.example"],
      [{ servername: "b.example" }, "NOOP", "b.example"],
      [{ servername: "c.example" }, "NOOP", "a.example"],
      [{}, "HOST b.example", "b.example"],
      [{ servername: "b.example" }, "HOST b.example", "b.example"],
    ] as const) {
      using wire = await Wire.open(server.port);
      await wire.ask(line);
      using secured = await PrivateWire.upgrade(wire, { version, more });
      assert.equal(secured.tls.getPeerCertificate().subject.CN, expected, `${line} ${JSON.stringify(more)}`);
      assert.deepEqual(await login(wire, "ann"), [331, 230]);
      await wire.expect(200, "PBSZ 0");
      await wire.expect(200, "PROT P");
      assert.deepEqual(await secured.store("STOR a", "x"), [150, 226], `${version} ${line} ${JSON.stringify(more)}`);
    }
  }
});

function shown({ pem, key }: { pem: string; key: string }): { cert: string; key: string } {
  return { cert: pem, key };
}

test("certificateLogin instead: 232 after USER for the user whom the certificate names, the password for all others", async () => {
  const authority = clientAuthority();
  const plain = annStore("/nowhere");
  const vouchFor = async (attempt: { name: ByteString; from: string }): Promise<Verdict> =>
    plain.authenticate({ ...attempt, password: bytesOfText("secret") });
  await using server = await startServer({
    tls: {
      settings: { clientCertificates: "request", certificateLogin: "instead" },
      terms: { clientCertificates: "request", clientAuthorities: authority.pem },
    },
    accounts: [{ ...plain, vouchFor }],
    openStorage: async () => createMemoryStorage({ "/a": "x" }),
  });
  const mine = { more: shown(authority.issue("ann")) };
  using secured = await PrivateWire.open(server.port, mine);
  await secured.wire.expect(232, "USER ann");
  assert.equal((await secured.wire.fetch("NLST")).data.toString(), "a\r\n");
  using other = await PrivateWire.open(server.port, { more: shown(authority.issue("bob")) });
  assert.deepEqual(await login(other.wire, "ann"), [331, 230]);
  using strange = await PrivateWire.open(server.port, { more: shown(clientAuthority().issue("ann")) });
  await strange.wire.expect(331, "USER ann");
  await strange.wire.expect(530, "PASS wrong");
  using none = await PrivateWire.open(server.port);
  await none.wire.expect(331, "USER ann");
  // REIN takes TLS off, and what it has proven with it.
  await secured.wire.expect(220, "REIN");
  await secured.clear();
  await secured.wire.expect(331, "USER ann");
});

test("a client certificate that is required cannot be got around by signing in without TLS", async () => {
  const authority = clientAuthority();
  await using server = await startServer({
    tls: {
      settings: { clientCertificates: "require" },
      terms: { clientCertificates: "require", clientAuthorities: authority.pem },
    },
  });
  using wire = await Wire.open(server.port);
  for (const user of ["ann", "anonymous"]) await wire.expect(530, `USER ${user}`);
});
