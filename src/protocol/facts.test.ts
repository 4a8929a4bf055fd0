import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOf, bytesOfText } from "../base/bytes.ts";
import {
  FACTS,
  type FactName,
  type FactSource,
  factsWriter,
  formatFactNames,
  formatFacts,
  formatMlstFeature,
  formatTimeVal,
  parseFactNames,
  parseFactsLine,
  parseTimeVal,
} from "./facts.ts";

const ALL: ReadonlySet<FactName> = new Set(FACTS);
const moment = Date.UTC(2024, 0, 31, 12, 34, 56, 78);
const entry: FactSource = {
  kind: "file",
  size: 5,
  modified: moment,
  mode: 0o644,
  owner: "ann",
  group: "staff",
  unique: "fd01g2",
  perm: "adfrw",
};

test("a time-val is in UTC, its fraction only when asked for (RFC 3659 §2.3)", () => {
  assert.equal(formatTimeVal(moment), "20240131123456");
  assert.equal(formatTimeVal(moment, { fraction: true }), "20240131123456.078");
  assert.equal(formatTimeVal(moment, {}), "20240131123456");
  assert.equal(formatTimeVal(Number.NEGATIVE_INFINITY), "00010101000000");
});

test("a time-val is read with any fraction", () => {
  assert.equal(parseTimeVal("20240131123456"), moment - 78);
  assert.equal(parseTimeVal("20240131123456.078"), moment);
  assert.equal(parseTimeVal("20240131123456.0789999"), moment);
  assert.equal(parseTimeVal("20240131123456.5"), moment - 78 + 500);
  assert.equal(parseTimeVal("00500101000000"), new Date("0050-01-01T00:00:00Z").getTime());
  assert.equal(parseTimeVal("20240229000000"), Date.UTC(2024, 1, 29));
  assert.equal(parseTimeVal("20161231235960"), Date.UTC(2017, 0, 1), "a leap second");
});

test("what is no date is no time-val", () => {
  const calendar = [
    "20230229000000",
    "20240431000000",
    "20240001000000",
    "20241301000000",
    "20240100000000",
    "00000101000000",
  ];
  const clock = ["20240101240000", "20240101006000", "20240101000061"];
  const forms = [
    "",
    "2024013112345",
    "202401311234567",
    "20240131123456.",
    " 20240131123456",
    "20240131123456Z",
    "2024-01-31",
    "19100131123456.x",
  ];
  for (const text of [...calendar, ...clock, ...forms]) assert.equal(parseTimeVal(text), undefined, text);
});

test("every time comes back from its time-val, to the millisecond with a fraction", () => {
  const within = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
  fc.assert(
    fc.property(within, (ms) => {
      assert.equal(parseTimeVal(formatTimeVal(ms, { fraction: true })), ms);
      assert.equal(parseTimeVal(formatTimeVal(ms)), Math.floor(ms / 1000) * 1000);
    }),
    { numRuns: 500 },
  );
});

test("no text makes a parser throw", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.stringMatching(/^[0-9]{14}(?:\.[0-9]{0,4})?$/), (octets, digits) => {
      const text = bytesOf(Buffer.from(octets));
      const ms = parseTimeVal(digits);
      assert.ok(ms === undefined || Number.isSafeInteger(ms));
      parseTimeVal(text);
      parseFactsLine(text);
      parseFactNames(text);
    }),
  );
});

test("the facts of an entry stand in the order of the table, and only the chosen ones", () => {
  assert.equal(
    formatFacts(entry, ALL),
    "type=file;size=5;modify=20240131123456;perm=adfrw;unique=fd01g2;UNIX.mode=0644;UNIX.owner=ann;UNIX.group=staff;",
  );
  assert.equal(formatFacts(entry, new Set<FactName>(["perm", "type"])), "type=file;perm=adfrw;");
  assert.equal(formatFacts(entry, new Set()), "");
});

test("each kind has its type, and files alone a size (RFC 3659 §7.5)", () => {
  const chosen = new Set<FactName>(["type", "size"]);
  const shown = (["file", "directory", "cdir", "pdir", "link", "other"] as const).map((kind) =>
    formatFacts({ ...entry, kind }, chosen),
  );
  assert.deepEqual(shown, [
    "type=file;size=5;",
    "type=dir;",
    "type=cdir;",
    "type=pdir;",
    "type=OS.unix=symlink;",
    "type=OS.unix=special;",
  ]);
  assert.equal(formatFacts({ ...entry, size: 2n ** 64n }, new Set<FactName>(["size"])), "size=18446744073709551616;");
});

test("a fact that the caller does not give is left out; an empty one is told", () => {
  const { perm: _perm, ...rest } = entry;
  assert.equal(formatFacts(rest, new Set<FactName>(["perm"])), "");
  assert.equal(formatFacts({ ...entry, perm: "" }, new Set<FactName>(["perm"])), "perm=;");
});

test("no owner can end its fact or its line", () => {
  const chosen = new Set<FactName>(["UNIX.owner", "UNIX.group"]);
  const shown = formatFacts({ ...entry, owner: "a b;c\r\n\0\x7f", group: "\u00e4" }, chosen);
  assert.equal(shown, "UNIX.owner=a_b_c____;UNIX.group=\xc3\xa4;");
});

test("one writer for a whole folder: each entry has its own facts, whatever the one before it had", () => {
  const write = factsWriter(ALL);
  const entries: readonly FactSource[] = [
    entry,
    entry,
    { ...entry, mode: 0o600 },
    { ...entry, owner: "bob" },
    { ...entry, owner: "bob", group: "users" },
    { ...entry, kind: "directory", group: "users" },
  ];
  for (const each of entries) assert.equal(write(each), factsWriter(ALL)(each));
  assert.match(write({ ...entry, owner: "bob" }), /owner=bob/i);
});

test("facts are read as any server writes them", () => {
  const parsed = parseFactsLine(bytesOfText("Type=OS.unix=slink:/x;Size=5;perm=;  a name; b"));
  assert.deepEqual(
    [...(parsed?.facts ?? [])],
    [
      ["type", "OS.unix=slink:/x"],
      ["size", "5"],
      ["perm", ""],
    ],
  );
  assert.equal(parsed?.name, " a name; b");
  assert.equal(parseFactsLine(bytesOfText("type=dir name"))?.facts.get("type"), "dir", "without the last semicolon");
  assert.equal(parseFactsLine(bytesOfText(" name"))?.facts.size, 0, "no facts at all");
  for (const line of ["", "name", "type=file;", "type=file; ", "file; name", "=x; name", "type=file;; name", " "]) {
    assert.equal(parseFactsLine(bytesOfText(line)), undefined, JSON.stringify(line));
  }
});

test("every entry's line is read back as it was told", () => {
  const names = fc.uint8Array({ minLength: 1 }).map((octets) => bytesOf(Buffer.from(octets)));
  const some = fc.subarray([...FACTS]).map((chosen) => new Set(chosen));
  fc.assert(
    fc.property(
      names,
      some,
      fc.string({ unit: "binary" }),
      fc.bigInt({ min: 0n, max: 2n ** 64n }),
      (name, chosen, owner, size) => {
        const line = `${formatFacts({ ...entry, size, owner, group: owner, unique: owner }, chosen)} ${name}`;
        const parsed = parseFactsLine(bytesOf(Buffer.from(line, "latin1")));
        assert.equal(parsed?.name, name);
        assert.deepEqual(
          [...(parsed?.facts.keys() ?? [])],
          FACTS.filter((each) => chosen.has(each)).map((each) => each.toLowerCase()),
        );
        if (chosen.has("size")) assert.equal(parsed?.facts.get("size"), `${size}`);
      },
    ),
  );
});

test("FEAT stars what is sent, OPTS MLST answers with it (RFC 3659 §7.8, §7.9)", () => {
  const chosen = new Set<FactName>(["size", "type"]);
  assert.equal(formatMlstFeature(chosen), "MLST type*;size*;modify;perm;unique;UNIX.mode;UNIX.owner;UNIX.group;");
  assert.equal(formatFactNames(chosen), "type;size;");
  assert.equal(formatFactNames(new Set()), "");
});

test("OPTS MLST names facts in any case; unknown ones are passed over", () => {
  assert.deepEqual(parseFactNames("SIZE;type;x.y;unix.MODE;"), new Set(["type", "size", "UNIX.mode"]));
  assert.deepEqual(parseFactNames("type"), new Set(["type"]));
  assert.deepEqual(parseFactNames(""), new Set());
  for (const text of ["type; size;", "type=1;", "\xe4;", "a\tb;"]) assert.equal(parseFactNames(text), undefined, text);
  fc.assert(
    fc.property(fc.subarray([...FACTS]), (names) => {
      assert.deepEqual(parseFactNames(formatFactNames(new Set(names))), new Set(names));
    }),
  );
});
