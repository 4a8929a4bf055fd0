import assert from "node:assert/strict";
import { test } from "node:test";
import { joined } from "../octets.ts";
import { ListingReader } from "./reader.ts";

const NOW = Date.UTC(2024, 5, 15, 12);

function read(line: string, kind: "mlsd" | "list" = "mlsd"): unknown {
  const found = new ListingReader({ kind, now: NOW }).line(joined(line));
  return typeof found === "string"
    ? found
    : Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

const time = { ms: Date.UTC(2024, 0, 31, 12, 34, 56), precision: "second", zone: "utc" };

test("facts of a file, whatever the case of their names (RFC 3659 §7.5)", () => {
  const facts =
    "Type=file;Size=5120;Modify=20240131123456;Perm=adfrw;Unique=fd01g2;UNIX.mode=0100644;UNIX.owner=ann;UNIX.group=staff;";
  assert.deepEqual(read(`${facts}  a b `), {
    name: " a b ",
    type: "file",
    size: 5120,
    time,
    mode: 0o644,
    owner: "ann",
    group: "staff",
    unique: "fd01g2",
    perm: "adfrw",
  });
  const other = "type=file;unix.uid=0;unix.gid=1;unix.mode=9;size=99999999999999999;modify=yesterday;";
  assert.deepEqual(read(`${other} name`), { name: "name", type: "file", owner: "0", group: "1" });
  const names = "type=file;unix.ownername=ann;unix.owner=0;unix.groupname=staff;unix.group=1";
  assert.deepEqual(read(`${names} name`), { name: "name", type: "file", owner: "ann", group: "staff" });
});

test("the folder itself, its parent and links", () => {
  const cases: readonly (readonly [string, object])[] = [
    ["type=dir;size=4096; name", { name: "name", type: "directory" }],
    ["type=cdir; /pub", { name: "/pub", type: "this" }],
    ["type=pdir; ..", { name: "..", type: "parent" }],
    ["type=PDIR; /", { name: "/", type: "parent" }],
    ["type=dir; .", { name: ".", type: "this" }],
    ["type=OS.unix=slink:../to; name", { name: "name", type: "link", target: "../to" }],
    ["type=OS.unix=symlink; name", { name: "name", type: "link" }],
    ["type=OS.unix=special; name", { name: "name", type: "other" }],
  ];
  for (const [line, wanted] of cases) assert.deepEqual(read(line), wanted, line);
});

test("without a type the mode tells, or the rights", () => {
  assert.deepEqual(read(" name"), { name: "name", type: "file" });
  // As pyftpdlib writes it.
  assert.deepEqual(read("type=file;unix.mode=0o640; name"), { name: "name", type: "file", mode: 0o640 });
  assert.deepEqual(read("unix.mode=040755; name"), { name: "name", type: "directory", mode: 0o755 });
  assert.deepEqual(read("perm=el; name"), { name: "name", type: "directory", perm: "el" });
  assert.deepEqual(read("perm=adfrwMT; name"), { name: "name", type: "file", perm: "adfrwMT" });
});

test("what is no line of MLSD is unknown, and no other format is tried", () => {
  const lines = ["name", "type=file;name", "file; name", "=x; name", "type=file; "];
  for (const line of [...lines, "-rw-r--r-- 1 a b 5 Jan 31 12:34 name"]) assert.equal(read(line), "unknown", line);
  assert.equal(read(""), "ignored");
});

test("facts in answer to LIST are read where there is a type", () => {
  assert.deepEqual(read("size=5;type=file;modify=20240131123456; name\r\r", "list"), {
    name: "name",
    type: "file",
    size: 5,
    time,
  });
  assert.equal(read("size=5; name", "list"), "unknown");
  assert.equal(read("what type=file", "list"), "unknown");
});
