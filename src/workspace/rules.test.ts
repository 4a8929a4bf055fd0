/** Which rule governs a path: order, depth, and what may lie below a folder. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { RIGHTS, type Right } from "../account/account.ts";
import { virtualPath } from "../protocol/path.ts";
import { Rules } from "./rules.ts";

function rules(...folders: (readonly [pattern: string, ...rights: Right[]])[]): Rules {
  return new Rules({
    name: "ann",
    anonymous: false,
    home: "/srv",
    rights: new Set(RIGHTS),
    folders: folders.map(([pattern, ...rights]) => ({ pattern, rights: new Set(rights) })),
    limits: {},
  });
}

function idAt(of: Rules, path: string): string {
  return of.rulingAt(virtualPath(path)).id;
}

suite("rules", () => {
  for (const [pattern, governed, free] of [
    ["/in", ["/in", "/in/a", "/in/a/b"], ["/", "/inside", "/a/in"]],
    ["/in/", ["/in", "/in/a"], ["/inside"]],
    ["/in/**", ["/in/a", "/in/a/b"], ["/", "/in", "/inside/a"]],
    ["/in/*", ["/in/a", "/in/a/b"], ["/in"]],
    ["/*/private", ["/a/private", "/a/private/x/y"], ["/private", "/a/b/private"]],
    ["/**/private", ["/private", "/a/b/private/x"], ["/a/privates"]],
    ["*.exe", ["/x.exe", "/a/x.exe", "/a.exe/readme"], ["/", "/exe"]],
    ["*", ["/a", "/a/b"], ["/"]],
    ["/**", ["/", "/a/b"], []],
    ["/", ["/", "/a/b"], []],
    ["/été", ["/été", "/été/a"], ["/ete"]],
  ] as const) {
    test(`${pattern} governs ${governed.join(" ")}, not ${free.join(" ")}`, () => {
      const of = rules([pattern]);
      for (const path of governed) assert.equal(idAt(of, path), `folder:${pattern}`, path);
      for (const path of free) assert.equal(idAt(of, path), "account", path);
    });
  }

  test("the first rule that governs decides, however far up it matches", () => {
    const of = rules(["/a/b", "read"], ["/a", "list"], ["/a/c", "write"]);
    assert.equal(idAt(of, "/a/b/x"), "folder:/a/b");
    assert.equal(idAt(of, "/a/c"), "folder:/a");
  });

  test("what governs the entries of a folder is what governs each of them", () => {
    const patterns = ["/a", "/a/*", "/a/b/**", "*.exe", "*", "/**/private", "/a/b", "/", "/a/b/private"];
    const folders = ["/", "/a", "/a/b", "/a/x.exe", "/c/private"];
    const names = ["x", "x.exe", "private", "b", "c"];
    for (const one of patterns) {
      for (const other of patterns) {
        const of = rules([one], [other]);
        for (const folder of folders) {
          const rulingAt = of.rulingsIn(virtualPath(folder));
          for (const name of names) {
            const child = virtualPath(`${folder}/${name}`);
            assert.equal(rulingAt(child).id, of.rulingAt(child).id, `${one}, ${other}: ${child}`);
          }
        }
      }
    }
  });

  test("what is missing below a folder is found by the part before the wildcard", () => {
    const of = rules(["/a/b/*.key", "list"]);
    const all = new Set(RIGHTS);
    for (const path of ["/", "/a", "/a/b", "/a/b/c"]) {
      assert.deepEqual(of.missingBelow(virtualPath(path), all), { id: "folder:/a/b/*.key", right: "rename" }, path);
    }
    assert.equal(of.missingBelow(virtualPath("/a/c"), all), undefined);
    assert.equal(of.missingBelow(virtualPath("/a"), new Set<Right>(["list"])), undefined);
  });

  test("a rule that governs the folder itself hides those after it", () => {
    const of = rules(["/a", ...RIGHTS], ["/a/b"]);
    assert.equal(of.missingBelow(virtualPath("/a"), new Set(RIGHTS)), undefined);
    assert.equal(of.missingBelow(virtualPath("/"), new Set(RIGHTS))?.id, "folder:/a/b");
  });

  test("one may enter where something may be done, there or below", () => {
    const none = (...folders: Parameters<typeof rules>): Rules => rules(...folders, ["/**"]);
    assert.equal(none(["/in", "write"]).mayEnter(virtualPath("/in")), true);
    assert.equal(none(["/in", "write"]).mayEnter(virtualPath("/out")), false);
    assert.equal(rules(["/**"]).mayEnter(virtualPath("/")), false);
    const closed = new Rules({
      name: "ann",
      anonymous: false,
      home: "/srv",
      rights: new Set(),
      folders: [{ pattern: "/a/in", rights: new Set(["write"]) }],
      limits: {},
    });
    assert.equal(closed.mayEnter(virtualPath("/")), true);
    assert.equal(closed.mayEnter(virtualPath("/b")), false);
  });
});
