import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { type BatchFault, type BatchItem, type BatchOptions, isBatchFault, readBatch } from "./batch.ts";
import { FtpError } from "./errors.ts";
import { scratch } from "./test-folder.ts";

async function read(
  text: string | readonly (string | Uint8Array)[],
  options?: BatchOptions,
): Promise<readonly (BatchItem | BatchFault)[]> {
  return await Array.fromAsync(readBatch(Readable.from(typeof text === "string" ? [text] : text), options));
}

const LIST = `\ufeff# what we want
ftp://host.example/a.iso
\tftps://ann@host.example/b  to here/b.iso \r
; later

"http://host.example/with space" "a b"
https://host.example/c\ttarget
ftpes://host.example/%C3%A9`;

function isLimit(error: unknown): boolean {
  return error instanceof FtpError && error.code === "LIMIT";
}

const ITEMS = [
  { line: 2, url: "ftp://host.example/a.iso" },
  { line: 3, url: "ftps://ann@host.example/b", target: "to here/b.iso" },
  { line: 6, url: "http://host.example/with space", target: "a b" },
  { line: 7, url: "https://host.example/c", target: "target" },
  { line: 8, url: "ftpes://host.example/%C3%A9" },
];

test("URLs with and without targets, comments, empty lines", async () => {
  assert.deepEqual(await read(LIST), ITEMS);
});

test("a list that comes in pieces is the same list", async () => {
  const octets = Buffer.from(LIST);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(octets.length), { maxLength: 8 }), async (cuts) => {
      const places = [0, ...cuts.toSorted((one, other) => one - other), octets.length];
      const pieces = places.map((place, index) => octets.subarray(place, places[index + 1] ?? octets.length));
      assert.deepEqual(await read(pieces), ITEMS);
    }),
    { numRuns: 50 },
  );
});

test("lines that ask for nothing that can be had say why, and the others stand", async () => {
  const items = await read(
    "host/path\nftp://\nftp://host.example/%0d%0aDELE\nhttp://[\nftp://ok.example/\nftp://x\x1b[0m\n",
  );
  const faults = items.filter(isBatchFault);
  assert.deepEqual(
    faults.map(({ line, error }) => [line, error.code]),
    [1, 2, 3, 4, 6].map((line) => [line, "USAGE"]),
  );
  assert.match(faults[0]?.error.message ?? "", /^line 1: "host\/path" is no URL/);
  assert.deepEqual(
    items.filter((item) => !isBatchFault(item)),
    [{ line: 5, url: "ftp://ok.example/" }],
  );
});

test("attack 64: messages repeat no password and nothing that disturbs a terminal", async () => {
  const [item] = await read("ftpx://ann:secret@host/\x1b[2J");
  assert.ok(item !== undefined && isBatchFault(item));
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  assert.doesNotMatch(item.error.message, /secret|[\0-\x1f]/);
});

test("lists have an end: too many lines, and lines that are too long", async () => {
  await assert.rejects(read("#\n#\n#\n", { most: 2 }), isLimit);
  await assert.rejects(read(["x".repeat(20_000), "x".repeat(20_000)]), isLimit);
  let asked = 0;
  async function* endless(): AsyncGenerator<string> {
    for (;;) {
      asked += 1;
      yield await Promise.resolve("x".repeat(1_000));
    }
  }
  await assert.rejects(Array.fromAsync(readBatch(endless())), isLimit);
  assert.ok(asked < 50);
});

test("a file, the standard input, and a file that is not there", async () => {
  await using own = await scratch();
  const folder = own.path;
  await writeFile(join(folder, "list"), LIST);
  assert.deepEqual(await Array.fromAsync(readBatch(join(folder, "list"))), ITEMS);
  assert.deepEqual(await Array.fromAsync(readBatch("-", { stdin: Readable.from([LIST]) })), ITEMS);
  const missing = Array.fromAsync(readBatch(join(folder, "none")));
  await assert.rejects(missing, (error) => error instanceof FtpError && error.code === "LOCAL_IO");
  const stopped = Array.fromAsync(readBatch(join(folder, "list"), { signal: AbortSignal.abort(new Error("enough")) }));
  await assert.rejects(stopped, /enough/);
});
