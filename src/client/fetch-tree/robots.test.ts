import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Robots } from "./robots.ts";

function allows(text: string, path: string): boolean {
  return Robots.read(text).allows(new URL(`http://host.example${path}`));
}

test("the group for us, else that for everybody", () => {
  const text =
    "User-agent: *\nDisallow: /\n\nUser-Agent: other\nDisallow: /b\n\nuser-agent: x\nUSER-AGENT: Ferryman # us\nDisallow: /a\n";
  assert.equal(allows(text, "/a/1"), false);
  assert.equal(allows(text, "/b"), true);
  assert.equal(allows("User-agent: *\nDisallow: /a\n", "/a"), false);
  assert.equal(allows("User-agent: other\nDisallow: /\n", "/a"), true);
});

test("groups of one name are one; rules before any name belong to nobody", () => {
  const text =
    "Disallow: /\nUser-agent: ferryman\nDisallow: /a\nUser-agent: other\nDisallow: /c\nUser-agent: ferryman\nDisallow: /b\n";
  assert.deepEqual(
    ["/a", "/b", "/c", "/d"].map((path) => allows(text, path)),
    [false, false, true, true],
  );
});

test("the longest rule decides, and the one that allows at a tie (RFC 9309 §2.2.2)", () => {
  const text = "User-agent: *\nDisallow: /a\nAllow: /a/b\nDisallow: /a/b/c\nDisallow: /t\nAllow: /t\nDisallow:\n";
  assert.deepEqual(
    ["/a", "/a/b", "/a/b/c", "/t", "/"].map((path) => allows(text, path)),
    [false, true, false, true, true],
  );
});

test("stars and ends", () => {
  const text = "User-agent: *\nDisallow: /*.gif$\nDisallow: /x*y*z\nDisallow: /end$\nDisallow: /é\n";
  assert.deepEqual(
    ["/a/b.gif", "/a.gifs", "/a.gif?q", "/x1y2z3", "/xz", "/end", "/end1", "/%C3%A9"].map((path) => allows(text, path)),
    [false, true, true, false, true, false, true, false],
  );
});

test("robots.txt itself is allowed, and what there is none of allows all", () => {
  assert.equal(allows("User-agent: *\nDisallow: /\n", "/robots.txt"), true);
  assert.equal(Robots.all.allows(new URL("http://host.example/x")), true);
  assert.equal(Robots.none.allows(new URL("http://host.example/x")), false);
});

test("no file makes it fail or slow", () => {
  fc.assert(fc.property(fc.string(), fc.webPath(), (text, path) => void allows(text, path)));
  const stars = `User-agent: *\nDisallow: /${"*a".repeat(3_000)}b\n`;
  const begun = performance.now();
  allows(`User-agent${" ".repeat(400_000)}x\nDisallow: ${" ".repeat(400_000)}x`, "/");
  allows(stars, `/${"a".repeat(6_000)}`);
  assert.ok(performance.now() - begun < 1_000);
});
