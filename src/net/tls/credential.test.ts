/** Loading certificates and keys: what is good, and for each way to get it wrong the sentence that helps. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { X509Certificate, generateKeyPairSync } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { commonNames, extendedKeyUsage, USAGE } from "./certificate.ts";
import { CredentialError, type CredentialFault } from "./credential-fault.ts";
import { type Credential, type CredentialRequest, loadCredential } from "./credential.ts";
import { makeSelfSigned } from "./self-signed.ts";
import { DAY, type IssueTerms, NOW, authority, issue, put, run, withFolder } from "./test-tools.ts";

const root = authority("Root");
const middle = authority("Middle", root);
const good = issue({ by: middle });

/** Fails unless loading has this fault and says so. */
async function fails(request: CredentialRequest, fault: CredentialFault, says: RegExp): Promise<void> {
  await assert.rejects(loadCredential(request, NOW), (error: unknown) => {
    assert.ok(error instanceof CredentialError, String(error));
    assert.equal(error.fault, fault, error.message);
    assert.ok(error.message.startsWith(`${error.file}: `));
    assert.match(error.message, says);
    return true;
  });
}

async function loadOne(folder: string, terms: IssueTerms & { allowExpired?: boolean }): Promise<Credential> {
  const { pem, key } = issue(terms);
  const cert = await put(folder, { name: "one.pem", text: pem + key });
  return await loadCredential({ cert, allowExpired: terms.allowExpired ?? false }, NOW);
}

test("a chain with its key: names, times and fingerprint are those of the server's certificate", async () => {
  await withFolder(async (folder) => {
    const leaf = issue({ by: middle, names: ["FTP.example.com", "*.Example.org", "192.0.2.1", "2001:DB8:0::1"] });
    const cert = await put(folder, {
      name: "x.crt",
      text: `\ufeffA note\r\n${leaf.pem}${middle.pem}`.replaceAll("\n", "\r\n"),
    });
    const key = await put(folder, { name: "x.key", text: leaf.key });
    const loaded = await loadCredential({ cert, key }, NOW);
    assert.deepEqual(loaded, {
      cert: leaf.pem + middle.pem,
      key: leaf.key,
      names: ["ftp.example.com", "*.example.org", "192.0.2.1", "2001:db8::1"],
      notBefore: NOW - DAY,
      notAfter: NOW + 90 * DAY,
      fingerprint: new X509Certificate(leaf.pem).fingerprint256,
      subject: "CN=leaf",
      source: { cert, key },
      warnings: [],
    });
  });
});

test("certificate and key may share a file, in any order, which is then as private as a key", async () => {
  await withFolder(async (folder) => {
    for (const text of [good.pem + good.key, good.key + good.pem]) {
      const cert = await put(folder, { name: "both.pem", text });
      assert.equal((await loadCredential({ cert }, NOW)).key, good.key);
      assert.equal((await loadCredential({ cert, key: cert }, NOW)).cert, good.pem);
    }
    await chmod(join(folder, "both.pem"), 0o644);
    await fails({ cert: join(folder, "both.pem") }, "key-readable-by-others", /chmod 600/);
  });
});

test("files that are none: missing, empty, a folder, a pipe, garbage, too large", async () => {
  await withFolder(async (folder) => {
    const cert = await put(folder, { name: "x.crt", text: good.pem });
    const key = await put(folder, { name: "x.key", text: good.key });
    const other = async (text: string | Buffer): Promise<string> => await put(folder, { name: "other", text });
    await fails({ cert: join(folder, "no"), key }, "missing", /no such file/);
    await fails({ cert, key: join(cert, "no") }, "missing", /no such file/);
    await fails({ cert, key: await other(" \n") }, "empty", /is empty/);
    await mkdir(join(folder, "dir"));
    await fails({ cert: join(folder, "dir"), key }, "not-a-file", /a folder/);
    await fails({ cert: await other("x".repeat(262_145)), key }, "too-large", /larger than 262144/);
    await fails({ cert: await other("garbage"), key }, "not-a-certificate", /begins with -----BEGIN CERT/);
    await fails({ cert, key: await other("garbage") }, "not-a-key", /no private key in it/);
    await fails({ cert: await other(good.pem.replace("MII", "AAA")), key }, "not-a-certificate", /damaged/);
    await fails({ cert: await other(good.pem.slice(0, -40)), key }, "not-a-certificate", /no certificate/);
    await fails({ cert, key: await other(good.key.replace("MI", "AA")) }, "not-a-key", /damaged/);
    await fails({ cert: await other(good.pem.repeat(17)), key }, "too-many-certificates", /16 at most/);
    if (spawnSync("mkfifo", [join(folder, "pipe")]).status === 0) {
      await fails({ cert: join(folder, "pipe"), key }, "not-a-file", /not a regular file/);
    }
  });
});

test("the mix-ups: swapped, a request, DER, PKCS#12, public and SSH keys, a certificate for a key", async () => {
  await withFolder(async (folder) => {
    const cert = await put(folder, { name: "x.crt", text: good.pem });
    const key = await put(folder, { name: "x.key", text: good.key });
    const other = async (text: string | Buffer): Promise<string> => await put(folder, { name: "o'ther", text });
    await fails({ cert: key, key: cert }, "not-a-certificate", /the other way round/);
    await fails({ cert: key }, "not-a-certificate", /private key and no certificate/);
    await fails({ cert }, "not-a-key", /no private key in it; give the key's file/);
    const request = good.pem.replaceAll("CERTIFICATE", "CERTIFICATE REQUEST");
    await fails({ cert: await other(request), key }, "not-a-certificate", /request/);
    const der = new X509Certificate(good.pem).raw;
    await fails({ cert: await other(der), key }, "not-a-certificate", /openssl x509 -inform der -in '.*o'\\''ther'/);
    await fails({ cert: await other(Buffer.of(0x30, 0x82, 1, 2)), key }, "not-a-certificate", /openssl pkcs12/);
    await fails({ cert, key: await other(Buffer.of(0x30, 0x82, 1, 2)) }, "not-a-key", /DER form/);
    await fails({ cert, key: await other(good.key.replaceAll("PRIVATE", "PUBLIC")) }, "not-a-key", /public key/);
    await fails({ cert, key: await other(good.key.replaceAll(" PRIVATE", " OPENSSH PRIVATE")) }, "not-a-key", /SSH/);
  });
});

test("the key must be the first certificate's", async () => {
  await withFolder(async (folder) => {
    const key = await put(folder, { name: "x.key", text: good.key });
    const cert = await put(folder, { name: "x.crt", text: middle.pem + good.pem });
    await fails({ cert, key }, "wrong-order", /number 2 .* put the server's certificate first/);
    await fails({ cert, key: await put(folder, { name: "y.key", text: issue().key }) }, "key-does-not-fit", /x\.crt/);
  });
});

test("an encrypted key, in each of its forms, opens with its passphrase alone", async () => {
  await withFolder(async (folder) => {
    const cert = await put(folder, { name: "x.crt", text: good.pem });
    for (const type of ["pkcs8", "sec1"] as const) {
      const text = good.keyObject.export({ type, format: "pem", cipher: "aes-256-cbc", passphrase: "s3cret" });
      const key = await put(folder, { name: "x.key", text });
      await fails({ cert, key }, "encrypted-key", /openssl pkey/);
      await fails({ cert, key, passphrase: "wrong" }, "wrong-passphrase", /does not open/);
      await fails({ cert, key, passphrase: "" }, "wrong-passphrase", /does not open/);
      assert.equal((await loadCredential({ cert, key, passphrase: "s3cret" }, NOW)).key, good.key);
    }
    const plain = await put(folder, { name: "x.key", text: good.key });
    assert.equal((await loadCredential({ cert, key: plain, passphrase: "not needed" }, NOW)).key, good.key);
  });
});

test("keys that TLS clients refuse are weak: RSA below 2048 bits, small curves, DSA", async () => {
  await withFolder(async (folder) => {
    const makers = [
      [generateKeyPairSync("rsa", { modulusLength: 1024 }), /1024 bits is too weak/],
      [generateKeyPairSync("ec", { namedCurve: "prime192v1" }), /prime192v1 is not for TLS/],
      [generateKeyPairSync("x25519"), /kind x25519/],
    ] as const;
    for (const [{ privateKey }, says] of makers) {
      const { pem, key } = issue({ by: middle, key: privateKey });
      await fails({ cert: await put(folder, { name: "weak.pem", text: pem + key }) }, "weak-key", says);
    }
    for (const { privateKey } of [
      generateKeyPairSync("rsa", { modulusLength: 2048 }),
      generateKeyPairSync("ed25519"),
    ]) {
      assert.deepEqual((await loadOne(folder, { by: middle, key: privateKey })).warnings, []);
    }
  });
});

test("a certificate signed with SHA-1 is refused now, not at the first client", async (t) => {
  await withFolder(async (folder) => {
    const key = await put(folder, { name: "x.key", text: good.key });
    const ca = await put(folder, { name: "ca.pem", text: middle.pem + middle.key });
    const csr = join(folder, "x.csr");
    if (run("openssl", ["req", "-new", "-key", key, "-subj", "/CN=x", "-out", csr])?.status !== 0) {
      t.skip("openssl is not installed");
      return;
    }
    const signing = ["x509", "-req", "-sha1", "-in", csr, "-CA", ca, "-set_serial", "7", "-days", "3650"];
    const signed = run("openssl", [...signing, "-out", join(folder, "x.crt")]);
    assert.equal(signed?.status, 0, signed?.output);
    const request = { cert: join(folder, "x.crt"), key, allowExpired: true };
    await fails(request, "weak-signature", /SHA-256/);
  });
});

test("expired and not yet valid are errors with the date, or warnings for those who allow it", async () => {
  await withFolder(async (folder) => {
    const over = { notBefore: NOW - 90 * DAY, notAfter: NOW - DAY };
    await assert.rejects(loadOne(folder, over), /one\.pem: the certificate expired on 2026-06-14; renew it/);
    assert.match((await loadOne(folder, { ...over, allowExpired: true })).warnings.join(), /expired on 2026-06-14/);
    const early = { notBefore: NOW + DAY };
    await assert.rejects(loadOne(folder, early), {
      fault: "not-yet-valid",
      message: /from 2026-06-16 on.* has 2026-06-15/,
    });
    assert.equal((await loadOne(folder, { ...early, allowExpired: true })).warnings.length, 1);
    // The last second counts, and the first.
    assert.equal((await loadOne(folder, { notBefore: NOW })).notBefore, NOW);
    assert.equal((await loadOne(folder, { notAfter: NOW })).notAfter, NOW);
  });
});

test("what works but should not stay so is a warning", async () => {
  await withFolder(async (folder) => {
    const warns = async (terms: IssueTerms): Promise<string> => (await loadOne(folder, terms)).warnings.join("\n");
    assert.match(
      await warns({ notAfter: NOW + 30 * DAY }),
      /^.*one\.pem: the certificate expires on 2026-07-15; renew/,
    );
    assert.equal(await warns({ notAfter: NOW + 31 * DAY }), "");
    assert.match(await warns({ names: [] }), /names no host in subjectAltName/);
    assert.match(await warns({ names: ["ann@example.com"] }), /names no host in subjectAltName/);
    assert.match(await warns({ extensions: [extendedKeyUsage(USAGE.client)] }), /not meant for servers/);
    assert.equal(await warns({ extensions: [extendedKeyUsage(USAGE.client, USAGE.server)] }), "");
    assert.deepEqual((await loadOne(folder, { names: [], subject: commonNames("Old.example") })).names, [
      "old.example",
    ]);
    assert.deepEqual((await loadOne(folder, { names: [], subject: commonNames("Some Person") })).names, []);
    const key = await put(folder, { name: "x.key", text: good.key });
    const cert = await put(folder, { name: "x.crt", text: good.pem + root.pem + middle.pem });
    assert.match((await loadCredential({ cert, key }, NOW)).warnings.join(), /certificate 2 did not sign number 1/);
    const bare = await put(folder, { name: "cert.pem", text: good.pem });
    assert.deepEqual((await loadCredential({ cert: bare, key }, NOW)).warnings, []);
    await put(folder, { name: "fullchain.pem", text: good.pem + middle.pem });
    assert.match((await loadCredential({ cert: bare, key }, NOW)).warnings.join(), /give .*fullchain\.pem instead/);
  });
});

test(
  "a key that others can read is refused, one for a group is a warning",
  { skip: process.platform === "win32" },
  async () => {
    await withFolder(async (folder) => {
      const cert = await put(folder, { name: "x.crt", text: good.pem, mode: 0o644 });
      const key = await put(folder, { name: "server.key", text: good.key });
      for (const mode of [0o644, 0o604, 0o606]) {
        await chmod(key, mode);
        const says = new RegExp(
          `anyone on this machine can read the private key \\(mode 0${mode.toString(8)}\\); run: chmod 600 `,
        );
        await fails({ cert, key }, "key-readable-by-others", says);
      }
      await chmod(key, 0o602);
      await fails({ cert, key }, "key-readable-by-others", /can change the private key/);
      await chmod(key, 0o640);
      assert.match((await loadCredential({ cert, key }, NOW)).warnings.join(), /group can use .* \(mode 0640\)/);
      for (const mode of [0o600, 0o400]) {
        await chmod(key, mode);
        assert.deepEqual((await loadCredential({ cert, key }, NOW)).warnings, []);
      }
    });
  },
);

test("a file that we may not read says so", { skip: process.getuid?.() === 0 && "root reads everything" }, async () => {
  await withFolder(async (folder) => {
    const cert = await put(folder, { name: "x.crt", text: good.pem });
    const key = await put(folder, { name: "x.key", text: good.key, mode: 0 });
    await fails({ cert, key }, "unreadable", /no right to read it/);
  });
});

test("no message holds the key or the passphrase", async () => {
  await withFolder(async (folder) => {
    const { cert, key } = makeSelfSigned({ names: ["localhost"], days: 1, now: NOW });
    const file = await put(folder, { name: "x.crt", text: cert });
    const broken = await put(folder, { name: "x.key", text: key.replace("MI", "AA") });
    const request = { cert: file, key: broken, passphrase: "s3cret" };
    await assert.rejects(loadCredential(request, NOW), (error: unknown) => {
      const shown = error instanceof Error ? `${error.message}${error.stack ?? ""}${String(error.cause)}` : "";
      assert.ok(!shown.includes("s3cret") && !shown.includes(key.slice(40, 80)));
      return true;
    });
  });
});
