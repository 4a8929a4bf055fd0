/** Copies between servers: straight where both allow it, through us where not, and never half of a file. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { FtpError } from "../../src/client/errors.ts";
import type { Client, ConnectOptions } from "../../src/client/types.ts";
import { oddServer } from "./odd-server.ts";
import { type TestServer, startServer } from "../support/server.ts";
import { clearClient } from "./clear-client.ts";

const octets = randomBytes(3_000_017);
const OTHER_HOST = "127.0.0.2";

type Two = AsyncDisposable & {
  readonly one: TestServer;
  readonly two: TestServer;
  readonly from: Client;
  readonly to: Client;
};

/** Two servers at two addresses, as far as the loopback interface knows any. */
async function two(fxp: { readonly one: boolean; readonly two: boolean }, tls = false): Promise<Two> {
  const secure = tls ? { tls: {} } : {};
  const one = await startServer({ settings: { fxp: fxp.one }, ...secure });
  const other = await startServer({ settings: { fxp: fxp.two }, host: OTHER_HOST, ...secure });
  const options: ConnectOptions = tls ? { tls: { mode: "explicit", trust: "any" } } : {};
  const [from, to] = await Promise.all([
    clearClient(one, options),
    clearClient(other, { host: OTHER_HOST, ...options }),
  ]);
  writeFileSync(join(one.root, "big"), octets);
  utimesSync(join(one.root, "big"), 1e9, 1e9);
  return {
    one,
    two: other,
    from,
    to,
    async [Symbol.asyncDispose]() {
      await Promise.all([from.close(), to.close()]);
      await Promise.all([one[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
    },
  };
}

function hasArrived({ root }: TestServer, name = "copy"): void {
  assert.ok(readFileSync(join(root, name)).equals(octets));
  assert.equal(statSync(join(root, name)).mtimeMs, 1e12);
}

test("a file goes straight from server to server where both allow it", async () => {
  await using servers = await two({ one: true, two: true });
  const done = await servers.from.copyTo(servers.to, "big", "copy", { verify: "hash" });
  assert.deepEqual([done.way, done.verified, done.bytes, done.why], ["fxp", "hash", octets.length, undefined]);
  hasArrived(servers.two);
  const back = await servers.to.copyTo(servers.from, "copy", "back", { fxp: "require" });
  assert.equal(back.way, "fxp");
  hasArrived(servers.one, "back");
});

test("one server that connects elsewhere is enough, if the other one lets it in", async () => {
  await using servers = await two({ one: true, two: false });
  const done = await servers.from.copyTo(servers.to, "big", "copy");
  assert.equal(done.way, "fxp");
  hasArrived(servers.two);
});

test("where neither server allows it the file goes through us, and it is said why; the next one asks no more", async () => {
  await using servers = await two({ one: false, two: false });
  const seen: number[] = [];
  const said: string[] = [];
  servers.from.on("fallback", ({ what }) => said.push(what));
  const done = await servers.from.copyTo(servers.to, "big", "copy", { onProgress: ({ bytes }) => seen.push(bytes) });
  assert.equal(done.way, "relay");
  assert.match(done.why ?? "", /refused to connect to 127\.0\.0\.2: 500/);
  assert.equal(said.length, 1);
  assert.equal(seen.at(-1), octets.length);
  hasArrived(servers.two);
  const again = await servers.from.copyTo(servers.to, "big", "again");
  assert.equal(again.why, done.why);
  assert.ok(again.ms < 2_000, `${again.ms} ms`);
});

test("what is to go straight or not at all fails, and leaves nothing at the target", async () => {
  await using servers = await two({ one: false, two: false });
  await assert.rejects(
    servers.from.copyTo(servers.to, "big", "copy", { fxp: "require" }),
    (error: FtpError) => error.code === "UNSUPPORTED" && /AllowForeignAddress/.test(error.hint ?? ""),
  );
  assert.deepEqual(readdirSync(servers.two.root), []);
});

test("over TLS, which the servers cannot speak to each other, it goes through us", async () => {
  await using servers = await two({ one: true, two: true }, true);
  const done = await servers.from.copyTo(servers.to, "big", "copy", { verify: "hash" });
  assert.deepEqual([done.way, done.isPrivate, done.verified], ["relay", true, "hash"]);
  assert.match(done.why ?? "", /SSCN or CPSV/);
  hasArrived(servers.two);
});

test("a file goes straight by IPv6 too", async () => {
  await using server = await startServer({ settings: { fxp: true }, host: "::1" });
  await using ftp = await clearClient(server, { host: "[::1]" });
  writeFileSync(join(server.root, "big"), octets);
  const done = await ftp.copyTo(ftp, "big", "copy", { fxp: "require", keepTime: false });
  assert.equal(done.way, "fxp");
  assert.ok(readFileSync(join(server.root, "copy")).equals(octets));
});

test("a copy on one server", async () => {
  await using server = await startServer({ settings: { fxp: true } });
  writeFileSync(join(server.root, "big"), octets);
  await using ftp = await clearClient(server);
  const many = await Promise.all(
    Array.from(
      { length: 12 },
      async (_, at) => await ftp.copyTo(ftp, "big", `copy${at}`, { fxp: at < 6 ? "auto" : "never" }),
    ),
  );
  assert.deepEqual(new Set(many.map(({ way }) => way)), new Set(["fxp", "relay"]));
  for (const at of many.keys()) assert.ok(readFileSync(join(server.root, `copy${at}`)).equals(octets));
  await assert.rejects(ftp.copyTo(ftp, "big", "/big"), /onto itself/);
});

test("copies there and back at the same time do not wait for each other for ever", async () => {
  await using servers = await two({ one: false, two: false });
  await servers.from.copyTo(servers.to, "big", "copy", { fxp: "never" });
  const options = { fxp: "never" } as const;
  await Promise.all(
    Array.from({ length: 20 }, async (_, at) =>
      at % 2 === 0
        ? await servers.from.copyTo(servers.to, "big", `there${at}`, options)
        : await servers.to.copyTo(servers.from, "copy", `back${at}`, options),
    ),
  );
  assert.equal(readdirSync(servers.one.root).length + readdirSync(servers.two.root).length, 22);
});

test("one connection alone is too few for a copy on one server, and that is said", async () => {
  await using server = await startServer();
  writeFileSync(join(server.root, "big"), octets);
  await using ftp = await clearClient(server, { connections: 1 });
  await assert.rejects(ftp.copyTo(ftp, "big", "copy"), (error: FtpError) => error.code === "LIMIT");
});

test("a file that is not there is an error, and what is at the target stays", async () => {
  await using servers = await two({ one: true, two: true });
  writeFileSync(join(servers.two.root, "copy"), "old");
  await assert.rejects(
    servers.from.copyTo(servers.to, "none", "copy"),
    (error: FtpError) => error.code === "NOT_FOUND",
  );
  assert.equal(readFileSync(join(servers.two.root, "copy"), "utf8"), "old");
});

test("a source that breaks off is asked again, and in the end the copy is whole", async () => {
  await using servers = await two({ one: true, two: true });
  await using odd = await oddServer({ file: octets, cutAfter: (transfer) => (transfer < 3 ? 1_000_000 : undefined) });
  await using from = await clearClient(odd);
  const done = await from.copyTo(servers.to, "big", "copy", { fxp: "never", retry: { firstMs: 1 }, keepTime: false });
  assert.equal(done.bytes, octets.length);
  assert.ok(readFileSync(join(servers.two.root, "copy")).equals(octets));
});

test("a source that always breaks off is an error, and no half file stays; an old one that was there does", async () => {
  await using servers = await two({ one: true, two: true });
  await using odd = await oddServer({ file: octets, cutAfter: () => 1_000_000 });
  await using from = await clearClient(odd);
  writeFileSync(join(servers.two.root, "old"), "old");
  const options = { fxp: "never", retry: { attempts: 2, firstMs: 1 } } as const;
  await assert.rejects(from.copyTo(servers.to, "big", "copy", options));
  await assert.rejects(from.copyTo(servers.to, "big", "old", options));
  assert.equal(existsSync(join(servers.two.root, "copy")), false);
  assert.equal(readFileSync(join(servers.two.root, "old"), "utf8"), "old");
});

for (const fxp of ["never", "require"] as const) {
  test(`an abort ends a copy (fxp: ${fxp}) and leaves no half file`, async () => {
    await using servers = await two({ one: true, two: true });
    await using slow = await startServer({ settings: { fxp: true, downloadRate: 1_000_000 } });
    writeFileSync(join(slow.root, "big"), octets);
    await using from = await clearClient(slow);
    const stop = new AbortController();
    const reason = new Error("enough");
    const copied = from.copyTo(servers.to, "big", "copy", { fxp, signal: stop.signal });
    servers.to.on("reply", ({ reply }) => reply.code === 150 && setTimeout(() => stop.abort(reason), 100));
    await assert.rejects(copied, reason);
    assert.equal(existsSync(join(servers.two.root, "copy")), false);
  });
}
