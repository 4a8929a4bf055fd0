/** The folders that workers are given. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rootsOf } from "./served-roots.ts";

const home = (folder: string, writes = false): { folder: string; writes: boolean } => ({ folder, writes });

test("each folder once, with the most that anybody may; those below another are part of it", () => {
  assert.deepEqual(rootsOf([home("/a"), home("/a", true), home("/a/b"), home("/a/b/c", true), home("/ab")]), [
    { path: "/a", access: "write" },
    { path: "/ab", access: "read" },
  ]);
  assert.deepEqual(rootsOf([home("/a"), home("/a/b", true)]), [
    { path: "/a", access: "read" },
    { path: "/a/b", access: "write" },
  ]);
  assert.deepEqual(rootsOf([home("/", true), home("/a/b", true)]), [{ path: "/", access: "write" }]);
});

test("too many stand for themselves no longer: the folder with the most of them does", () => {
  const many = Array.from({ length: 300 }, (_, at) => home(`/home/u${at}`, at === 7));
  assert.deepEqual(rootsOf([...many, home("/srv/pub")]), [
    { path: "/srv/pub", access: "read" },
    { path: "/home", access: "write" },
  ]);
});

test("never more than the limit, and each home is below a root that allows as much", () => {
  const part = fc.constantFrom("a", "b", "c", "d");
  const folder = fc.array(part, { maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
  fc.assert(
    fc.property(
      fc.array(fc.record({ folder, writes: fc.boolean() })),
      fc.integer({ min: 1, max: 5 }),
      (homes, limit) => {
        const roots = rootsOf(homes, limit);
        assert.ok(roots.length <= limit);
        for (const { folder: path, writes } of homes) {
          const holds = (root: string): boolean => path === root || path.startsWith(root === "/" ? "/" : `${root}/`);
          assert.ok(roots.some((root) => holds(root.path) && (root.access === "write" || !writes)));
        }
      },
    ),
  );
});
