import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
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

test("each line of a listing is read even when formats change", () => {
  const reader = new ListingReader({ kind: "list", now: NOW });
  const names = SAMPLES.slice(0, 8)
    .map((line) => reader.line(joined(line)))
    .map((found) => (typeof found === "string" ? found : found.name));
  assert.deepEqual(names, ["report.pdf", "name -> x", "name", "name", "a b", "name", "name", "name"]);
});
