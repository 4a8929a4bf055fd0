/** `ferryman get --mirror`: one file from several servers, of which some are dead or have another one. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { getCommand } from "../src/cli/get.ts";
import { CliError } from "../src/cli/exit.ts";
import { type Scratch, scratch } from "../src/client/test-folder.ts";
import { type TestServer, startServer } from "./support/server.ts";

const MEBIBYTE = 1_048_576;
const octets = randomBytes(5 * MEBIBYTE + 3);

function place({ root }: TestServer, content: Buffer, name = "big.iso"): void {
  writeFileSync(join(root, name), content);
  utimesSync(join(root, name), 1e9, 1e9);
}

function url({ port }: TestServer, path = "big.iso"): string {
  return `ftp://ann:secret@127.0.0.1:${port}/${path}`;
}

/** @returns what it said on standard error. */
async function get(folder: Scratch, ...words: readonly string[]): Promise<string> {
  const io = { stdout: new PassThrough(), stderr: new PassThrough(), stdin: new PassThrough(), now: Date.now };
  const flags = ["--json", "--tls", "off", "--no-store", "--no-netrc", "--retries", "1", "-O", folder.path];
  await getCommand(io).parseAsync([...flags, ...words], { from: "user" });
  return String(io.stderr.read() ?? "");
}

test("a file comes from both of two servers, the second named by its folder", async () => {
  await using one = await startServer();
  await using two = await startServer();
  await using folder = await scratch();
  place(one, octets);
  place(two, octets);
  await get(folder, "-n", "4", "--limit-rate", "4M", url(one), "--mirror", url(two, ""));
  assert.ok(readFileSync(folder.at("big.iso")).equals(octets));
  assert.deepEqual(readdirSync(folder.path), ["big.iso"]);
  for (const { events } of [one, two]) {
    assert.ok(
      events.some(({ type }) => type === "transfer"),
      "each has sent a part",
    );
  }
});

test("servers that are dead are left out with a note, whichever it is", async () => {
  await using one = await startServer();
  await using folder = await scratch();
  place(one, octets);
  const dead = await startServer();
  const gone = url(dead);
  await dead[Symbol.asyncDispose]();
  assert.match(await get(folder, "-n", "2", url(one), "--mirror", gone), /127\.0\.0\.1 is left out: .*refused/);
  assert.match(await get(folder, "-n", "2", gone, "--mirror", url(one)), /is left out/);
  assert.ok(readFileSync(folder.at("big.iso")).equals(octets));
  await assert.rejects(get(folder, gone, "--mirror", gone), CliError);
});

test("a server with another file is refused, of whatever size, and nothing looks whole", async () => {
  await using one = await startServer();
  await using two = await startServer();
  await using folder = await scratch();
  place(one, octets);
  for (const other of [octets.subarray(1), randomBytes(octets.length)]) {
    place(two, other);
    await assert.rejects(get(folder, "-n", "2", url(one), "--mirror", url(two)), CliError);
    assert.ok(!readdirSync(folder.path).includes("big.iso"));
  }
  // Small ones come from one place, and are looked at too.
  place(one, octets.subarray(0, 100));
  place(two, octets.subarray(0, 101));
  await assert.rejects(get(folder, "-n", "2", url(one), "--mirror", url(two)), CliError);
});

test("what --mirror cannot go with is said", async () => {
  await using one = await startServer();
  await using folder = await scratch();
  for (const words of [[url(one), url(one)], ["-r", url(one)], [url(one, "*.iso")], [url(one, "")]]) {
    await assert.rejects(get(folder, ...words, "--mirror", url(one)), CliError, words.join(" "));
  }
});
