/** Attack 29 at the choke point: rules that hide a path hide it under each spelling, from each method, and from moves. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { assert as check, asyncProperty, array, constantFrom, property, tuple } from "fast-check";
import { RIGHTS, type Right } from "../../src/account/account.ts";
import { bytesOfText } from "../../src/base/bytes.ts";
import { type VirtualPath, resolvePath, virtualPath } from "../../src/protocol/path.ts";
import { Denied } from "../../src/workspace/workspace.ts";
import { contentOf, openDesk } from "../support/workspace.ts";

const FOLDERS = [
  { pattern: "/a/secret", rights: ["list"] },
  { pattern: "*.key", rights: [] },
  { pattern: "/drop/**", rights: ["write", "rename", "mkdir"] },
] as const satisfies readonly { pattern: string; rights: readonly Right[] }[];
const FILES = {
  "/a/secret/plan": "plan",
  "/a/b/note": "note",
  "/my.key": "key",
  "/drop/in": "in",
  "/empty/": "",
  "/d/my.key": "key",
};

/** Ways to say the same path: from another folder, through `.`, `..`, `//`, and folders that are not there. */
function spellings(path: VirtualPath) {
  const noise = constantFrom("", ".", "nowhere/..", "a/../nowhere/./..", "//", "..a/..");
  const starts = constantFrom("/", "/a", "/a/b", "/nowhere/deep");
  return tuple(starts, array(noise, { maxLength: 4 }), array(noise, { maxLength: 4 })).map(([cwd, before, after]) => {
    const up = "../".repeat(4);
    const parts = path.slice(1).split("/");
    const last = parts.pop() ?? "";
    const argument = `${up}${before.join("/")}/${parts.join(`/${after.join("/")}/`)}/${after.join("/")}/./${last}`;
    return { cwd: virtualPath(cwd), argument: bytesOfText(argument) };
  });
}

suite("attack 29", () => {
  test("each spelling of a path gets the verdict of the path", () => {
    const { workspace } = openDesk({ folders: FOLDERS });
    const paths = ["/a/secret", "/a/secret/plan", "/a/b/note", "/my.key", "/drop/in", "/d/my.key"].map(virtualPath);
    for (const path of paths) {
      check(
        property(spellings(path), ({ cwd, argument }) => {
          const resolved = resolvePath(cwd, argument);
          assert.equal(resolved, path);
          for (const right of RIGHTS) assert.equal(workspace.may(right, resolved), workspace.may(right, path));
        }),
        { numRuns: 100 },
      );
    }
  });

  const plan = virtualPath("/a/secret/plan");
  const away = virtualPath("/plan");
  for (const [name, rule, run] of [
    ["RNFR", "folder:/a/secret:rename", async (w) => w.rename(plan, away)],
    ["RNFR of the folder", "folder:/a/secret:rename", async (w) => w.rename(virtualPath("/a/secret"), away)],
    [
      "RNFR of the folder above",
      "folder:/a/secret:rename",
      async (w) => w.rename(virtualPath("/a"), virtualPath("/c")),
    ],
    ["RNFR alone of the folder above", "folder:/a/secret:rename", async (w) => w.statForRename(virtualPath("/a"))],
    [
      "RNTO into it",
      "folder:/a/secret:rename",
      async (w) => w.rename(virtualPath("/a/b/note"), virtualPath("/a/secret/x")),
    ],
    [
      "RNTO to a name of the rule",
      "folder:*.key:rename",
      async (w) => w.rename(virtualPath("/a/b/note"), virtualPath("/x.key")),
    ],
    [
      "RNFR from a name of the rule",
      "folder:*.key:rename",
      async (w) => w.rename(virtualPath("/my.key"), virtualPath("/x")),
    ],
    [
      "a rename to where it may be read",
      "folder:/drop/**:read",
      async (w) => w.rename(virtualPath("/drop/in"), virtualPath("/in")),
    ],
    [
      "a folder put above the rule",
      "folder:/drop/**:list",
      async (w) => w.rename(virtualPath("/empty"), virtualPath("/drop")),
    ],
    ["CPFR", "folder:/a/secret:read", async (w) => w.copy(plan, away, AbortSignal.timeout(1000))],
    ["CPTO", "folder:/a/secret:write", async (w) => w.copy(virtualPath("/a/b/note"), plan, AbortSignal.timeout(1000))],
    ["SYMLINK", "folders:link", async (w) => w.makeLink(virtualPath("/l"), bytesOfText("/a/secret"))],
    ["SYMLINK there", "folder:/a/secret:site", async (w) => w.makeLink(plan, bytesOfText("/a"))],
    [
      "RMDA of the folder above",
      "folder:/a/secret:delete",
      async (w) => w.removeTree(virtualPath("/a"), AbortSignal.timeout(1000)),
    ],
    [
      "RMDA over a name of the rule",
      "folder:*.key:delete",
      async (w) => w.removeTree(virtualPath("/d"), AbortSignal.timeout(1000)),
    ],
    [
      "HASH",
      "folder:/a/secret:read",
      async (w) => w.hash(plan, { name: "MD5", start: 0, end: 1, signal: AbortSignal.timeout(1000) }),
    ],
  ] as const satisfies readonly (readonly [
    string,
    string,
    (w: ReturnType<typeof openDesk>["workspace"]) => Promise<unknown>,
  ])[]) {
    test(`${name} is refused by ${rule}`, async () => {
      const { workspace, storage, events } = openDesk({ folders: FOLDERS, files: FILES });
      await assert.rejects(run(workspace), (error) => error instanceof Denied && error.rule === rule);
      assert.deepEqual(
        events.map((event) => event.type === "refused" && event.rule),
        [rule],
      );
      for (const [path, content] of Object.entries(FILES)) {
        if (!path.endsWith("/")) assert.equal(await contentOf(storage, virtualPath(path)), content, path);
      }
    });
  }

  test("what no rule is about moves as before, folders too", async () => {
    const { workspace, storage } = openDesk({ folders: FOLDERS, files: FILES });
    await workspace.rename(virtualPath("/a/b"), virtualPath("/c"));
    assert.equal(await contentOf(storage, virtualPath("/c/note")), "note");
    await workspace.rename(virtualPath("/drop/in"), virtualPath("/drop/out"));
    assert.equal(await contentOf(storage, virtualPath("/drop/out")), "in");
  });

  test("no row of renames and copies makes a hidden file readable", async () => {
    const names = [
      "a",
      "a/secret",
      "a/secret/plan",
      "a/b",
      "a/b/note",
      "c",
      "c/plan",
      "my.key",
      "x",
      "drop",
      "drop/in",
    ];
    const path = constantFrom(...names).map((name) => virtualPath(name));
    const step = tuple(constantFrom("rename", "copy", "link"), path, path);
    await check(
      asyncProperty(array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const { workspace, storage } = openDesk({ folders: FOLDERS, files: FILES });
        for (const [what, from, to] of steps) {
          const done =
            what === "rename"
              ? workspace.rename(from, to)
              : what === "copy"
                ? workspace.copy(from, to, new AbortController().signal)
                : workspace.makeLink(to, from);
          await done.catch(() => {});
        }
        for (const name of [...names, "c/secret/plan", "x/secret/plan", "x/plan", "c/in", "x/in"]) {
          const found = virtualPath(name);
          const content = await contentOf(storage, found);
          if (workspace.may("read", found))
            assert.ok(!["plan", "key", "in"].includes(content ?? ""), `${name} shows ${content}`);
        }
      }),
      { numRuns: 300 },
    );
  });
});
