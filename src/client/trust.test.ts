/** Who is believed over TLS, with real handshakes: what Node says of a certificate is what the verdict is made from. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { isIP } from "node:net";
import { test } from "node:test";
import { connect, createServer } from "node:tls";
import { type IssueTerms, authority, issue } from "../net/tls/test-tools.ts";
import { commonNames } from "../net/tls/certificate.ts";
import { FtpError } from "./errors.ts";
import { fingerprintOf, readFingerprint, showFingerprint } from "./fingerprint.ts";
import { openStore } from "./store.ts";
import { disposable } from "./test-proxies.ts";
import { type PeerTerms, type Trust, judgePeer, peerOf, peerProblems, withoutTls } from "./trust.ts";
import type { TlsOptions } from "./types.ts";

const DAY = 86_400_000;
const VALID = { notBefore: Date.now() - DAY, notAfter: Date.now() + DAY };
const SERVER = { host: "ftp.example.com", port: 21 };
const HOUSE = authority("House authority");

type Shown = Pick<PeerTerms, "der" | "problem">;

/** What a client sees of a server with this certificate. */
async function shake(
  terms: IssueTerms,
  { ca, name = SERVER.host }: { ca?: string; name?: string } = {},
): Promise<Shown> {
  const { pem, key } = issue({ ...VALID, ...terms });
  await using server = await disposable(createServer({ cert: pem, key }));
  // No name is sent for an address (RFC 6066 §3).
  const options = {
    host: "127.0.0.1",
    port: server.port,
    servername: isIP(name) === 0 ? name : "",
    rejectUnauthorized: false,
  };
  const socket = connect(ca === undefined ? options : { ...options, ca });
  try {
    await once(socket, "secureConnect");
    return peerOf(socket, name);
  } finally {
    socket.destroy();
  }
}

function judge(shown: Shown, { tls = {}, store = openStore(false) }: Partial<PeerTerms> = {}): Promise<Trust> {
  return judgePeer({ ...shown, server: SERVER, tls, store });
}

async function refusal(shown: Shown, terms: Partial<PeerTerms> = {}): Promise<FtpError> {
  const error: unknown = await judge(shown, terms).then(
    () => assert.fail("it was believed"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof FtpError, String(error));
  assert.deepEqual([error.phase, error.retryable], ["tls", false]);
  return error;
}

test("an authority's word is enough, and recorded nowhere", async () => {
  const store = openStore(false);
  const shown = await shake({ by: HOUSE }, { ca: HOUSE.pem });
  assert.equal(shown.problem, undefined);
  const fingerprint = fingerprintOf(shown.der);
  assert.deepEqual(await judge(shown, { store, tls: { trust: "first-use" } }), {
    by: "authority",
    fingerprint,
    isNew: false,
  });
  assert.equal(await store.knownHost(SERVER), undefined);
});

test("each thing that is wrong is said, with the fingerprint and what to do", async () => {
  const old = { notBefore: Date.UTC(2020, 0, 1), notAfter: Date.UTC(2021, 1, 3) };
  const future = { notBefore: Date.now() + 2 * DAY, notAfter: Date.now() + 3 * DAY };
  const many = ["a.example", "b.example", "c.example", "d.example", "e.example", "192.0.2.1", "g.example"];
  const cases: readonly (readonly [Shown, RegExp])[] = [
    [await shake({}), /it vouches for itself \(self-signed\)$/],
    [await shake({ by: HOUSE }), /its authority is not known here \(CN=House authority\)$/],
    [await shake({ by: HOUSE, ...old }, { ca: HOUSE.pem }), /^[^;]*: it expired on 2021-02-03$/],
    [await shake({ by: HOUSE, ...future }, { ca: HOUSE.pem }), /: it is valid from 20\d\d-\d\d-\d\d only$/],
    [
      await shake({ by: HOUSE, names: ["www.example.com"] }, { ca: HOUSE.pem }),
      /: it is for www\.example\.com, not for ftp\.example\.com$/,
    ],
    [
      await shake({ names: many, ...old }),
      /itself \(self-signed\); it expired on 2021-02-03; it is for a\.example, .*e\.example and 2 more, not/,
    ],
    [await shake({ names: [], subject: commonNames("Nobody\n") }), /it is for CN=Nobody.*, not for ftp\.example\.com$/],
  ];
  for (const [shown, message] of cases) {
    const error = await refusal(shown);
    assert.equal(error.code, "TLS_UNTRUSTED");
    assert.match(error.message, message);
    assert.match(error.message, /^the certificate of ftp\.example\.com is not to be trusted: /);
    assert.ok(error.hint?.includes(`--tls-pin ${fingerprintOf(shown.der)}`));
    assert.match(error.hint ?? "", /--tls-trust first-use.*--tls-ca FILE/);
    // oxlint-disable-next-line no-control-regex -- control characters are what is meant
    assert.doesNotMatch(error.message, /[\0-\x1f]/);
  }
});

test("what OpenSSL says of the chain is told where nothing is seen in the certificate", async () => {
  const { der } = await shake({ by: HOUSE });
  const said = (problem: string | Error | null): readonly string[] =>
    peerProblems({ der, problem, tls: {}, server: SERVER });
  assert.deepEqual(said("CERT_HAS_EXPIRED"), ["a certificate of its chain has expired"]);
  assert.deepEqual(said(Object.assign(new Error("x"), { code: "CERT_REVOKED" })), ["it was revoked"]);
  assert.deepEqual(said("HOSTNAME\u001b"), ["OpenSSL says HOSTNAME?"]);
  assert.deepEqual(peerProblems({ der: Buffer.from("x"), problem: "x", tls: {}, server: SERVER }), [
    "it is no certificate that can be read",
  ]);
});

test("the name that is checked is that of the options, an address as an address", async () => {
  const { der } = await shake({ names: ["192.0.2.1", "ftp.example.com"] });
  const problems = (tls: TlsOptions, host: string): string =>
    peerProblems({ der, problem: "DEPTH_ZERO_SELF_SIGNED_CERT", tls, server: { host, port: 21 } }).join();
  assert.doesNotMatch(problems({}, "192.0.2.1"), /not for/);
  assert.match(problems({}, "192.0.2.2"), /not for 192\.0\.2\.2$/);
  assert.doesNotMatch(problems({ serverName: "ftp.example.com" }, "192.0.2.2"), /not for/);
});

test("a certificate for an address is not believed for another name, nor one for another address", async () => {
  const own = await shake({ by: HOUSE, names: ["192.0.2.1", "localhost"] }, { ca: HOUSE.pem, name: "192.0.2.1" });
  assert.equal(own.problem, undefined);
  const foreign = await shake({ by: HOUSE, names: ["192.0.2.2", "localhost"] }, { ca: HOUSE.pem, name: "192.0.2.1" });
  assert.ok(foreign.problem instanceof Error);
  assert.match((await refusal(foreign)).message, /it is for 192\.0\.2\.2, localhost, not for/);
});

test("a pin is the whole truth: it counts without an authority, and against one", async () => {
  const own = await shake({});
  const fingerprint = fingerprintOf(own.der);
  for (const written of [fingerprint, showFingerprint(fingerprint), `SHA256:${fingerprint}`]) {
    assert.deepEqual(await judge(own, { tls: { fingerprint: written } }), { by: "pin", fingerprint, isNew: false });
  }
  const vouched = await shake({ by: HOUSE }, { ca: HOUSE.pem });
  const error = await refusal(vouched, { tls: { fingerprint, trust: "any" } });
  assert.equal(error.code, "TLS_UNTRUSTED");
  assert.ok(error.message.includes(showFingerprint(fingerprint)));
  assert.ok(error.message.includes(showFingerprint(fingerprintOf(vouched.der))));
  assert.equal((await refusal(own, { tls: { fingerprint: "abcd" } })).code, "USAGE");
});

test("first use: believed once with an event, then the same certificate only", async () => {
  const store = openStore(false, { now: () => Date.UTC(2026, 1, 3) });
  const tls = { trust: "first-use" } as const;
  const [one, other] = [await shake({}), await shake({})];
  const fingerprint = fingerprintOf(one.der);
  assert.deepEqual(await judge(one, { tls, store }), { by: "first-use", fingerprint, isNew: true });
  assert.deepEqual(await judge(one, { tls, store }), { by: "known", fingerprint, isNew: false });
  const error = await refusal(other, { tls, store });
  assert.equal(error.code, "TLS_UNTRUSTED");
  assert.match(error.message, /has changed since 2026-02-03: it is ([\dA-F:]{95}), it was ([\dA-F:]{95})$/);
  assert.match(error.hint ?? "", /Somebody may be in between.*--tls-pin [\da-f]{64}$/);
  assert.equal((await store.knownHost(SERVER))?.fingerprint, fingerprint);
  assert.equal((await judge(other, { tls: { trust: "any" }, store })).by, "any");
  assert.equal((await refusal(one, { tls: { trust: "ca" }, store })).code, "TLS_UNTRUSTED");
});

test("a server that spoke TLS does not get away without it", () => {
  const reply = { code: 502, lines: ["No\x1b TLS"] };
  const ask = (mode: "off" | "auto" | "explicit" | "implicit", tlsSeen?: number): FtpError | undefined =>
    withoutTls({ server: SERVER, mode, tlsSeen, reply });
  const seen = Date.UTC(2026, 1, 3);
  assert.equal(ask("off", seen), undefined);
  assert.equal(ask("auto"), undefined);
  const downgrade = ask("auto", seen);
  assert.equal(downgrade?.code, "TLS_DOWNGRADE");
  assert.equal(downgrade?.message, "ftp.example.com spoke TLS on 2026-02-03 and does not now: 502 No? TLS");
  assert.match(downgrade?.hint ?? "", /--tls off/);
  assert.equal(ask("explicit")?.message, "ftp.example.com does not offer TLS: 502 No? TLS");
  assert.equal(ask("explicit", seen)?.code, "TLS_DOWNGRADE");
  assert.equal(
    withoutTls({ server: SERVER, mode: "explicit", tlsSeen: undefined })?.message,
    "ftp.example.com does not offer TLS",
  );
});

test("fingerprints in the forms that people copy", () => {
  const hex = "0a".repeat(32);
  const colons = showFingerprint(hex);
  assert.match(colons, /^0A(?::0A){31}$/);
  for (const text of [
    hex,
    hex.toUpperCase(),
    colons,
    colons.replaceAll(":", "-"),
    ` sha256:${colons} `,
    `SHA-256=${hex}`,
  ]) {
    assert.equal(readFingerprint(text), hex);
  }
  for (const text of ["", "0a".repeat(20), `${hex}0`, "zz".repeat(32)]) assert.equal(readFingerprint(text), undefined);
});
