import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOf, bytesOfText } from "../base/bytes.ts";
import { AHEAD_MS, OWNER_CACHE, RECENT_MS } from "./limits.ts";
import { type ListedFile, formatListLine } from "./listing.ts";

const now = Date.UTC(2024, 1, 10);
const file: ListedFile = {
  name: bytesOfText("name"),
  kind: "file",
  size: 1234,
  modified: Date.UTC(2024, 0, 31, 12, 34, 56),
  mode: 0o644,
  owner: "owner",
  group: "group",
  links: 1,
};

function line(change: Partial<ListedFile>): string {
  return formatListLine({ ...file, ...change }, now);
}

function bits(mode: number): string {
  return line({ mode }).slice(1, 10);
}

function date(modified: number): string {
  return line({ modified }).slice(42, 54);
}

test("a line is that of ls -l", () => {
  assert.equal(line({}), "-rw-r--r--   1 owner    group        1234 Jan 31 12:34 name");
  assert.equal(
    line({ kind: "directory", mode: 0o755, links: 1234, owner: "long-owner", size: 0, name: bytesOfText(" a b ") }),
    "drwxr-xr-x 1234 long-owner group           0 Jan 31 12:34  a b ",
  );
  assert.match(line({ kind: "other" }), /^p/);
});

test("a link shows what it points at", () => {
  assert.match(line({ kind: "link", target: bytesOfText("../x y") }), /^l.* name -> \.\.\/x y$/);
  assert.match(line({ kind: "link" }), /^l.* name$/);
  assert.match(line({ target: bytesOfText("x") }), / name$/, "only a link");
});

test("permission bits are written as ls writes them", () => {
  assert.equal(bits(0), "---------");
  assert.equal(bits(0o777), "rwxrwxrwx");
  assert.equal(bits(0o421), "r---w---x");
  assert.equal(bits(0o7777), "rwsrwsrwt");
  assert.equal(bits(0o7000), "--S--S--T");
  assert.equal(bits(0o100644), "rw-r--r--", "the bits of the kind are not looked at");
});

test("the year stands for the hour beyond half a year, and for more than a day ahead", () => {
  assert.equal(date(now - RECENT_MS), "Aug 14 00:00");
  assert.equal(date(now - RECENT_MS - 1), "Aug 13  2023");
  assert.equal(date(now + AHEAD_MS), "Feb 11 00:00");
  assert.equal(date(now + AHEAD_MS + 1), "Feb 11  2024");
  assert.equal(date(Date.UTC(2024, 1, 3, 4, 5)), "Feb  3 04:05");
  assert.equal(date(Number.NaN), "Jan  1  1970");
  assert.equal(date(Number.POSITIVE_INFINITY), "Dec 31  9999");
  assert.equal(date(new Date("0800-12-01").getTime()), "Dec  1   800");
});

test("sizes beyond 2^53 stay exact", () => {
  assert.match(line({ size: 2n ** 63n + 1n }), / 9223372036854775809 Jan /);
});

test("attack 57: an entry is one line whatever its names hold, and other octets stay", () => {
  const name = bytesOf(Buffer.from("a\r\n-rw-r--r-- forged\0\x1b[31m\xff", "latin1"));
  assert.ok(line({ name }).endsWith(" a??-rw-r--r-- forged?\x1b[31m\xff"));
  assert.ok(line({ kind: "link", target: name }).endsWith(" name -> a??-rw-r--r-- forged?\x1b[31m\xff"));
});

test("an owner is one word of UTF-8", () => {
  assert.match(line({ owner: "domain users\n", group: "" }), /1 domain_users_ - {12}1234/);
  assert.match(line({ owner: "\u00e4" }), /1 \xc3\xa4 {7}group/);
});

test("more owners than are remembered are written all the same", () => {
  for (let owner = 0; owner <= OWNER_CACHE; owner++) assert.ok(line({ owner: `${owner}` }).includes(` ${owner} `));
  assert.match(line({ owner: "0" }), /1 0 {8}group/);
});

test("every entry is read back by the pattern that clients use", () => {
  const pattern =
    /^([-dlp])([-rwxsStT]{9}) +(\d+) ([^ ]+) +([^ ]+) +(\d+) ([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d| [ \d]{3}\d) (.+)$/s;
  const names = fc.uint8Array({ minLength: 1 }).map((octets) => bytesOf(Buffer.from(octets)));
  const files = fc.record({
    name: names,
    kind: fc.constantFrom("file" as const, "directory" as const, "other" as const),
    size: fc.bigInt({ min: 0n, max: 2n ** 64n }),
    modified: fc.double(),
    mode: fc.nat(0o7777),
    owner: fc.string({ unit: "binary" }),
    group: fc.string(),
    links: fc.nat(),
  });
  fc.assert(
    fc.property(files, fc.integer(), (each, time) => {
      const written = formatListLine(each, time);
      const found = pattern.exec(written);
      assert.equal(found?.[6], `${each.size}`);
      assert.equal(found[3], `${each.links}`);
      assert.equal(found[10], each.name.replaceAll(/[\0\r\n]/g, "?"));
      assert.doesNotMatch(written, /[\0\r\n\u0100-\uffff]/);
    }),
    { numRuns: 500 },
  );
});
