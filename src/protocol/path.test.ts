import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOf, bytesOfText } from "../base/bytes.ts";
import { ROOT, baseName, childPath, parentPath, pathParts, resolvePath, virtualPath, relativePath } from "./path.ts";

const here = virtualPath("/a/b");

function resolve(argument: string): string {
  return resolvePath(here, bytesOfText(argument));
}

test("an argument is taken from the working directory or from the root", () => {
  assert.equal(resolve("c"), "/a/b/c");
  assert.equal(resolve("/c"), "/c");
  assert.equal(resolve(""), "/a/b");
  assert.equal(resolve("./c/../d//e/."), "/a/b/d/e");
  assert.equal(resolve("/"), "/");
  assert.equal(resolvePath(ROOT, bytesOfText("c")), "/c");
});

test("`..` never leaves the root (RFC 3659 §6.2)", () => {
  assert.equal(resolve(".."), "/a");
  assert.equal(resolve("../../../.."), "/");
  assert.equal(resolve("/../etc"), "/etc");
});

test("attack 21, 23: octets that look like separators or dots elsewhere are plain", () => {
  for (const name of ["..\\x", "...", ".. ", " ..", "..;", "a\0", "\u2215", "C:"]) {
    assert.equal(resolvePath(ROOT, bytesOfText(name)), bytesOfText(`/${name}`));
  }
  assert.equal(resolvePath(ROOT, bytesOf(Buffer.from([0xc0, 0xae, 0xc0, 0xae]))), "/\xc0\xae\xc0\xae");
});

test("a path's parts, its parent and its last part", () => {
  assert.deepEqual(pathParts(here), ["a", "b"]);
  assert.deepEqual(pathParts(ROOT), []);
  assert.equal(parentPath(here), "/a");
  assert.equal(parentPath(virtualPath("/a")), "/");
  assert.equal(parentPath(ROOT), "/");
  assert.equal(baseName(here), "b");
  assert.equal(baseName(ROOT), "");
  assert.equal(childPath(here, bytesOfText("c d")), "/a/b/c d");
  assert.equal(childPath(ROOT, bytesOfText("c")), "/c");
  assert.equal(virtualPath("/\u00e4"), "/\xc3\xa4");
});

const argument = fc
  .array(
    fc.oneof(
      fc.constantFrom("/", "..", ".", "a", "\\", "\0"),
      fc.uint8Array({ maxLength: 3 }).map((octets) => Buffer.from(octets).toString("latin1")),
    ),
  )
  .map((parts) => bytesOf(Buffer.from(parts.join(""), "latin1")));

test("attack 21: whatever is asked for, the result is clean and resolves to itself", () => {
  fc.assert(
    fc.property(argument, argument, (first, second) => {
      const path = resolvePath(resolvePath(ROOT, first), second);
      assert.match(path, /^\/(?!.*\/\/)(?:.*[^/])?$/s);
      for (const part of pathParts(path)) assert.ok(part !== "" && part !== "." && part !== "..");
      assert.equal(resolvePath(ROOT, path), path);
      assert.equal(resolvePath(here, path), path);
    }),
    { numRuns: 1000 },
  );
});

test("a path is its parent with its last part, and the join of its parts", () => {
  fc.assert(
    fc.property(argument, (text) => {
      const path = resolvePath(ROOT, text);
      assert.equal(`/${pathParts(path).join("/")}`, path);
      if (path !== ROOT) assert.equal(childPath(parentPath(path), baseName(path)), path);
    }),
  );
});

test("the way from a folder to a path is relative, and leads there again", () => {
  assert.equal(relativePath(ROOT, virtualPath("/a/b")), "a/b");
  assert.equal(relativePath(virtualPath("/a/b"), virtualPath("/a/c")), "../c");
  assert.equal(relativePath(virtualPath("/a"), virtualPath("/a")), ".");
  fc.assert(
    fc.property(argument, argument, (first, second) => {
      const [from, to] = [resolvePath(ROOT, first), resolvePath(ROOT, second)];
      const way = relativePath(from, to);
      assert.ok(!way.startsWith("/"));
      assert.equal(resolvePath(from, way), to);
    }),
  );
});
