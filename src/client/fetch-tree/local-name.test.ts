import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { unsafeName } from "../../protocol/listings/unsafe-name.ts";
import { bytesOfText } from "../../base/bytes.ts";
import { NAME_OCTETS } from "./limits.ts";
import { asPage, isLinkInside, localName, pathOfPlace, placeOfUrl } from "./local-name.ts";

const TERMS = { hostFolder: true, cutFolders: 0, windows: false };

function pathOf(url: string, more: Partial<typeof TERMS> = {}): string {
  return pathOfPlace(placeOfUrl(new URL(url), { ...TERMS, ...more }));
}

test("attack 64: whatever a name is, it stays a name", () => {
  for (const windows of [false, true]) {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.string({ unit: fc.constantFrom("/", ".", "\\", "\0", "%", " ", ":") }),
        ),
        (name) => {
          const local = localName(name, windows);
          assert.equal(unsafeName(bytesOfText(local), { windows }), undefined, JSON.stringify(local));
          assert.ok(Buffer.byteLength(local) <= NAME_OCTETS);
        },
      ),
    );
  }
  assert.deepEqual(
    ["", ".", "..", "a/b", "a\0b", "a\rb", "caf\u00e9", "\udce9", "..."].map((name) => localName(name, false)),
    ["%", "%2E", "%2E%2E", "a%2Fb", "a%00b", "a%0Db", "caf\u00e9", "%E9", "..."],
  );
  assert.deepEqual(
    ["con", "a:b", "end.", "x ", "LPT1.txt"].map((name) => localName(name, true)),
    ["%con", "a%3Ab", "end%2E", "x%20", "%LPT1.txt"],
  );
});

test("names that are too long stay apart, and keep their end", () => {
  const [one, other] = [localName(`${"\u00e9".repeat(300)}1.tar`), localName(`${"\u00e9".repeat(300)}2.tar`)];
  assert.notEqual(one, other);
  assert.match(one, /~[\da-f]{16}\.tar$/);
});

test("URLs become places", () => {
  assert.equal(pathOf("http://host.example/a/b/c.txt"), "host.example/a/b/c.txt");
  assert.equal(pathOf("http://host.example:8080/"), "host.example:8080/index.html");
  assert.equal(pathOf("http://host.example:8080/", { windows: true }), "host.example%3A8080/index.html");
  assert.equal(pathOf("http://host.example/a%20b/%C3%A9?x=/../y"), "host.example/a b/\u00e9?x=%2F..%2Fy");
  assert.equal(pathOf("http://host.example//a//b/"), "host.example/a/b/index.html");
  assert.equal(pathOf("http://host.example/a/b/c", { hostFolder: false, cutFolders: 1 }), "b/c");
  assert.equal(pathOf("http://host.example/a/c", { hostFolder: false, cutFolders: 9 }), "c");
});

test("attack 64: no URL leads out of the folder", () => {
  assert.equal(pathOf("http://host.example/%2e%2e/%2e%2e/etc/passwd"), "host.example/etc/passwd");
  assert.equal(pathOf("http://host.example/a/..%2f..%2fb"), "host.example/a/..%2F..%2Fb");
  assert.equal(pathOf("http://host.example/a%00b/%0d%0a"), "host.example/a%00b/%0D%0A");
  assert.equal(pathOf("http://host.example/%ff%fe"), "host.example/%ff%fe");
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true }), (url) => {
      for (const part of pathOf(url).split("/")) assert.equal(unsafeName(bytesOfText(part)), undefined);
    }),
  );
});

test("pages have a name that lets a folder lie beside them", () => {
  assert.deepEqual(
    ["docs", "index.html", "a.HTM", "x.php?id=1", "view.cgi"].map((name) => asPage({ folders: [], name }).name),
    ["docs.html", "index.html", "a.HTM", "x.php?id=1.html", "view.cgi.html"],
  );
});

test("attack 64: links are made where they stay inside, whatever other links there are", () => {
  assert.deepEqual(
    ["a", "./a/b", "../a", "..", "../../a"].map((target) => isLinkInside(target, 1)),
    [true, true, true, true, false],
  );
  for (const target of ["", "/etc", "a/../..", "s/..", "../s/../x", "C:\\x", "a\0b", "..\\x"]) {
    assert.equal(isLinkInside(target, 5), false, target);
  }
});
