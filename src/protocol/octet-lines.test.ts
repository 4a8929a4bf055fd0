/** Lines written as octets are those of `listing.ts` and `facts.ts`, whatever the entries are. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { type ByteString, bytesOf, bytesOfText, octetsOf } from "../base/bytes.ts";
import { type EntryTable, kindOfMode, nameLines, type OctetLines, type TableWriter } from "./entry-table.ts";
import { FACTS, type FactName, factsWriter } from "./facts.ts";
import { factLinesWriter } from "./facts-octets.ts";
import { AHEAD_MS, RECENT_MS } from "./limits.ts";
import { formatListLine } from "./listing.ts";
import { listLinesWriter } from "./list-octets.ts";

const NOW = Date.UTC(2024, 1, 10, 12, 34, 56, 789);
const PERMS = { file: "adfrw", directory: "cdeflmp" };
const OWNERS = ["root", "ann of; kent", "", "größe", "an-owner-with-a-long-name"];

type Item = {
  readonly name: ByteString;
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: bigint;
  readonly modified: number;
  readonly device: number;
  readonly inode: bigint;
  readonly target: ByteString | undefined;
};

const octets = (most: number): fc.Arbitrary<ByteString> =>
  fc.uint8Array({ minLength: 1, maxLength: most }).map((array) => bytesOf(Buffer.from(array)));
const number64 = fc.oneof(fc.bigInt(0n, 12n), fc.bigInt(0n, 2n ** 32n + 1n), fc.bigInt(0n, 2n ** 63n - 1n));
const moment = fc.oneof(
  fc.integer({ min: -120_000, max: 120_000 }).map((off) => NOW + off),
  fc.integer({ min: -2, max: 2 }).map((off) => NOW - RECENT_MS + off),
  fc.integer({ min: -2, max: 2 }).map((off) => NOW + AHEAD_MS + off),
  fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
);
const item: fc.Arbitrary<Item> = fc.record({
  name: fc.oneof(octets(255), fc.constantFrom("a", "b").map(bytesOfText)),
  mode: fc
    .tuple(fc.constantFrom(0o100000, 0o040000, 0o120000, 0o010000, 0o140000), fc.integer({ min: 0, max: 0o7777 }))
    .map(([type, bits]) => type | bits),
  links: fc.integer({ min: 0, max: 70_000 }),
  uid: fc.nat(OWNERS.length - 1),
  gid: fc.nat(OWNERS.length - 1),
  size: number64,
  modified: moment,
  device: fc.nat(3),
  inode: number64,
  target: fc.option(octets(600), { nil: undefined }),
});
/** Neighbours that are alike in all but their names, as in most folders. */
const items = fc
  .array(fc.tuple(item, fc.array(octets(20), { maxLength: 4 })), { maxLength: 20 })
  .map((groups) => groups.flatMap(([one, names]) => [one, ...names.map((name) => ({ ...one, name }))]));

const low = (number: bigint): number => Number(number & 0xffffffffn);
const high = (number: bigint): number => Number(number >> 32n);

function tableOf(entries: readonly Item[]): EntryTable {
  const names = Buffer.concat(entries.map(({ name }) => octetsOf(name)));
  const column = (of: (entry: Item) => number): Uint32Array => Uint32Array.from(entries, of);
  let end = 0;
  const ends = column(({ name }) => (end += name.length));
  return {
    count: entries.length,
    names,
    starts: Uint32Array.from(ends, (each, at) => each - (entries[at]?.name.length ?? 0)),
    ends,
    modes: column(({ mode }) => mode),
    links: column(({ links }) => links),
    uids: column(({ uid }) => uid),
    gids: column(({ gid }) => gid),
    sizesLow: column(({ mode, size }) => (kindOfMode(mode) === "file" ? low(size) : 0)),
    sizesHigh: column(({ mode, size }) => (kindOfMode(mode) === "file" ? high(size) : 0)),
    modified: Float64Array.from(entries, ({ modified }) => modified),
    devices: Float64Array.from(entries, ({ device }) => device),
    inodesLow: column(({ inode }) => low(inode)),
    inodesHigh: column(({ inode }) => high(inode)),
    ownerOf: (uid) => OWNERS[uid] ?? "",
    groupOf: (gid) => OWNERS[gid] ?? "",
    deviceText: (device) => `fe.${device}.`,
    target: (index) => entries[index]?.target,
  };
}

function entryOf({ name, mode, links, uid, gid, size, modified, device, inode, target }: Item) {
  const kind = kindOfMode(mode);
  const [owner = "", group = ""] = [OWNERS[uid], OWNERS[gid]];
  const unique = `fe.${device}.${inode.toString(16)}`;
  const entry = { name, kind, mode: mode & 0o7777, links, owner, group, modified, unique };
  return { ...entry, size: kind === "file" ? size : 0, ...(target === undefined ? {} : { target }) };
}

/** All lines, through a buffer of so many octets that grows only for a line that is longer. */
function writtenBy(write: TableWriter<EntryTable>, entries: readonly Item[], room: number): string {
  const lines: OctetLines = { octets: Buffer.alloc(room), length: 0 };
  const table = tableOf(entries);
  let text = "";
  for (let from = 0; from < table.count;) {
    from = write(table, from, lines);
    if (lines.length === 0) lines.octets = Buffer.alloc(2 * lines.octets.length);
    text += lines.octets.toString("latin1", 0, lines.length);
    lines.length = 0;
  }
  return text;
}

const oneLine = (name: ByteString): string => name.replace(/[\r\n\0]/g, "?");

suite("lines as octets", () => {
  test("attack 57: the long form is that of formatListLine, one line an entry", () => {
    fc.assert(
      fc.property(items, fc.integer({ min: 1, max: 3_000 }), (entries, room) => {
        const wanted = entries.map((each) => `${formatListLine(entryOf(each), NOW)}\r\n`).join("");
        assert.equal(writtenBy(listLinesWriter(NOW), entries, room), wanted);
      }),
    );
  });

  test("facts are those of factsWriter, whichever were chosen", () => {
    fc.assert(
      fc.property(items, fc.subarray([...FACTS]), fc.integer({ min: 1, max: 3_000 }), (entries, chosen, room) => {
        const facts: ReadonlySet<FactName> = new Set(chosen);
        const write = factsWriter(facts);
        const wanted = entries.map((each) => {
          const entry = entryOf(each);
          const perm = entry.kind === "directory" ? PERMS.directory : PERMS.file;
          return `${write({ ...entry, perm })} ${oneLine(each.name)}\r\n`;
        });
        assert.equal(writtenBy(factLinesWriter(facts, PERMS), entries, room), wanted.join(""));
      }),
    );
  });

  test("what a column lacks counts as 0, and never as the entry before", () => {
    const empty = { ...tableOf([]), count: 1, ends: Uint32Array.of() };
    const lines: OctetLines = { octets: Buffer.alloc(1_000), length: 0 };
    for (const write of [listLinesWriter(NOW), factLinesWriter(new Set(FACTS), PERMS), nameLines(bytesOfText(""))]) {
      assert.equal(write(empty, 0, lines), 1);
    }
    assert.equal(nameLines(bytesOfText(""))({ ...empty, ends: Uint32Array.of(1) }, 0, lines), 1);
    const file = { ...empty, modes: Uint32Array.of(0o100644) };
    assert.equal(factLinesWriter(new Set(FACTS), PERMS)(file, 0, { ...lines, octets: Buffer.alloc(400) }), 1);
    assert.equal(
      lines.octets.toString("latin1", 0, lines.length),
      [
        "p---------   0 root     root            0 Jan  1  1970 ",
        "type=OS.unix=special;modify=19700101000000;perm=adfrw;unique=fe.0.0;UNIX.mode=0000;UNIX.owner=root;UNIX.group=root; ",
        "",
        "?",
        "",
      ].join("\r\n"),
    );
  });

  test("names alone have what stands before them", () => {
    fc.assert(
      fc.property(items, octets(9), fc.integer({ min: 1, max: 900 }), (entries, prefix, room) => {
        const wanted = entries.map(({ name }) => `${prefix}${oneLine(name)}\r\n`).join("");
        assert.equal(writtenBy(nameLines(prefix), entries, room), wanted);
      }),
    );
  });
});
