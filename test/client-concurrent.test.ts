/** Calls of one client that could get in each other's way: the same file twice, spans and resumes, commands of the caller's own. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createFixedAccounts, parseFixedAccount } from "../src/account/fixed.ts";
import { connect } from "../src/client/client.ts";
import { FtpError } from "../src/client/errors.ts";
import { type FtpServer, createFtpServer } from "../src/server/server.ts";

const folder = mkdtempSync(join(tmpdir(), "ferryman-concurrent-"));
const CONTENT = randomBytes(3_000_000);
let server: FtpServer | undefined;
let url = "";

before(async () => {
  mkdirSync(join(folder, "served"));
  writeFileSync(join(folder, "served/a"), CONTENT);
  server = createFtpServer({
    listen: [{ address: "127.0.0.1", port: 0 }],
    accounts: [await createFixedAccounts([parseFixedAccount("ann:secret", join(folder, "served"))])],
  });
  const [bound] = await server.listen();
  url = `ftp://ann:secret@127.0.0.1:${bound?.port ?? 0}`;
});
after(async () => {
  await server?.close({ graceSeconds: 0 });
  rmSync(folder, { recursive: true });
});

for (const resume of [false, true]) {
  test(`many downloads of one file to one path all end well (resume: ${resume})`, async () => {
    await using client = await connect(url, { store: false, tls: "off" });
    const to = join(folder, `same-${resume}`);
    const done = await Promise.all(Array.from({ length: 12 }, async () => await client.download("a", to, { resume })));
    assert.ok(done.every(({ verified }) => verified === "size"));
    assert.ok(readFileSync(to).equals(CONTENT));
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.endsWith(".part")),
      [],
    );
  });
}

test("the part of a span is no part of the whole file", async () => {
  await using client = await connect(url, { store: false, tls: "off" });
  const to = join(folder, "span");
  const stop = new AbortController();
  const span = client.download("a", to, {
    start: 1_000_000,
    resume: true,
    rate: 2_000_000,
    signal: stop.signal,
    onProgress: ({ bytes }) => {
      if (bytes > 100_000) stop.abort(new Error("enough"));
    },
  });
  await assert.rejects(span, /enough/);
  await client.download("a", to, { resume: true });
  assert.ok(readFileSync(to).equals(CONTENT));
});

test("what a command of the caller's own leaves in force meets no other call", async () => {
  await using client = await connect(url, { store: false, tls: "off", connections: 1 });
  await client.raw("REST 1000");
  await client.write("b", Buffer.from("whole"));
  assert.equal((await client.read("b")).toString(), "whole");
});

test("closing a client ends what runs, also an upload whose source gives nothing", async () => {
  const client = await connect(url, { store: false, tls: "off" });
  const stuck = client.write(
    "never",
    (async function* () {
      yield Buffer.from("a");
      await new Promise(() => {});
    })(),
  );
  const slow = client.download("a", join(folder, "slow"), { rate: 100_000 });
  const ends = Promise.allSettled([stuck, slow]);
  while ((await client.exists("a")) === false) throw new Error("it is there");
  await client.close();
  for (const end of await ends) {
    assert.ok(end.status === "rejected" && end.reason instanceof FtpError && end.reason.code === "ABORTED");
  }
});

test("a pipe is written to and a link followed; a device stays one", async () => {
  await using client = await connect(url, { store: false, tls: "off" });
  writeFileSync(join(folder, "behind"), "old");
  symlinkSync("behind", join(folder, "link"));
  await client.download("a", join(folder, "link"));
  assert.ok(lstatSync(join(folder, "link")).isSymbolicLink());
  assert.ok(readFileSync(join(folder, "behind")).equals(CONTENT));
  execFileSync("mkfifo", [join(folder, "pipe")]);
  const read = readFile(join(folder, "pipe"));
  await client.download("a", join(folder, "pipe"));
  assert.ok((await read).equals(CONTENT));
  assert.ok(lstatSync(join(folder, "pipe")).isFIFO());
});

test("spans that are none are refused before anything is sent", async () => {
  await using client = await connect(url, { store: false, tls: "off" });
  for (const span of [{ start: -1 }, { start: Number.NaN }, { start: 5, end: 4 }]) {
    await assert.rejects(client.download("a", join(folder, "x"), span), { code: "USAGE" });
  }
});

test("a read into memory stops at its limit", async () => {
  await using client = await connect(url, { store: false, tls: "off" });
  await assert.rejects(client.read("a", { most: 100_000 }), { code: "LIMIT" });
  assert.ok((await client.read("a")).equals(CONTENT));
});
