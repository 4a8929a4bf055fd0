/** The server's own pair: one and the same for good, however many start, and mended when it is broken. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { CredentialError } from "./credential-fault.ts";
import { type OwnCredential, ownCredential, ownFiles } from "./own-credential.ts";
import { DAY, NOW, issue, pemKey, put, withFolder } from "./test-tools.ts";

const NAMES = ["localhost", "192.0.2.1"];
const isWindows = process.platform === "win32";

async function own(folder: string, now: number = NOW): Promise<OwnCredential> {
  return await ownCredential(folder, { names: NAMES, now });
}

test("made once, then found again: private, valid for 825 days, and nothing else in the folder", async () => {
  await withFolder(async (parent) => {
    const folder = join(parent, "state", "tls");
    const first = await own(folder);
    assert.ok(first.made);
    const { credential } = first;
    assert.deepEqual(credential.names, NAMES);
    assert.deepEqual(credential.warnings, []);
    assert.equal(credential.source, "made");
    assert.equal(credential.notAfter - credential.notBefore + 1000, 825 * DAY);
    assert.deepEqual(await readdir(folder), ["ferryman.crt", "ferryman.key"]);
    if (!isWindows) {
      assert.equal((await stat(folder)).mode & 0o777, 0o700);
      assert.equal((await stat(ownFiles(folder).key)).mode & 0o777, 0o600);
    }
    const second = await own(folder, NOW + 700 * DAY);
    assert.deepEqual(second, { credential, made: false });
  });
});

test("many starts at once end with one pair", async () => {
  await withFolder(async (folder) => {
    for (let round = 0; round < 10; round += 1) {
      const state = join(folder, String(round));
      const all = await Promise.all(Array.from({ length: 8 }, async () => await own(state)));
      assert.equal(new Set(all.map(({ credential }) => credential.cert + credential.key)).size, 1);
      assert.equal(all.filter(({ made }) => made).length, 1);
      assert.deepEqual(await readdir(state), ["ferryman.crt", "ferryman.key"]);
    }
  });
});

test("starts of several processes at once end with one pair", async () => {
  await withFolder(async (folder) => {
    const module = pathToFileURL(join(import.meta.dirname, "own-credential.ts")).href;
    const state = join(folder, "state");
    const code = `const { ownCredential } = await import(${JSON.stringify(module)});
      const { credential } = await ownCredential(${JSON.stringify(state)}, { names: ["localhost"], now: ${NOW} });
      process.stdout.write(credential.fingerprint);`;
    const prints = Array.from({ length: 3 }, async () => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
      await once(child, "close");
      return said;
    });
    const different = new Set(await Promise.all(prints));
    assert.equal(different.size, 1);
    assert.match([...different].join(), /^[0-9A-F]{2}:/);
  });
});

test("with less than a month left it is remade for the same key, the old one kept aside", async () => {
  await withFolder(async (folder) => {
    const { credential } = await own(folder);
    const late = credential.notAfter - 30 * DAY;
    assert.ok(!(await own(folder, late - 1)).made);
    const next = await own(folder, late);
    assert.ok(next.made);
    assert.match(
      next.credential.warnings.join(),
      /ferryman\.crt: the certificate ends on 2028-09-1\d; a new one is made/,
    );
    assert.equal(next.credential.key, credential.key);
    assert.notEqual(next.credential.cert, credential.cert);
    assert.equal(await readFile(`${ownFiles(folder).cert}.old`, "utf8"), credential.cert);
    assert.deepEqual((await own(folder, late)).credential.warnings, []);
    const all = await Promise.all(Array.from({ length: 6 }, async () => await own(folder, next.credential.notAfter)));
    assert.equal(new Set(all.map((each) => each.credential.key)).size, 1);
  });
});

test("two starts at the moment of renewal, in any step apart, end with one pair", async () => {
  await withFolder(async (folder) => {
    for (let apart = 0; apart < 40; apart += 1) {
      const state = join(folder, String(apart));
      const late = (await own(state)).credential.notAfter;
      const first = own(state, late);
      for (let turn = 0; turn < apart; turn += 1) await setImmediate();
      const both = await Promise.all([first, own(state, late)]);
      assert.equal(new Set(both.map(({ credential }) => credential.cert + credential.key)).size, 1);
      assert.equal(await readFile(ownFiles(state).cert, "utf8"), both[0].credential.cert);
    }
  });
});

test("a clock that was set back makes no new one: clients remember the certificate", async () => {
  await withFolder(async (folder) => {
    const { credential } = await own(folder);
    const early = await own(folder, 0);
    assert.ok(!early.made);
    assert.equal(early.credential.cert, credential.cert);
    assert.match(early.credential.warnings.join(), /check its clock/);
  });
});

test("what is damaged or does not fit is remade with a warning", async () => {
  await withFolder(async (folder) => {
    const { cert, key } = ownFiles(folder);
    const mends = async (breaks: () => Promise<void>, says: RegExp): Promise<void> => {
      await own(folder);
      await breaks();
      const { credential, made } = await own(folder);
      assert.ok(made);
      assert.match(credential.warnings.join("\n"), says);
      assert.deepEqual((await own(folder)).credential.cert, credential.cert);
      assert.deepEqual(
        (await readdir(folder)).filter((name) => !/^ferryman\.(?:crt|key)(?:\.old)?$/.test(name)),
        [],
      );
    };
    await mends(async () => await rm(cert), /^$/);
    await mends(async () => await rm(key), /belongs to another certificate/);
    await mends(async () => await writeFile(cert, "garbage"), /no certificate in it/);
    await mends(async () => await writeFile(cert, ""), /is empty/);
    await mends(async () => await writeFile(cert, issue().pem), /belongs to another certificate/);
    await mends(async () => await writeFile(key, "garbage"), /no private key in it/);
    await mends(async () => await writeFile(key, issue().key), /belongs to another certificate/);
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    await mends(async () => {
      await writeFile(key, pemKey(rsa));
      await rm(cert);
    }, /not of the kind that we make/);
    if (!isWindows) {
      await mends(async () => await chmod(key, 0o644), /anyone on this machine can read/);
      await mends(async () => {
        await rm(key);
        await symlink(join(folder, "nowhere"), key);
      }, /no such file/);
    }
  });
});

test("other names are a warning, for a new certificate would frighten clients that know the old one", async () => {
  await withFolder(async (folder) => {
    await own(folder);
    const { credential, made } = await ownCredential(folder, { names: ["LOCALHOST", "ftp.example.com"], now: NOW });
    assert.ok(!made);
    assert.match(credential.warnings.join(), /ferryman\.crt: does not name ftp\.example\.com; remove the file/);
  });
});

test("what an administrator has to look at is left alone", async () => {
  await withFolder(async (folder) => {
    const { key } = ownFiles(folder);
    const text = issue().keyObject.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" });
    await put(folder, { name: "ferryman.key", text });
    await assert.rejects(own(folder), { fault: "encrypted-key" });
    assert.equal(await readFile(key, "utf8"), text);
    await rm(key);
    await mkdir(key);
    await assert.rejects(own(folder), { fault: "not-a-file" });
    const file = await put(folder, { name: "file", text: "x" });
    await assert.rejects(
      own(file),
      (error) => error instanceof CredentialError && error.message.includes("cannot be kept here"),
    );
    await assert.rejects(ownCredential(join(folder, "new"), { names: ["a b"], now: NOW }), /neither a host name/);
    if (isWindows) return;
    await mkdir(join(folder, "open"));
    await chmod(join(folder, "open"), 0o777);
    await assert.rejects(own(join(folder, "open")), { fault: "folder-writable-by-others", message: /chmod o-w/ });
  });
});
