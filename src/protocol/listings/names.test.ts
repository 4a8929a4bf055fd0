/** Tests of names alone. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { joined } from "../octets.ts";
import { ListingReader } from "./reader.ts";

test("NLST: names, with their paths or without", () => {
  const reader = new ListingReader({ kind: "nlst", now: 0 });
  const read = (line: string): unknown => {
    const found = reader.line(joined(line));
    return typeof found === "string" ? found : `${found.name}:${found.type}`;
  };
  assert.equal(read("a b.txt\r"), "a b.txt:other");
  assert.equal(read("/pub/sub/a.txt"), "a.txt:other");
  assert.equal(read("sub/"), "sub:directory");
  assert.equal(read("-rw-r--r-- 1 a b 5 Jan 31 12:34 name"), "-rw-r--r-- 1 a b 5 Jan 31 12:34 name:other");
  assert.equal(read(".."), "..:parent");
  assert.equal(read("/"), "unknown");
  assert.equal(read(""), "ignored");
});
