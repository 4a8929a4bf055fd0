import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FACTS, formatFacts } from "../facts.ts";
import { formatListLine } from "../listing.ts";
import { joined } from "../octets.ts";
import type { ListedEntry } from "./entry.ts";
import { ListingReader } from "./reader.ts";

const NOW = Date.UTC(2024, 5, 15, 12);
const LONG = 16_384;

/** A line of each format, from which lines are made that are nearly of it. */
const SAMPLES: readonly string[] = [
  "-rw-r--r--   1 ann      staff        5120 Jan 31 12:34 report.pdf",
  "lrwxrwxrwx 1 a b 1 Jan 31 12:34 name -> x -> y",
  "- [R----F--] ann           512 Jan 31 12:34       name",
  "0100644   500  101   12345    1706704440       name",
  "01-31-24  12:09PM       <DIR>          a b",
  "01-31-24  12:09PM    <JUNCTION>     name [C:\\else where]",
  "31.01.2024  12:09            1,234,567 name",
  "+i8388621.48594,m825718503,r,s280,\tname",
  "Directory DISK$USER:[ANN]",
  "REPORT.TXT;12            9/12   31-JAN-2024 12:34:56.78  [STAFF,ANN]  (RWED,RWED,RE,)",
  "A_NAME_THAT_LEAVES_NO_ROOM_FOR_THE_REST.DATA;1",
  "                         2KB    31-JAN-2024 12:34  [1,2]",
  "Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname",
  "VOL001 3390   2024/01/31  1   15  FB      80  6160  PO  ANN.JCL",
  "ARCIVE Not Direct Access Device                         FAR.ONE",
  " Name     VV.MM   Created       Changed      Size  Init   Mod   Id",
  "COMPILE   01.03 2024/01/30 2024/01/31 12:34    15    10     2 ANN",
  "LOADER    03DBD8   031506 OTHER    01 FO             RN RU            31    24",
  "QSYS            77824 01/31/24 12:34:56 *DIR       a folder/",
  "PROFILE  EXEC     F         80          5          1 2024-01-31 12:34:56 ANN",
  'REPORT        101             528  31-Jan-24 12:34:56 255, 12 "oooo"',
  "  20.21   24/01/31 1234   d-ewrewr     2650     85920 a folder",
  "          73098      A          01-31-24   12:34  a file",
  "    2048    Jan-31-2024  12:34:56   a folder     <DIR>",
  "REPORT.TXT      11264     Jan 31 2024 12:34",
  "type=file;size=5120;modify=20240131123456;unix.mode=0644; name",
  "total 12",
];

const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const octets = fc.array(octet, { maxLength: 60 }).map((parts) => parts.join(""));
/** Samples with a piece in place of another: what gets far into a format and then is none. */
const nearly = fc
  .tuple(
    fc.constantFrom(...SAMPLES),
    fc.nat({ max: 80 }),
    fc.nat({ max: 20 }),
    fc.oneof(octets, fc.constantFrom(...SAMPLES)),
  )
  .map(([sample, at, count, piece]) => sample.slice(0, at) + piece + sample.slice(at + count));
const anyLine = fc.oneof(octets, nearly, fc.constantFrom(...SAMPLES));

test("no line is an error, whatever came before it, and no name is lost or made up", () => {
  fc.assert(
    fc.property(fc.array(anyLine, { maxLength: 12 }), fc.constantFrom("list", "mlsd"), (lines, kind) => {
      const reader = new ListingReader({ kind, now: NOW });
      const found: (ListedEntry | undefined)[] = [];
      for (const line of lines) {
        const entry = reader.line(joined(line));
        if (typeof entry === "string") assert.ok(entry === "ignored" || entry === "unknown");
        else found.push(entry);
      }
      found.push(reader.finish());
      for (const entry of found) {
        if (entry === undefined) continue;
        assert.notEqual(entry.name, "");
        assert.ok(/^[\0-\xff]*$/.test(entry.name));
        assert.ok(entry.size === undefined || (Number.isSafeInteger(entry.size) && entry.size >= 0));
        assert.ok(entry.time === undefined || Number.isFinite(entry.time.ms));
        assert.ok(entry.mode === undefined || (entry.mode >= 0 && entry.mode <= 0o7777));
        // No server writes a name in other octets than it has, but z/VM, which parts it in two columns.
        assert.ok(
          lines.some((line) => line.includes(entry.name.split(".")[0] ?? "")),
          entry.name,
        );
      }
    }),
    { numRuns: 3000 },
  );
});

test("a line of 16 KiB costs no more than its length in every format", () => {
  const fillers = [
    " ",
    "a",
    "1",
    "\t",
    ";",
    ":",
    ".",
    "-",
    "/",
    "=",
    " -> ",
    ";1 ",
    "\xe6\x9c\x88",
    "Jan 31 12:34 ",
    "type=",
  ];
  let slowest = { ms: 0, line: "" };
  for (const sample of SAMPLES) {
    for (const filler of fillers) {
      const half = Math.floor(sample.length / 2);
      const line = joined(sample.slice(0, half) + filler.repeat(LONG / filler.length) + sample.slice(half));
      const reader = new ListingReader({ kind: "list", now: NOW });
      reader.line(joined("A.TXT;1"));
      const begun = process.cpuUsage();
      reader.line(line);
      const { user } = process.cpuUsage(begun);
      if (user / 1000 > slowest.ms) slowest = { ms: user / 1000, line: `${sample.slice(0, 20)} with ${filler}` };
    }
  }
  // A format that tries all pairs of places takes seconds; what is left is room for the compiler and the collector.
  assert.ok(slowest.ms < 200, `${slowest.ms} ms for ${slowest.line}`);
});

const nameOctets = fc
  .array(fc.oneof(octet, fc.constantFrom(" ", "-", ">", "1", ":", "Jan")), { minLength: 1, maxLength: 20 })
  .map((parts) => joined(parts.join("").replace(/[\0\r\n/]/g, "_")))
  .filter((name) => !/^\.{1,2}$/.test(name));
const word = fc.stringMatching(/^[a-z_][a-z0-9_.-]{0,9}$/);

/** What our own server tells of an entry. */
const source = fc.record({
  name: nameOctets,
  kind: fc.constantFrom("file" as const, "directory" as const, "link" as const, "other" as const),
  size: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  modified: fc.integer({ min: Date.UTC(1970, 0, 1), max: NOW + 86_400_000 }).map((ms) => Math.floor(ms / 1000) * 1000),
  mode: fc.nat({ max: 0o7777 }),
  owner: word,
  group: word,
  links: fc.integer({ min: 1, max: 99_999 }),
  target: nameOctets,
});

test("what our server writes in answer to LIST is read as it was meant", () => {
  fc.assert(
    fc.property(source, (file) => {
      // The size of a link is the length of what it points at; only so can names hold arrows.
      const size = file.kind === "link" ? file.target.length : file.size;
      const found = new ListingReader({ kind: "list", now: NOW }).line(formatListLine({ ...file, size }, NOW));
      assert.ok(typeof found !== "string");
      const { name, type, mode, owner, group } = found;
      assert.deepEqual([name, type, mode, owner, group], [file.name, file.kind, file.mode, file.owner, file.group]);
      assert.equal(found.size, file.kind === "file" ? size : undefined);
      assert.equal(found.target, file.kind === "link" ? file.target : undefined);
      const unit = found.time?.precision === "day" ? 86_400_000 : 60_000;
      assert.equal(found.time?.ms, Math.floor(file.modified / unit) * unit);
    }),
    { numRuns: 1000 },
  );
});

test("what our server writes in answer to MLSD is read as it was meant", () => {
  fc.assert(
    fc.property(source, (file) => {
      const line = joined(`${formatFacts({ ...file, unique: "1g2", perm: "r" }, new Set(FACTS))} ${file.name}`);
      const found = new ListingReader({ kind: "mlsd", now: NOW }).line(line);
      assert.ok(typeof found !== "string");
      const { name, type, mode, owner, group, unique, perm } = found;
      const wanted = [file.name, file.kind, file.mode, file.owner, file.group, "1g2", "r"];
      assert.deepEqual([name, type, mode, owner, group, unique, perm], wanted);
      assert.equal(found.size, file.kind === "file" ? file.size : undefined);
      assert.deepEqual(found.time, { ms: file.modified, precision: "second", zone: "utc" });
    }),
    { numRuns: 1000 },
  );
});

test("each line of a listing is read even when formats change", () => {
  const reader = new ListingReader({ kind: "list", now: NOW });
  const names = SAMPLES.slice(0, 8)
    .map((line) => reader.line(joined(line)))
    .map((found) => (typeof found === "string" ? found : found.name));
  assert.deepEqual(names, ["report.pdf", "name -> x", "name", "name", "a b", "name", "name", "name"]);
});
