/** Downloads in segments from servers that are slow, stuck, small, forgetful or wrong. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import type { FtpError } from "../../src/client/errors.ts";
import type { DownloadOptions, Transferred } from "../../src/client/types.ts";
import { type Oddness, oddServer } from "./odd-server.ts";
import { scratch } from "../../src/client/test-folder.ts";
import { clearClient } from "./clear-client.ts";

const MEBIBYTE = 1_048_576;
const file = randomBytes(4 * MEBIBYTE + 3);

type Story = { readonly done: Transferred; readonly notes: string; readonly commands: readonly string[] };

/** Downloads from an odd server, and looks at what arrived. */
async function story(oddness: Omit<Oddness, "file">, options: DownloadOptions = {}): Promise<Story> {
  await using server = await oddServer({ file, ...oddness });
  await using folder = await scratch();
  await using ftp = await clearClient(server);
  const notes: string[] = [];
  ftp.on("fallback", ({ what }) => notes.push(what));
  const done = await ftp.download("big", folder.at("big"), { segments: 3, retry: { firstMs: 1 }, ...options });
  assert.ok(readFileSync(folder.at("big")).equals(file));
  assert.deepEqual(readdirSync(folder.path), ["big"]);
  return { done, notes: notes.join("\n"), commands: server.commands };
}

for (const afterCut of [226, 426, 451]) {
  test(`a server that says ${afterCut} when we close early has not failed`, async () => {
    const { commands } = await story({ afterCut });
    assert.equal(commands.filter((line) => line.includes("RETR")).length, 3);
  });
}

test("a slow connection loses half of what it has to a fast one, again and again", async () => {
  const { commands, done } = await story({ speed: (connection) => (connection === 2 ? 2_000 : undefined) });
  assert.ok(done.ms < 4_000, `${done.ms} ms; alone the slow one needs 7 s for its third`);
  assert.ok(commands.filter((line) => line.includes("RETR")).length > 3);
});

test("a connection that sends nothing loses all that it has", async () => {
  const { done } = await story({ speed: (connection) => (connection === 2 ? 0 : undefined) });
  assert.ok(done.ms < 12_000, `${done.ms} ms`);
});

test("a server that has no third connection gives the file by two", async () => {
  const { commands } = await story({ most: 2 });
  assert.equal(
    commands.some((line) => line.startsWith("3 ")),
    false,
  );
});

test("transfers that break off again and again go on where they were", async () => {
  await story({ cutAfter: (transfer) => (transfer % 4 === 0 ? undefined : 300_000) });
});

test("a server without REST gives the file by one connection", async () => {
  const { notes } = await story({ rest: "refuse" });
  assert.match(notes, /cannot be had in parts/);
});

test("a server that says yes to REST and sends the start is found out", async () => {
  const { notes } = await story({ rest: "ignore" });
  assert.match(notes, /cannot be had in parts/);
});

test("a server that does not tell sizes gives the file by one connection", async () => {
  const { notes } = await story({ hasSize: false });
  assert.match(notes, /does not say how long/);
});

test("a server that gives nothing at all is an error, and leaves nothing behind", async () => {
  await using server = await oddServer({ file, cutAfter: () => 0 });
  await using folder = await scratch();
  await using ftp = await clearClient(server);
  const options = { segments: 3, retry: { attempts: 2, firstMs: 1 } };
  await assert.rejects(ftp.download("big", folder.at("big"), options), (error: FtpError) => error.code === "RESET");
  assert.deepEqual(readdirSync(folder.path), []);
});
