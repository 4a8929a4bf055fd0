import assert from "node:assert/strict";
import { posix } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { targetInside } from "./link-target.ts";

test("targets that stay inside are kept, others are none", () => {
  for (const [target, path, wanted] of [
    ["file", "link", "file"],
    ["./a/b", "link", "./a/b"],
    ["..", "link", undefined],
    ["..", "a/link", ".."],
    ["../x", "a/link", "../x"],
    ["../../x", "a/link", undefined],
    ["b/../x", "a/link", undefined],
    ["/etc/passwd", "link", undefined],
    ["/pub/x", "link", "x"],
    ["/pub/x/y", "a/b/link", "../../x/y"],
    ["/pub", "link", "."],
    ["/pub/../etc", "link", undefined],
    ["/pub//x", "link", "x"],
    ["/public", "link", undefined],
    ["", "link", undefined],
    ["a\0b", "link", undefined],
  ] as const) {
    assert.equal(targetInside(target, path, "/pub"), wanted, `${path} -> ${target}`);
  }
  assert.equal(targetInside("/x", "a/link", "/"), "../x");
});

const part = fc.constantFrom("a", "b", "..", ".", "");

test("no target that is kept leads out", () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), fc.nat(3), fc.boolean(), (parts, depth, isAbsolute) => {
      const path = [...Array.from({ length: depth }, () => "d"), "link"].join("/");
      const target = (isAbsolute ? "/r/" : "") + parts.join("/");
      const kept = targetInside(target, path, "/r");
      if (kept === undefined) return;
      const end = posix.resolve("/r", posix.dirname(path), kept);
      assert.ok(end === "/r" || end.startsWith("/r/"), `${path} -> ${target}: ${end}`);
    }),
  );
});
