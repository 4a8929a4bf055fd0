/** What a segmented download that was killed leaves behind, and what the next one makes of it. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { segmentedDownload } from "../../src/client/segments/segmented.ts";
import { until } from "../support/attack.ts";
import { startServer } from "../support/server.ts";
import { type Scratch, scratch } from "../../src/client/test-folder.ts";
import { clearClient } from "./clear-client.ts";

const MEBIBYTE = 1_048_576;

/** Kills a download when its journal has been written. */
async function killOne(folder: Scratch, ...ports: readonly number[]): Promise<void> {
  const child = fork(new URL("./segments-process.ts", import.meta.url), [
    ports.join(","),
    folder.at("big"),
    String(6 * MEBIBYTE),
  ]);
  const gone = once(child, "exit");
  await until("a journal", () => readdirSync(folder.path).some((name) => name.endsWith(".segments")));
  child.kill("SIGKILL");
  const [, signal] = await gone;
  assert.equal(signal, "SIGKILL");
  assert.equal(existsSync(folder.at("big")), false);
}

test("after a kill the same download goes on where its journal is, and what comes is the file", async () => {
  await using server = await startServer();
  await using folder = await scratch();
  const octets = randomBytes(12 * MEBIBYTE);
  writeFileSync(join(server.root, "big"), octets);
  await killOne(folder, server.port);
  await using ftp = await clearClient(server);
  const done = await ftp.download("big", folder.at("big"), { segments: 3 });
  assert.ok(done.resumedAt > MEBIBYTE, `${done.resumedAt} octets were kept`);
  assert.equal(done.resumedAt + done.bytes, octets.length);
  assert.ok(readFileSync(folder.at("big")).equals(octets));
  assert.deepEqual(readdirSync(folder.path), ["big"]);
});

test("after a kill, a file that was replaced by one of the same size is loaded anew", async () => {
  await using server = await startServer();
  await using folder = await scratch();
  writeFileSync(join(server.root, "big"), randomBytes(12 * MEBIBYTE));
  // Versions are told apart by size and time, and times by the second.
  utimesSync(join(server.root, "big"), new Date(0), new Date(1_000_000));
  await killOne(folder, server.port);
  const octets = randomBytes(12 * MEBIBYTE);
  writeFileSync(join(server.root, "big"), octets);
  await using ftp = await clearClient(server);
  const done = await ftp.download("big", folder.at("big"), { segments: 3 });
  assert.equal(done.resumedAt, 0);
  assert.ok(readFileSync(folder.at("big")).equals(octets));
  assert.deepEqual(readdirSync(folder.path), ["big"]);
});

test("after a kill the same download from two mirrors goes on, also when one of them is gone", async () => {
  await using one = await startServer();
  await using folder = await scratch();
  const octets = randomBytes(12 * MEBIBYTE);
  writeFileSync(join(one.root, "big"), octets);
  {
    await using two = await startServer();
    writeFileSync(join(two.root, "big"), octets);
    await killOne(folder, one.port, two.port);
  }
  await using ftp = await clearClient(one);
  const done = await segmentedDownload([{ client: ftp, path: "big" }], folder.at("big"), { segments: 3 });
  assert.ok(done.resumedAt > MEBIBYTE, `${done.resumedAt} octets were kept`);
  assert.ok(readFileSync(folder.at("big")).equals(octets));
  assert.deepEqual(readdirSync(folder.path), ["big"]);
});
