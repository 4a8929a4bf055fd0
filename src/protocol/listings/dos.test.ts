import assert from "node:assert/strict";
import { test } from "node:test";
import { joined } from "../octets.ts";
import type { ListedEntry } from "./entry.ts";
import { ListingReader } from "./reader.ts";

const NOW = Date.UTC(2024, 5, 15, 12);

/** All lines of one listing. */
function readAll(...lines: readonly string[]): readonly unknown[] {
  const reader = new ListingReader({ kind: "list", now: NOW });
  return lines
    .map((line) => reader.line(joined(line)))
    .map((found) => (typeof found === "string" ? found : withoutGaps(found)));
}

function withoutGaps(entry: ListedEntry): object {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

function at(
  ...[year, month, day, hours, minutes]: readonly [number, number, number, number, number]
): ListedEntry["time"] {
  return { ms: Date.UTC(year, month - 1, day, hours, minutes), precision: "minute", zone: "server" };
}

const NOON = at(2024, 1, 31, 12, 9);

test("files and folders of IIS, with dates of all sorts", () => {
  const dates: readonly (readonly [string, ListedEntry["time"]])[] = [
    ["01-31-24  12:09PM", NOON],
    ["01-31-24  12:09AM", at(2024, 1, 31, 0, 9)],
    ["01-31-99  03:47PM", at(1999, 1, 31, 15, 47)],
    ["01-31-2024  12:09PM", NOON],
    ["01-31-2024  12:09", NOON],
    ["2024-01-31  12:09", NOON],
    ["31.01.2024  12:09", NOON],
    ["31.01.24  12:09", NOON],
    ["31/01/2024  12:09", NOON],
    ["01/31/2024  12:09 PM", NOON],
    ["01/31/2024  12:09 p.m.", NOON],
  ];
  for (const [date, time] of dates) {
    const [folder, file] = readAll(`${date}       <DIR>          a b`, `${date}              1234567 a b`);
    assert.deepEqual(folder, { name: "a b", type: "directory", time }, date);
    assert.deepEqual(file, { name: "a b", type: "file", size: 1_234_567, time }, date);
  }
});

test("sizes may be parted in thousands, and names begin with spaces", () => {
  const lines = [
    "01-31-24  12:09PM            1,234,567  lead",
    "01-31-24  12:09PM            1.234.567 name",
    "01-31-24  12:09PM            1\xa0234\xa0567 name",
    "01-31-24  12:09PM    99999999999999999 name",
    "01-31-24  12:09PM       <DIR>            lead",
    "01-31-24  12:09PM       <DIR> name",
    "01-31-24  12:09PM       <DIR>          .",
  ];
  assert.deepEqual(readAll(...lines), [
    { name: " lead", type: "file", size: 1_234_567, time: NOON },
    { name: "name", type: "file", size: 1_234_567, time: NOON },
    { name: "name", type: "file", size: 1_234_567, time: NOON },
    { name: "name", type: "file", time: NOON },
    { name: "  lead", type: "directory", time: NOON },
    { name: "name", type: "directory", time: NOON },
    { name: ".", type: "this", time: NOON },
  ]);
});

test("junctions and links name their target in brackets", () => {
  const lines = [
    "01-31-24  12:09PM    <JUNCTION>     name [C:\\else where]",
    "01-31-24  12:09PM    <SYMLINKD>     name",
    "01-31-24  12:09PM    <SYMLINK>      name [x]",
    "01-31-24  12:09PM    <SYMLINK>      [x]",
  ];
  assert.deepEqual(readAll(...lines), [
    { name: "name", type: "link", time: NOON, target: "C:\\else where" },
    { name: "name", type: "link", time: NOON },
    { name: "name", type: "link", time: NOON, target: "x" },
    { name: "[x]", type: "link", time: NOON },
  ]);
});

test("a day above 12 shows how later dates are to be read", () => {
  const [before, proof, after, never] = readAll(
    "02/01/2024  12:09 <DIR> name",
    "31/01/2024  12:09 <DIR> name",
    "02/01/2024  12:09 <DIR> name",
    "02/13/2024  12:09 <DIR> name",
  );
  assert.deepEqual(before, { name: "name", type: "directory", time: at(2024, 2, 1, 12, 9) });
  assert.deepEqual(proof, { name: "name", type: "directory", time: NOON });
  assert.deepEqual(after, { name: "name", type: "directory", time: at(2024, 1, 2, 12, 9) });
  assert.equal(never, "unknown");
});

test("what dir writes around its lines is passed over, and what is no line of it is not taken for one", () => {
  const around = [
    " Volume in drive C is X",
    " Directory of C:\\ftp",
    "      2 File(s)     12 bytes",
    "  3 Dir(s)  4 bytes free",
  ];
  assert.deepEqual(new Set(readAll(...around)), new Set(["ignored"]));
  const broken = [
    "01-31-24",
    "01-31-24  12:09PM",
    "01-31-24  12:09PM <DIR>",
    "01-31-24  13:09PM <DIR> name",
    "01-31-24  00:09PM <DIR> name",
    "01-31-24  12:99 <DIR> name",
    "13-32-24  12:09PM <DIR> name",
    "00-31-24  12:09PM <DIR> name",
    "01-31-24  12:09PM <D> name",
    "01-31-24  12:09PM size name",
    "01-31-24  noon <DIR> name",
    `01-31-24  ${"1".repeat(40)} <DIR> name`,
    `${"1".repeat(40)} 12:09 <DIR> name`,
    "02-30-2024  12:09 <DIR> name",
  ];
  for (const line of broken) assert.deepEqual(readAll(line), ["unknown"], line);
});

test("EPLF", () => {
  const lines = [
    "+i8388621.48594,m825718503,r,s280,\tdjb.html",
    "+m825718503,/,up755,\t a folder",
    "+r,s99999999999999999,m99999999999999,up999,zebra,\tname",
    "+\tname",
  ];
  const time = { ms: 825_718_503_000, precision: "second", zone: "utc" };
  assert.deepEqual(readAll(...lines), [
    { name: "djb.html", type: "file", size: 280, time, unique: "8388621.48594" },
    { name: " a folder", type: "directory", time, mode: 0o755 },
    { name: "name", type: "file" },
    { name: "name", type: "other" },
  ]);
  assert.deepEqual(readAll("+r,s280 name", "+r,\t"), ["unknown", "unknown"]);
});
