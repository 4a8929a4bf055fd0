import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOf } from "../base/bytes.ts";
import { NameCoder } from "./charset.ts";
import { FtpError } from "./errors.ts";
import { LISTING_LINE, WARNINGS_MOST, WARNING_SHOWN } from "./limits.ts";
import { type ListingTerms, readListing } from "./listing.ts";
import type { Listing } from "./types.ts";

const NOW = Date.UTC(2024, 5, 15, 12);

function terms(options: Partial<ListingTerms> = {}): ListingTerms {
  return { kind: "mlsd", folder: "/pub", coder: new NameCoder(), now: NOW, ...options };
}

async function* chunksOf(...chunks: readonly (string | Buffer)[]): AsyncGenerator<Buffer, void, undefined> {
  for (const chunk of chunks) yield typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk;
}

function listed(text: string, options: Partial<ListingTerms> = {}): Listing {
  return readListing(chunksOf(text), terms(options));
}

test("MLSD becomes entries, without the folder and its parent", async () => {
  const facts = "size=5;modify=20240131123456;UNIX.mode=0644;UNIX.owner=ann;UNIX.group=staff;";
  const listing = listed(
    `type=cdir; /pub\r\ntype=pdir; /\r\ntype=file;${facts} caf\xe9\r\ntype=dir;modify=x; sub\r\ntype=OS.unix=slink:/to; link\r\n`,
  );
  const modified = { ms: Date.UTC(2024, 0, 31, 12, 34, 56), precision: "second", zone: "utc" };
  assert.deepEqual(await listing.toArray(), [
    {
      name: "café",
      path: "/pub/café",
      raw: "caf\xe9",
      type: "file",
      size: 5,
      modified,
      mode: 0o644,
      owner: "ann",
      group: "staff",
    },
    { name: "sub", path: "/pub/sub", raw: "sub", type: "directory" },
    { name: "link", path: "/pub/link", raw: "link", type: "link", target: "/to" },
  ]);
  assert.deepEqual(listing.warnings, []);
});

test("LIST is shifted by the zone that was worked out, and says that it is assumed", async () => {
  const line = "total 1\r\n-rw-r--r-- 1 ann staff 5 Jan 31 12:34 name\r\n";
  const [entry] = await listed(line, { kind: "list", folder: "/", zoneMinutes: 120 }).toArray();
  assert.deepEqual(entry?.modified, { ms: Date.UTC(2024, 0, 31, 10, 34), precision: "minute", zone: "assumed" });
  assert.equal(entry?.path, "/name");
  const [plain] = await listed(line, { kind: "list" }).toArray();
  assert.equal(plain?.modified?.ms, Date.UTC(2024, 0, 31, 12, 34));
});

test("chunks may be cut anywhere, and the last line needs no end", async () => {
  const text = "type=file; a\r\ntype=file; b \r\n\r\ntype=file; \xc3\xa9\ntype=file; last";
  const cuts = fc.array(fc.nat({ max: text.length }), { maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(cuts, async (places) => {
      const sorted = [0, ...places.toSorted((a, b) => a - b), text.length];
      const chunks = sorted.slice(1).map((end, index) => text.slice(sorted[index], end));
      const entries = await readListing(chunksOf(...chunks), terms()).toArray();
      assert.deepEqual(
        entries.map(({ name }) => name),
        ["a", "b ", "é", "last"],
      );
    }),
  );
  const late = await listed("NAME.TXT;1", { kind: "list" }).toArray();
  assert.deepEqual(late, [{ name: "NAME.TXT", path: "/pub/NAME.TXT", raw: "NAME.TXT", type: "file" }]);
});

test("attack 64: names that lead elsewhere are left out and told", async () => {
  const names = ["../../etc/passwd", "/etc/passwd", "..", "a\x1b[2Jb", "a\0b", "a\rb", "good"];
  const listing = listed(names.map((name) => `type=file; ${name}\r\n`).join(""));
  const entries = await listing.toArray();
  assert.deepEqual(
    entries.map(({ name }) => name),
    ["good"],
  );
  assert.equal(listing.warnings.length, 5, "`..` is no entry and no warning");
  for (const warning of listing.warnings) assert.match(warning, /^this name is left out, for it holds /);
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  assert.ok(!/[\0-\x1f]/.test(listing.warnings.join("")), "a warning is safe on a terminal");
});

test("lines of no format and lines without end are warnings, bounded in number and length", async () => {
  const long = `type=file; ${"x".repeat(LISTING_LINE)}`;
  const text = `nonsense\r\n${long}\r\ntype=file; a\r\n${long}${long}\r\ntype=file; b\r\n${long}`;
  const listing = readListing(chunksOf(text.slice(0, 30_000), text.slice(30_000, 60_000), text.slice(60_000)), terms());
  assert.deepEqual(
    (await listing.toArray()).map(({ name }) => name),
    ["a", "b"],
  );
  assert.equal(listing.warnings.length, 4);
  assert.match(listing.warnings[0] ?? "", /^no known format .*: nonsense$/);
  for (const warning of listing.warnings) assert.ok(warning.length < WARNING_SHOWN + 60);
  const many = listed("nonsense\n".repeat(WARNINGS_MOST * 2));
  assert.deepEqual(await many.toArray(), []);
  assert.equal(many.warnings.length, WARNINGS_MOST);
});

test("a listing without end is stopped at its limit, and its connection is let go", async () => {
  let isClosed = false;
  async function* endless(): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) yield Buffer.from("type=file; a\r\n");
    } finally {
      isClosed = true;
    }
  }
  const listing = readListing(endless(), terms({ most: 1000 }));
  await assert.rejects(
    listing.toArray(),
    (error) => error instanceof FtpError && error.code === "LIMIT" && !error.retryable,
  );
  assert.ok(isClosed);
  isClosed = false;
  for await (const entry of readListing(endless(), terms())) {
    assert.equal(entry.raw, bytesOf(Buffer.from("a")));
    break;
  }
  assert.ok(isClosed, "leaving early ends the chunks");
});

async function* broken(): AsyncGenerator<Buffer, void, undefined> {
  yield Buffer.from("type=file; a\r\n");
  throw new FtpError("RESET", "gone", { phase: "transfer" });
}

test("what the connection throws is thrown on", async () => {
  await assert.rejects(readListing(broken(), terms()).toArray(), /gone/);
});
