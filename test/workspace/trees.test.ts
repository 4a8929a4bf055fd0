/** RMDA and DSIZ: whole trees, each entry under its own rules, without recursion (attack 48). */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { joined } from "../../src/protocol/octets.ts";
import { type VirtualPath, childPath, virtualPath } from "../../src/protocol/path.ts";
import { createMemoryStorage } from "../../src/storage/memory.ts";
import { contentOf, openDesk } from "../support/workspace.ts";

const TOP = virtualPath("/top");
const never = new AbortController().signal;

suite("trees", () => {
  test("the deepest goes first, and each change is told", async () => {
    const { workspace, storage, events } = openDesk({ files: { "/top/a/b/f": "f", "/top/a/g": "g", "/other": "o" } });
    await workspace.removeTree(TOP, never);
    assert.deepEqual(
      events.map((event) => event.type === "file.changed" && [event.change.kind, event.change.path]),
      [
        ["removed", "/top/a/b/f"],
        ["folder-removed", "/top/a/b"],
        ["removed", "/top/a/g"],
        ["folder-removed", "/top/a"],
        ["folder-removed", "/top"],
      ],
    );
    assert.equal(await contentOf(storage, virtualPath("/other")), "o");
  });

  test("one file that may not go keeps all", async () => {
    const folders = [{ pattern: "*.keep", rights: ["list", "read"] }] as const;
    const { workspace, storage } = openDesk({ folders, files: { "/top/a": "a", "/top/z/x.keep": "k", "/top/b": "b" } });
    await assert.rejects(workspace.removeTree(TOP, never), { rule: "folder:*.keep:delete" });
    for (const name of ["/top/a", "/top/b", "/top/z/x.keep"]) assert.ok(await contentOf(storage, virtualPath(name)));
  });

  test("links go, what they point at stays", async () => {
    const { workspace, storage } = openDesk({ files: { "/top/": "", "/other/f": "f" } });
    await workspace.makeLink(virtualPath("/top/l"), joined("/other"));
    await workspace.removeTree(TOP, never);
    assert.equal(await contentOf(storage, virtualPath("/other/f")), "f");
  });

  test("a file and the root are no trees; a stop stops", async () => {
    const { workspace, storage } = openDesk({ files: { "/f": "f", "/top/g": "g" } });
    await assert.rejects(workspace.removeTree(virtualPath("/f"), never), { fault: "not-a-folder" });
    await assert.rejects(workspace.removeTree(TOP, AbortSignal.abort()), { name: "AbortError" });
    assert.equal(await contentOf(storage, virtualPath("/top/g")), "g");
  });

  test("a thousand folders below each other go; one more than the limit is too large, and all stays", async () => {
    const storage = createMemoryStorage();
    let folder: VirtualPath = TOP;
    for (let depth = 0; depth < 1_000; depth++, folder = childPath(folder, joined("d")))
      await storage.makeDirectory(folder);
    const { workspace } = openDesk({ storage });
    await workspace.removeTree(TOP, never);
    await assert.rejects(storage.stat(TOP), { fault: "not-found" });
    folder = TOP;
    for (let depth = 0; depth < 1_100; depth++, folder = childPath(folder, joined("d")))
      await storage.makeDirectory(folder);
    await assert.rejects(workspace.removeTree(TOP, never), { fault: "too-large" });
    assert.equal((await storage.stat(TOP)).kind, "directory");
  });

  test("a size is of what may be listed", async () => {
    const folders = [{ pattern: "/top/hidden", rights: [] }];
    const { workspace, events } = openDesk({
      folders,
      files: { "/top/a": "four", "/top/b/c": "two", "/top/hidden/x": "xxxxxxx" },
    });
    assert.equal(await workspace.sizeOfTree(TOP, never), 7n);
    assert.equal(await workspace.sizeOfTree(virtualPath("/top/a"), never), 4n);
    assert.deepEqual(events, []);
  });
});
