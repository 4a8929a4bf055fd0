/** How names change on their way: case, ntrans, nmap as ftp documents them, and numbers behind names that are taken. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type NameRules, UNIQUE_MOST, freeName, mappedName } from "./name-rules.ts";

const PLAIN: NameRules = { isLowered: false, ntrans: undefined, nmap: undefined };

function come(name: string, rules: Partial<NameRules>): string {
  return mappedName(name, { ...PLAIN, ...rules }, { fromServer: true });
}

test("case lowers names that are all in capitals, of those that come alone", () => {
  assert.equal(come("README.TXT", { isLowered: true }), "readme.txt");
  assert.equal(come("ReadMe", { isLowered: true }), "ReadMe");
  assert.equal(mappedName("README", { ...PLAIN, isLowered: true }, { fromServer: false }), "README");
});

test("ntrans changes characters, or takes them away", () => {
  assert.equal(come("a b:c", { ntrans: { from: " :", to: "_-" } }), "a_b-c");
  assert.equal(come("a b:c", { ntrans: { from: " :", to: "_" } }), "a_bc");
  assert.equal(come("ü.txt", { ntrans: { from: "ü", to: "u" } }), "u.txt");
});

function nmap(name: string, from: string, to: string): string {
  return come(name, { nmap: { from, to } });
}

test("nmap takes names apart and puts them together, as in the manual of ftp", () => {
  assert.equal(nmap("mydata.data", "$1.$2", "$1-new.$2"), "mydata-new.data");
  assert.equal(nmap("a.b.c", "$1.$2.$3", "[$1,$2].[$2,file]"), "a.b");
  assert.equal(nmap("myfile", "$1.$2.$3", "[$1,$2].[$2,file]"), "myfile.file");
  assert.equal(nmap(".file.x", "$1.$2.$3", "[$1,$2].[$2,file]"), "file.file");
  assert.equal(nmap("x", "$1", "$0.bak"), "x.bak");
  assert.equal(nmap("x", "$1", String.raw`\$1`), "$1");
  assert.equal(nmap("img7.jpg", "img$1.jpg", "$1.jpeg"), "7.jpeg");
});

test("any name and any rule make a name, and nothing throws", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (name, from, to) => {
      const rules = { isLowered: true, ntrans: { from, to }, nmap: { from, to } };
      assert.equal(typeof mappedName(name, rules, { fromServer: true }), "string");
    }),
  );
});

test("a name that is taken gets the first number that is free, and there is an end of them", async () => {
  const taken = new Set(["a", "a.1", "b"]);
  const isTaken = async (name: string): Promise<boolean> => taken.has(name);
  assert.equal(await freeName("c", isTaken), "c");
  assert.equal(await freeName("a", isTaken), "a.2");
  let asked = 0;
  assert.equal(await freeName("a", async () => (asked += 1) > 0), undefined);
  assert.equal(asked, UNIQUE_MOST + 1);
});
