import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfText } from "../../base/bytes.ts";
import { joined } from "../octets.ts";
import type { ListedEntry } from "./entry.ts";
import { ListingReader } from "./reader.ts";

const NOW = Date.UTC(2024, 5, 15, 12);

/** One line of a listing of its own, without what the line does not tell. */
function read(line: string, now = NOW): unknown {
  const found = new ListingReader({ kind: "list", now }).line(joined(line));
  return typeof found === "string"
    ? found
    : Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

function minute(...date: readonly [number, number, number, number?, number?]): ListedEntry["time"] {
  const [year, month, dayOfMonth, hours = 0, minutes = 0] = date;
  return { ms: Date.UTC(year, month - 1, dayOfMonth, hours, minutes), precision: "minute", zone: "server" };
}

function day(year: number, month: number, date: number): ListedEntry["time"] {
  return { ms: Date.UTC(year, month - 1, date), precision: "day", zone: "server" };
}

function second(time: number): ListedEntry["time"] {
  return { ms: time, precision: "second", zone: "server" };
}

const JAN_31 = minute(2024, 1, 31, 12, 34);

test("ls -l as most servers write it", () => {
  assert.deepEqual(read("-rw-r--r--   1 ann      staff        5120 Jan 31 12:34 report.pdf"), {
    name: "report.pdf",
    type: "file",
    size: 5120,
    time: JAN_31,
    mode: 0o644,
    owner: "ann",
    group: "staff",
  });
  assert.deepEqual(read("drwxr-sr-t    7 0        0            4096 Feb 29  2020 pub"), {
    name: "pub",
    type: "directory",
    time: day(2020, 2, 29),
    mode: 0o3755,
    owner: "0",
    group: "0",
  });
});

test("the columns between the rights and the size may be any, and none", () => {
  const tail = "5120 Jan 31 12:34 a b";
  const base = { name: "a b", type: "file", size: 5120, time: JAN_31, mode: 0o644 };
  const cases: readonly (readonly [string, object])[] = [
    [`-rw-r--r-- 1 ann staff ${tail}`, { owner: "ann", group: "staff" }],
    [`-rw-r--r-- 1 ann ${tail}`, { owner: "ann" }],
    [`-rw-r--r-- ann staff ${tail}`, { owner: "ann", group: "staff" }],
    [`-rw-r--r-- ann ${tail}`, { owner: "ann" }],
    [`-rw-r--r-- 1 500 501 ${tail}`, { owner: "500", group: "501" }],
    [`-rw-r--r-- ${tail}`, {}],
    [`-rw-r--r--+ 1 ann staff ${tail}`, { owner: "ann", group: "staff" }],
    [`-rw-r--r--. 1 ann staff ${tail}`, { owner: "ann", group: "staff" }],
    [`-rw-r--r--@1234 ann staff ${tail}`, { owner: "ann", group: "staff" }],
    [`-rw-r--r--   1 WEST\\ann domain users   ${tail}`, { owner: "WEST\\ann domain users" }],
    [`-rw-r--r--   1 ann  domain users  ${tail}`, { owner: "ann", group: "domain users" }],
    [`-rw-r--r--   1 ann smith   domain users ${tail}`, { owner: "ann smith", group: "domain users" }],
    [`-rw-r--r--   1 ann  domain  users ${tail}`, { owner: "ann  domain  users" }],
    [`1234 -rw-r--r-- 1 ann staff ${tail}`, { owner: "ann", group: "staff" }],
    [`1234   8 -rw-r--r-- 1 ann staff ${tail}`, { owner: "ann", group: "staff" }],
  ];
  for (const [line, owners] of cases) assert.deepEqual(read(line), { ...base, ...owners }, line);
});

test("dates in every order and language", () => {
  const cases: readonly (readonly [string, ListedEntry["time"]])[] = [
    ["Jan 31 12:34", JAN_31],
    ["jan 31 12.34", JAN_31],
    ["Jan 31  2023", day(2023, 1, 31)],
    ["Jan  1 00:00", minute(2024, 1, 1)],
    ["31 Jan 12:34", JAN_31],
    ["31. Jan 2023", day(2023, 1, 31)],
    ["Jan 31 12:34:56 2023", second(Date.UTC(2023, 0, 31, 12, 34, 56))],
    ["Wed Jan 31 12:34:56 2024", second(Date.UTC(2024, 0, 31, 12, 34, 56))],
    ["Jan 31, 2024 12:34", JAN_31],
    ["2024-01-31 12:34", JAN_31],
    ["2024-01-31", day(2024, 1, 31)],
    ["2024-01-31 ", day(2024, 1, 31)],
    ["01-31 12:34", JAN_31],
    ["2024/01/31 12:34", JAN_31],
    ["31.01.2024 12:34", JAN_31],
    ["2024-01-31 12:34:56.123456789 +0130", { ms: Date.UTC(2024, 0, 31, 11, 4, 56), precision: "second", zone: "utc" }],
    ["2024-01-31 12:34:56 -0500", { ms: Date.UTC(2024, 0, 31, 17, 34, 56), precision: "second", zone: "utc" }],
    ["janv. 31 12:34", JAN_31],
    ["31 Jän. 2023", day(2023, 1, 31)],
    ["Mär 3 2023", day(2023, 3, 3)],
    ["3 kvě 2023", day(2023, 5, 3)],
    ["3 мая 2023", day(2023, 5, 3)],
    ["Şub 3 2023", day(2023, 2, 3)],
    ["déc. 3 2023", day(2023, 12, 3)],
    ["1月 31 12:34", JAN_31],
    ["12月 3日 2023年", day(2023, 12, 3)],
    ["2월 3 2023", day(2023, 2, 3)],
    ["1 31 12:34", JAN_31],
    ["01-31 2023", day(2023, 1, 31)],
    ["2023年 6月7日", day(2023, 6, 7)],
    ["2023   3月 20", day(2023, 3, 20)],
    ["2023年 3月 20日", day(2023, 3, 20)],
  ];
  for (const [date, time] of cases) {
    const line = `-rw-r--r-- 1 ann staff 5120 ${bytesOfText(date)} name`;
    const size = { size: 5120, owner: "ann", group: "staff" };
    assert.deepEqual(read(line), { name: "name", type: "file", time, mode: 0o644, ...size }, date);
  }
});

test("months in sets that are older than UTF-8", () => {
  const octets = [
    "d\xe9c.",
    "\xc4\xc5\xcb",
    "\xe4\xe5\xea",
    "\xa4\xa5\xaa",
    "12\xd4\xc2",
    "12\x8c\x8e",
    "12\xa4\xeb",
    "12\xbf\xf9",
  ];
  for (const month of octets) {
    const found = new ListingReader({ kind: "list", now: NOW }).line(joined(`-rw-r--r-- 1 a b 5 ${month} 3 2023 name`));
    assert.ok(typeof found !== "string" && found.time?.ms === Date.UTC(2023, 11, 3), month);
  }
});

function timeOf(date: string, now: number): unknown {
  const found = new ListingReader({ kind: "list", now }).line(joined(`-rw-r--r-- 1 a b 5 ${date} name`));
  return typeof found === "string" ? found : found.time;
}

test("a date without a year is the latest that lies no more than a day ahead", () => {
  assert.deepEqual(timeOf("Jun 16 11:59", NOW), minute(2024, 6, 16, 11, 59));
  assert.deepEqual(timeOf("Jun 16 12:00", NOW), minute(2024, 6, 16, 12));
  assert.deepEqual(timeOf("Jun 16 12:01", NOW), minute(2023, 6, 16, 12, 1));
  assert.deepEqual(timeOf("Jan  1 03:00", Date.UTC(2023, 11, 31, 12)), minute(2024, 1, 1, 3));
  assert.deepEqual(timeOf("Dec 31 03:00", Date.UTC(2024, 0, 1)), minute(2023, 12, 31, 3));
  assert.deepEqual(timeOf("Feb 29 03:00", Date.UTC(2027, 5, 1)), minute(2024, 2, 29, 3));
  // The name and the size are clear even where the date is none.
  assert.equal(timeOf("Feb 30 03:00", NOW), undefined);
  assert.equal(timeOf("Feb 29 2023", NOW), undefined);
  assert.equal(timeOf("Jan 32 03:00", NOW), "unknown");
  assert.equal(timeOf("Jan 0 2023", NOW), "unknown");
  assert.equal(timeOf("Jan 31 24:00", NOW), "unknown");
  assert.equal(timeOf("Jan 31 12:60", NOW), "unknown");
});

test("a number is no date because a date could be read into it", () => {
  const sizes: readonly (readonly [string, number])[] = [
    ["-rw-r--r-- 1 0 5 2003 Mar 20 12:34 name", 2003],
    [`-rw-r--r-- 1 0 5 2003 ${bytesOfText("3月")} 20 12:34 name`, 2003],
    [`-rw-r--r-- 1 0 5 2003 ${bytesOfText("3月")} 20 2019 name`, 2003],
    ["-rw-r--r-- 1 5 7 12 Jan 31 12:34 name", 12],
  ];
  for (const [line, size] of sizes) {
    const found = new ListingReader({ kind: "list", now: NOW }).line(joined(line));
    assert.equal(typeof found === "string" ? found : found.size, size, line);
  }
  for (const date of [
    "13 13 12:34",
    "2023 3 20",
    `2023 ${bytesOfText("13月")} 20`,
    `2023 ${bytesOfText("3月")} x`,
    "01-31 x",
    "01-31 20233",
  ]) {
    assert.equal(timeOf(date, NOW), "unknown", date);
  }
  assert.equal(timeOf(bytesOfText("2023年 6月31日"), NOW), "unknown");
});

test("what is not what will be sent is no size: both forks of a file of the Macintosh", () => {
  const found = (line: string): unknown => read(line);
  const entry = { name: "name", type: "file", time: JAN_31, mode: 0o4 };
  assert.deepEqual(found("-------r--  326  1391972  1392298 Jan 31 12:34 name"), { ...entry, roughSize: 1_392_298 });
  const linked = { owner: "1000", size: 1001 };
  assert.deepEqual(found("-------r--  1  1000  1001 Jan 31 12:34 name"), { ...entry, ...linked });
});

function nameOf(rest: string): unknown {
  const found = new ListingReader({ kind: "list", now: NOW }).line(joined(`-rw-r--r-- 1 a b ${rest}`));
  return typeof found === "string" ? found : found.name;
}

test("a name keeps its spaces, and what looks like a date in it is its own", () => {
  assert.equal(nameOf("5 Jan 31 12:34  two  spaces  "), " two  spaces  ");
  assert.equal(nameOf("5 Jan 31 12:34 9 Feb 12 2020 x"), "9 Feb 12 2020 x");
  assert.equal(nameOf("5 Jan 31 2020 12:34"), "12:34");
  assert.equal(nameOf("5 Jan 31 12:34 x -> y"), "x -> y", "an arrow in the name of a file");
  assert.equal(nameOf("5 Jan 31 12:34:56 2024"), "2024", "a name that is a number");
  assert.equal(nameOf("5 Jan 31 12:34"), "unknown");
  assert.equal(nameOf("5 Jan 31 12:34 "), "unknown");
  assert.equal(nameOf("5 Jan 31 12:34 \xe9\x01"), "\xe9\x01");
});

test("links, devices and folders of all sorts", () => {
  const tail = "Jan 31 12:34 name";
  const time = JAN_31;
  const cases: readonly (readonly [string, object])[] = [
    [
      `lrwxrwxrwx 1 a b 7 ${tail} -> usr/bin`,
      { type: "link", time, mode: 0o777, owner: "a", group: "b", target: "usr/bin" },
    ],
    [
      `lrwxrwxrwx 1 a b 8 ${tail} -> x -> y z`,
      { type: "link", time, mode: 0o777, owner: "a", group: "b", target: "x -> y z" },
    ],
    [`lrwxrwxrwx 1 a b 0 ${tail} -> x`, { type: "link", time, mode: 0o777, owner: "a", group: "b", target: "x" }],
    [`lrwxrwxrwx 1 a b 4.0K ${tail} -> x`, { type: "link", time, mode: 0o777, owner: "a", group: "b", target: "x" }],
    [`lrwxrwxrwx 1 a b 7 ${tail}`, { type: "link", time, mode: 0o777, owner: "a", group: "b" }],
    [`brw-rw---- 1 a b 8, 16 ${tail}`, { type: "other", time, mode: 0o660, owner: "a", group: "b" }],
    [`crw--w---- 1 a b 4,64 ${tail}`, { type: "other", time, mode: 0o620, owner: "a", group: "b" }],
    [`prw-r--r-- 1 a b 0 ${tail}`, { type: "other", time, mode: 0o644, owner: "a", group: "b" }],
    [
      `-rwSr-sr-T 1 a b 1.5M ${tail}`,
      { type: "file", roughSize: 1_572_864, time, mode: 0o7654, owner: "a", group: "b" },
    ],
    [`-rw-r--r-- 1 a b 33,5k ${tail}`, { type: "file", roughSize: 34_304, time, mode: 0o644, owner: "a", group: "b" }],
    [`-rw-r--r-- 1 a b 4K ${tail}`, { type: "file", roughSize: 4096, time, mode: 0o644, owner: "a", group: "b" }],
    [`-rw-r--r-- 1 a b 4.5 ${tail}`, { type: "file", time, mode: 0o644, owner: "a", group: "b" }],
    [`-rw-r--r-- 1 a b 9999999P ${tail}`, { type: "file", time, mode: 0o644, owner: "a", group: "b" }],
    [`drwxr-xr-x 1 a b 0 ${tail}/`, { type: "directory", time, mode: 0o755, owner: "a", group: "b" }],
    [`-rw-r--r-- 1 a b 9007199254740993 ${tail}`, { type: "file", time, mode: 0o644, owner: "a", group: "b" }],
    [`drwxr-xr-x ann staff ${tail}`, { type: "directory", time, mode: 0o755, owner: "ann", group: "staff" }],
  ];
  for (const [line, wanted] of cases) assert.deepEqual(read(line), { name: "name", ...wanted }, line);
  // The length of a link is that of its target, so its name may hold an arrow too.
  assert.deepEqual(read(`lrwxrwxrwx 1 a b 1 ${tail} -> x -> y`), {
    name: "name -> x",
    type: "link",
    time,
    mode: 0o777,
    owner: "a",
    group: "b",
    target: "y",
  });
  for (const [name, type] of [
    [".", "this"],
    ["..", "parent"],
    ["./", "this"],
  ]) {
    const found = new ListingReader({ kind: "list", now: NOW }).line(
      joined(`drwxr-xr-x 2 a b 4096 Jan 31 12:34 ${name}`),
    );
    assert.equal(typeof found === "string" ? found : found.type, type);
  }
});

test("what stands above the entries is passed over", () => {
  const lines = ["total 12", "total 4.0K", "insgesamt 12", "total of 12 files", "\u7dcf\u8a08 12", "", "\r", "   "];
  for (const line of lines) assert.equal(read(bytesOfText(line)), "ignored", line);
  for (const line of ["ls: cannot open folder", "total", "totally 12", "12 total"])
    assert.equal(read(line), "unknown", line);
});

test("servers that only look like Unix", () => {
  const time = JAN_31;
  const cases: readonly (readonly [string, object])[] = [
    ["d [RWCEAFMS] ann           512 Jan 31 12:34       name", { type: "directory", time, owner: "ann" }],
    ["- [R----F--] ann           512 Jan 31 12:34       name", { type: "file", size: 512, time, owner: "ann" }],
    ["-[R----F-]  1 ann          512 Jan 31 12:34 name", { type: "file", size: 512, time, owner: "ann" }],
    ["drwxrwxr-x               folder        2 Jan 31 12:34 name", { type: "directory", time, mode: 0o775 }],
    [
      "-------r--         0     1392298  1392298 Jan 31 12:34 name",
      { type: "file", size: 1392298, time, mode: 4, owner: "1392298" },
    ],
    [
      "----------   1 owner    group         1803128 Jan 31 12:34 name",
      { type: "file", size: 1803128, time, mode: 0, owner: "owner", group: "group" },
    ],
    [
      "-C--E-----FTP B QU1I1      18128       41 Jan 31 12:34 name",
      { type: "file", size: 41, time, owner: "B QU1I1", group: "18128" },
    ],
    [
      "-rwxr-xr-x    1 user group        9 Jan 31, 2024 12:34 name",
      { type: "file", size: 9, time, mode: 0o755, owner: "user", group: "group" },
    ],
    [
      "0100644   500  101   12345    1706704440       name",
      {
        type: "file",
        size: 12345,
        time: { ms: 1_706_704_440_000, precision: "second", zone: "utc" },
        mode: 0o644,
        owner: "500",
        group: "101",
      },
    ],
    [
      "040755 500 101 0 1706704440 name",
      {
        type: "directory",
        time: { ms: 1_706_704_440_000, precision: "second", zone: "utc" },
        mode: 0o755,
        owner: "500",
        group: "101",
      },
    ],
  ];
  for (const [line, wanted] of cases) assert.deepEqual(read(line), { name: "name", ...wanted }, line);
  const broken = [
    "d [RWCEAFMS] ann 512 name",
    "d ann 512 Jan 31 12:34 name",
    "0100644 500 x 12345 1706704440 name",
    "0100644 500 101 12345 17 name",
    "0100644 500 101 12345",
    "060644 500 101 0 1706704440 name",
    "0999999 500 101 0 1706704440 name",
    "-rw-r--r-- 1 ann staff 5120 name",
    "-rw-r--r-- 1 ann staff 5120 01-31 name",
    "-rw-r--r-- 1 ann staff 5120 2024-01-31",
    "-rw-r--r-- 1 ann staff 5120 2024-02-30 name",
    "-rw-r--r-- 1 ann staff 5120 31.01.2024 name",
    `-rw-r--r-- 1 ann staff 5120 31 ${"J".repeat(25)} 2024 name`,
    "-rw-r--r--",
  ];
  const types = broken.map((line) => read(line)).map((found) => (typeof found === "string" ? found : "entry"));
  assert.deepEqual(types, [
    "unknown",
    "unknown",
    "unknown",
    "unknown",
    "unknown",
    "entry",
    "unknown",
    "unknown",
    "unknown",
    "unknown",
    "unknown",
    "unknown",
    "unknown",
    "unknown",
  ]);
});
