/** The self-signed certificate as Node, OpenSSL and curl take it. */
import assert from "node:assert/strict";
import { X509Certificate, createPrivateKey } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:https";
import { type AddressInfo, isIP } from "node:net";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { connect } from "node:tls";
import fc from "fast-check";
import { altNames } from "./alt-names.ts";
import { plainName } from "./host-names.ts";
import { makeSelfSigned, newSerial } from "./self-signed.ts";
import { DAY, NOW, put, run, withFolder } from "./test-tools.ts";

test("each field is what a strict client asks for", () => {
  const names = ["ftp.example.com", "*.example.org", "192.0.2.1", "2001:db8::1"];
  const { cert, key } = makeSelfSigned({ names, days: 90, now: NOW });
  const x509 = new X509Certificate(cert);
  assert.equal(x509.subject, "CN=ftp.example.com");
  assert.equal(x509.issuer, x509.subject);
  assert.ok(!x509.ca);
  assert.deepEqual(x509.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
  assert.equal(x509.validFromDate.getTime(), NOW - DAY);
  assert.equal(x509.validToDate.getTime(), NOW + 90 * DAY - 1000);
  assert.match(x509.serialNumber, /^[4-7][0-9A-F]{31}$/);
  assert.equal(x509.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
  assert.ok(x509.checkPrivateKey(createPrivateKey(key)) && x509.verify(x509.publicKey));
  assert.match(key, /^-----BEGIN PRIVATE KEY-----\n/);
  assert.equal(x509.checkHost("FTP.example.com"), "ftp.example.com");
  assert.equal(x509.checkHost("a.example.org"), "*.example.org");
  assert.equal(x509.checkIP("2001:db8:0::1"), "2001:db8:0::1");
  assert.equal(x509.checkIP("192.0.2.2"), undefined);
});

test("two are never alike, and a key that is there is used again", () => {
  const terms = { names: ["localhost"], days: 1, now: NOW };
  const [one, other] = [makeSelfSigned(terms), makeSelfSigned(terms)];
  assert.notEqual(new X509Certificate(one.cert).serialNumber, new X509Certificate(other.cert).serialNumber);
  assert.notEqual(one.key, other.key);
  assert.equal(makeSelfSigned({ ...terms, key: one.key }).key, one.key);
  const serials = Array.from({ length: 64 }, newSerial);
  assert.equal(new Set(serials).size, 64);
  for (const serial of serials) assert.match(serial.toString(16), /^[4-7][0-9a-f]{31}$/);
});

function refuses(terms: object, reason: RegExp): void {
  assert.throws(() => makeSelfSigned({ names: ["localhost"], days: 1, now: NOW, ...terms }), reason);
}

test("what a certificate cannot hold is refused with the reason", () => {
  refuses({ names: [] }, /at least one/);
  for (const name of [
    "",
    "a b",
    "a\0b",
    "a..b",
    "-a",
    "a,DNS:b",
    "*",
    "f*.a",
    "10.0.0.256",
    "fe80::1%eth0",
    "a".repeat(64),
  ]) {
    refuses({ names: [name] }, /neither a host name nor an IP address/);
  }
  refuses({ names: Array.from({ length: 101 }, (_, at) => `h${at}`) }, /100 names at most/);
  for (const days of [0, 1.5, 3651, NaN]) refuses({ days }, /1 to 3650 days/);
});

test("a name too long for a common name is in subjectAltName alone", () => {
  const long = `${"a".repeat(60)}.${"b".repeat(60)}.example`;
  assert.equal(new X509Certificate(makeSelfSigned({ names: [long], days: 1, now: NOW }).cert).subject, "CN=Ferryman");
  const two = makeSelfSigned({ names: [long, "b.example"], days: 1, now: NOW });
  assert.equal(new X509Certificate(two.cert).subject, "CN=b.example");
});

test("property: every name and address that is accepted stands in the certificate, and Node agrees", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()), { minLength: 1, maxLength: 8 }),
      (names) => {
        const x509 = new X509Certificate(makeSelfSigned({ names, days: 30, now: NOW }).cert);
        const found = altNames(x509).map(({ value }) => plainName(value));
        assert.deepEqual(found, [...new Set(names.map(plainName))]);
        for (const name of names) assert.ok(isIP(name) === 0 ? x509.checkHost(name) : x509.checkIP(name), name);
      },
    ),
    { numRuns: 50 },
  );
});

test("OpenSSL verifies it by its strict rules and shows each extension", async (t) => {
  await withFolder(async (folder) => {
    const names = ["ftp.example.com", "192.0.2.1", "2001:db8::1"];
    // Beyond 2049 too, where times are written otherwise.
    for (const now of [Date.now(), Date.UTC(2049, 11, 1)]) {
      const { cert } = makeSelfSigned({ names, days: 90, now });
      const file = await put(folder, { name: "x.crt", text: cert });
      const at = ["-attime", String(Math.floor(now / 1000))];
      const verified = run("openssl", [
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        ...at,
        "-CAfile",
        file,
        file,
      ]);
      if (verified === undefined) {
        t.skip("openssl is not installed");
        return;
      }
      assert.equal(verified.status, 0, verified.output);
      const { output } = run("openssl", ["x509", "-in", file, "-noout", "-text"]) ?? { output: "" };
      assert.match(output, /Basic Constraints: critical\s+CA:FALSE/);
      assert.match(output, /Key Usage: critical\s+Digital Signature\n/);
      assert.match(output, /Extended Key Usage: ?\s+TLS Web Server Authentication\n/);
      assert.match(output, /Subject Key Identifier: ?\s+(?:[0-9A-F]{2}:){19}[0-9A-F]{2}\n/);
      assert.match(output, /DNS:ftp\.example\.com, IP Address:192\.0\.2\.1, IP Address:2001:DB8:0:0:0:0:0:1\n/);
      assert.match(output, /Signature Algorithm: ecdsa-with-SHA256/);
    }
  });
});

test("Node and curl accept a server with it as the authority, and refuse another name", async (t) => {
  await withFolder(async (folder) => {
    const pair = makeSelfSigned({ names: ["localhost", "127.0.0.1"], days: 1, now: Date.now() });
    const file = await put(folder, { name: "x.crt", text: pair.cert });
    const server = createServer(pair, (_request, response) => response.end("hello")).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a listening TCP server has such an address
      const { port } = server.address() as AddressInfo;
      const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: pair.cert });
      await once(socket, "secureConnect");
      assert.ok(socket.authorized);
      socket.destroy();
      const stranger = connect({ port, host: "127.0.0.1", servername: "other.example", ca: pair.cert });
      const [refused] = await once(stranger, "error");
      assert.equal(refused.code, "ERR_TLS_CERT_ALTNAME_INVALID");
      const curl = spawn("curl", ["-sS", "--noproxy", "*", "--cacert", file, `https://127.0.0.1:${port}/`]);
      let said = "";
      curl.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
      curl.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
      const ended = await Promise.race([once(curl, "close"), once(curl, "error").then(() => undefined)]);
      if (ended === undefined) t.diagnostic("curl is not installed");
      else assert.equal(said, "hello");
    } finally {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    }
  });
});
