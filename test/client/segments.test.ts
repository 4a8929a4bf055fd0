/** Downloads in segments, against our own server: what arrives is the file, whatever was slow, small, cut or different. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  type SegmentedOptions,
  type SegmentedTransferred,
  segmentedDownload,
} from "../../src/client/segments/segmented.ts";
import type { Client } from "../../src/client/types.ts";
import { startServer } from "../support/server.ts";
import { scratch } from "../../src/client/test-folder.ts";
import { clearClient } from "./clear-client.ts";

const MEBIBYTE = 1_048_576;

function notes(of: Client): string[] {
  const said: string[] = [];
  of.on("fallback", ({ what }) => said.push(what));
  return said;
}

test("a file in four segments is the file, with its time, and nothing is left beside it", async () => {
  await using server = await startServer();
  await using folder = await scratch();
  await using ftp = await clearClient(server);
  const octets = randomBytes(9 * MEBIBYTE + 17);
  writeFileSync(join(server.root, "big"), octets);
  utimesSync(join(server.root, "big"), 1e9, 1e9);
  const seen: number[] = [];
  const done = await segmentedDownload([{ client: ftp, path: "big" }], folder.at("big"), {
    segments: 4,
    verify: "hash",
    onProgress: ({ bytes, total }) => {
      assert.equal(total, octets.length);
      seen.push(bytes);
    },
  });
  assert.deepEqual(
    { bytes: done.bytes, verified: done.verified, resumedAt: done.resumedAt, sources: done.sources },
    { bytes: octets.length, verified: "hash", resumedAt: 0, sources: 1 },
  );
  assert.ok(done.connections > 1);
  assert.equal(seen.at(-1), octets.length);
  assert.ok(readFileSync(folder.at("big")).equals(octets));
  assert.deepEqual(readdirSync(folder.path), ["big"]);
});

test("download() takes segments too, over TLS", async () => {
  await using server = await startServer({ tls: {} });
  await using folder = await scratch();
  await using ftp = await clearClient(server, { tls: { mode: "explicit", trust: "any" } });
  const octets = randomBytes(5 * MEBIBYTE);
  writeFileSync(join(server.root, "big"), octets);
  const done = await ftp.download("big", folder.at("big"), { segments: 3 });
  assert.equal(done.isPrivate, true);
  assert.ok(readFileSync(folder.at("big")).equals(octets));
});

test("a server of two connections gives the file to whoever asks for six", async () => {
  await using server = await startServer({
    guard: { limits: { sessionsPerAddress: 2, connectionRate: 1_000, loginDelay: 1 }, bans: { automaticBans: false } },
  });
  await using folder = await scratch();
  await using ftp = await clearClient(server);
  const octets = randomBytes(8 * MEBIBYTE);
  writeFileSync(join(server.root, "big"), octets);
  const done = await segmentedDownload([{ client: ftp, path: "big" }], folder.at("big"), { segments: 6 });
  assert.ok(done.connections <= 2);
  assert.ok(readFileSync(folder.at("big")).equals(octets));
});

type FromTwo = { readonly done: SegmentedTransferred; readonly said: string; readonly loaded: Buffer };

/** A file of the same name from two servers. @returns what was said of the second, too. */
async function fromTwo(files: readonly [Buffer, Buffer], options: SegmentedOptions): Promise<FromTwo> {
  await using one = await startServer();
  await using two = await startServer();
  await using folder = await scratch();
  await using first = await clearClient(one);
  await using second = await clearClient(two);
  writeFileSync(join(one.root, "big"), files[0]);
  writeFileSync(join(two.root, "big"), files[1]);
  const said = notes(second);
  const sources = [first, second].map((ftp) => ({ client: ftp, path: "big" }));
  const done = await segmentedDownload(sources, folder.at("big"), options);
  return { done, said: said.join(), loaded: readFileSync(folder.at("big")) };
}

test("of two mirrors the one with another content is left out, of the same size though it is", async () => {
  const octets = randomBytes(6 * MEBIBYTE);
  const options = { segments: 4, rate: 8 * MEBIBYTE };
  const { done, said, loaded } = await fromTwo([octets, randomBytes(octets.length)], options);
  assert.equal(done.sources, 1);
  assert.match(said, /left out.*SHA-256 is another/);
  assert.ok(loaded.equals(octets));
});

test("two mirrors with the same file share the work; one of another size, and one that is gone, do not", async () => {
  await using one = await startServer();
  await using two = await startServer();
  await using three = await startServer();
  await using four = await startServer();
  await using folder = await scratch();
  const octets = randomBytes(8 * MEBIBYTE);
  for (const { root } of [one, two, four]) writeFileSync(join(root, "big"), octets);
  writeFileSync(join(three.root, "big"), "short");
  const clients = await Promise.all([one, two, three, four].map(async (server) => await clearClient(server)));
  const said = clients.map(notes);
  await four.server.close({ graceSeconds: 0 });
  const sources = clients.map((ftp) => ({ client: ftp, path: "big" }));
  const done = await segmentedDownload(sources, folder.at("big"), {
    segments: 4,
    rate: 8 * MEBIBYTE,
    verify: false,
    retry: { firstMs: 1 },
  });
  assert.equal(done.sources, 2);
  assert.ok(readFileSync(folder.at("big")).equals(octets));
  assert.match(said[2]?.join() ?? "", /left out of .*: it has 5 octets/);
  assert.match(said[3]?.join() ?? "", /left out/);
  await Promise.all(clients.map(async (ftp) => await ftp.close()));
});

test("mirrors whose digests are not asked for are compared by samples", async () => {
  const octets = randomBytes(6 * MEBIBYTE);
  const other = Buffer.from(octets);
  other.write("not this", octets.length - 9);
  const options = { segments: 2, rate: 12 * MEBIBYTE, verify: false } as const;
  const { said, loaded } = await fromTwo([octets, other], options);
  assert.match(said, /its octets from 6275072 on are others/);
  assert.ok(loaded.equals(octets));
});

test("one rate holds for all segments together", async () => {
  await using server = await startServer();
  await using folder = await scratch();
  await using ftp = await clearClient(server);
  const octets = randomBytes(3 * MEBIBYTE);
  writeFileSync(join(server.root, "big"), octets);
  const done = await segmentedDownload([{ client: ftp, path: "big" }], folder.at("big"), {
    segments: 3,
    rate: 3 * MEBIBYTE,
  });
  assert.ok(done.ms > 850, `${done.ms} ms are too few`);
});

test("a file that is replaced while it is read is loaded anew: halves of two versions never meet", async () => {
  await using server = await startServer();
  await using folder = await scratch();
  await using ftp = await clearClient(server);
  const [before, after] = [randomBytes(4 * MEBIBYTE), randomBytes(4 * MEBIBYTE)];
  writeFileSync(join(server.root, "big"), before);
  utimesSync(join(server.root, "big"), 1e9, 1e9);
  const said = notes(ftp);
  let isReplaced = false;
  await segmentedDownload([{ client: ftp, path: "big" }], folder.at("big"), {
    segments: 2,
    onProgress: () => {
      if (isReplaced) return;
      isReplaced = true;
      writeFileSync(join(server.root, "big"), after);
    },
  });
  assert.ok(readFileSync(folder.at("big")).equals(after));
  assert.match(said.join(), /changed at the server/);
});

test("an abort keeps what there is, and the same call goes on with it", async () => {
  await using server = await startServer();
  await using folder = await scratch();
  await using ftp = await clearClient(server);
  const octets = randomBytes(4 * MEBIBYTE);
  writeFileSync(join(server.root, "big"), octets);
  const stop = new AbortController();
  const reason = new Error("enough");
  await assert.rejects(
    segmentedDownload([{ client: ftp, path: "big" }], folder.at("big"), {
      segments: 2,
      rate: 4 * MEBIBYTE,
      signal: stop.signal,
      onProgress: ({ bytes }) => bytes > MEBIBYTE && stop.abort(reason),
    }),
    reason,
  );
  assert.equal(readdirSync(folder.path).includes("big"), false);
  const done = await segmentedDownload([{ client: ftp, path: "big" }], folder.at("big"), { segments: 2 });
  assert.ok(done.resumedAt >= MEBIBYTE);
  assert.equal(done.bytes + done.resumedAt, octets.length);
  assert.ok(readFileSync(folder.at("big")).equals(octets));
  assert.deepEqual(readdirSync(folder.path), ["big"]);
});

test("what was left of an older version is thrown away", async () => {
  await using server = await startServer();
  await using folder = await scratch();
  await using ftp = await clearClient(server);
  writeFileSync(join(server.root, "big"), randomBytes(4 * MEBIBYTE));
  utimesSync(join(server.root, "big"), 1e9, 1e9);
  const options = { segments: 2, rate: 4 * MEBIBYTE };
  const stop = new AbortController();
  const cut = segmentedDownload([{ client: ftp, path: "big" }], folder.at("big"), {
    ...options,
    signal: stop.signal,
    onProgress: ({ bytes }) => bytes > MEBIBYTE && stop.abort(),
  });
  await assert.rejects(cut);
  const octets = randomBytes(4 * MEBIBYTE);
  writeFileSync(join(server.root, "big"), octets);
  const done = await segmentedDownload([{ client: ftp, path: "big" }], folder.at("big"), { segments: 2 });
  assert.equal(done.resumedAt, 0);
  assert.ok(readFileSync(folder.at("big")).equals(octets));
  assert.deepEqual(readdirSync(folder.path), ["big"]);
});

test('"auto" takes one connection for a small file and more for a slow one', async () => {
  await using server = await startServer({ settings: { downloadRate: 4 * MEBIBYTE } });
  await using folder = await scratch();
  await using ftp = await clearClient(server);
  writeFileSync(join(server.root, "small"), randomBytes(MEBIBYTE));
  // Long enough for the gain to show beside the logins of a busy machine.
  const octets = randomBytes(20 * MEBIBYTE);
  writeFileSync(join(server.root, "big"), octets);
  const small = await segmentedDownload([{ client: ftp, path: "small" }], folder.at("small"), { segments: "auto" });
  assert.equal(small.connections, 1);
  const big = await segmentedDownload([{ client: ftp, path: "big" }], folder.at("big"), { segments: "auto" });
  assert.ok(big.connections > 1);
  assert.ok(big.ms < 4_900, `${big.ms} ms: one connection alone takes 5 s`);
  assert.ok(readFileSync(folder.at("big")).equals(octets));
});
