/** Every method of a workspace against every right: refused without what it needs, done with it, told of in both cases. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { RIGHTS, type Right } from "../../src/account/account.ts";
import { faultMessage } from "../../src/base/fault-text.ts";
import { bytesOfText } from "../../src/base/bytes.ts";
import { type VirtualPath, virtualPath } from "../../src/protocol/path.ts";
import { StorageError } from "../../src/storage/storage.ts";
import { Denied, type StoreHow, type Workspace } from "../../src/workspace/workspace.ts";
import { contentOf, fill, openDesk } from "../support/workspace.ts";

const FILES = { "/a": "aaaa", "/b": "bb", "/empty/": "", "/tree/x/f": "f", "/tree/g": "g" };
const A = virtualPath("/a");
const B = virtualPath("/b");
const NEW = virtualPath("/new");
const IMAGE = { type: "image" } as const;
const never = new AbortController().signal;

type Row = {
  readonly name: string;
  /** Any of these lists of rights is enough, and nothing less. */
  readonly needs: readonly (readonly Right[])[];
  readonly run: (workspace: Workspace) => Promise<unknown>;
  /** What of the event stream tells that it was done. */
  readonly tells?: string;
};

async function store(workspace: Workspace, path: VirtualPath, how: StoreHow): Promise<void> {
  await using writing = await workspace.openWrite(path, how, IMAGE);
  await fill(writing.upload, "new");
  writing.log.end("complete");
}

const ROWS: readonly Row[] = [
  { name: "stat", needs: [["list"], ["read"]], run: async (w) => w.stat(A) },
  { name: "list", needs: [["list"]], run: async (w) => Array.fromAsync(w.list(virtualPath("/"))) },
  { name: "names", needs: [["list"]], run: async (w) => Array.fromAsync(w.names(virtualPath("/"))) },
  {
    name: "read",
    needs: [["read"]],
    run: async (w) => {
      await using reading = await w.openRead(A, { offset: 0, ...IMAGE });
      reading.log.end("complete");
    },
    tells: "transfer",
  },
  { name: "peek", needs: [["read"]], run: async (w) => w.peek(A, Buffer.alloc(9)) },
  {
    name: "store a new file",
    needs: [["write"]],
    run: async (w) => store(w, NEW, { kind: "store" }),
    tells: "transfer",
  },
  {
    name: "replace a file",
    needs: [["write", "overwrite"]],
    run: async (w) => store(w, A, { kind: "store" }),
    tells: "transfer",
  },
  {
    name: "append to a file",
    needs: [["append"]],
    run: async (w) => store(w, A, { kind: "append" }),
    tells: "transfer",
  },
  {
    name: "append to nothing",
    needs: [["write"]],
    run: async (w) => store(w, NEW, { kind: "append" }),
    tells: "transfer",
  },
  {
    name: "resume at the end",
    needs: [["append"]],
    run: async (w) => store(w, A, { kind: "resume", offset: 4 }),
    tells: "transfer",
  },
  {
    name: "resume within",
    needs: [["append", "overwrite"]],
    run: async (w) => store(w, A, { kind: "resume", offset: 2 }),
    tells: "transfer",
  },
  {
    name: "store under a free name",
    needs: [["write"]],
    run: async (w) => store(w, A, { kind: "unique" }),
    tells: "transfer",
  },
  { name: "rename", needs: [["rename"]], run: async (w) => w.rename(A, NEW), tells: "renamed" },
  { name: "rename over a file", needs: [["rename", "overwrite"]], run: async (w) => w.rename(A, B), tells: "renamed" },
  { name: "ask before a rename", needs: [["rename"]], run: async (w) => w.statForRename(A) },
  { name: "remove", needs: [["delete"]], run: async (w) => w.remove(A), tells: "removed" },
  {
    name: "remove a folder",
    needs: [["delete"]],
    run: async (w) => w.removeDirectory(virtualPath("/empty")),
    tells: "folder-removed",
  },
  {
    name: "remove a tree",
    needs: [["delete", "list"]],
    run: async (w) => w.removeTree(virtualPath("/tree"), never),
    tells: "folder-removed",
  },
  { name: "size of a tree", needs: [["list"]], run: async (w) => w.sizeOfTree(virtualPath("/tree"), never) },
  { name: "make a folder", needs: [["mkdir"]], run: async (w) => w.makeDirectory(NEW), tells: "folder-made" },
  { name: "set times", needs: [["meta"]], run: async (w) => w.setTimes(A, { modified: 0 }), tells: "times-set" },
  { name: "set the mode", needs: [["meta"]], run: async (w) => w.setMode(A, 0o600), tells: "mode-set" },
  {
    name: "make a link",
    needs: [["site", "write"]],
    run: async (w) => w.makeLink(NEW, bytesOfText("a")),
    tells: "linked",
  },
  { name: "copy", needs: [["read", "write"]], run: async (w) => w.copy(A, NEW, never), tells: "copied" },
  {
    name: "copy over a file",
    needs: [["read", "write", "overwrite"]],
    run: async (w) => w.copy(A, B, never),
    tells: "copied",
  },
  { name: "available", needs: [["write"], ["list"]], run: async (w) => w.available(A) },
  {
    name: "hash",
    needs: [["read"]],
    run: async (w) => w.hash(A, { name: "MD5", start: 0, end: undefined, signal: never }),
  },
  { name: "enter", needs: RIGHTS.map((right) => [right]), run: async (w) => w.enter(virtualPath("/tree")) },
];

/** What was refused, as rule ids; "done" when nothing was. */
async function outcomeOf(row: Row, rights: readonly Right[]): Promise<string> {
  const desk = openDesk({ rights, files: FILES });
  const denied = await row.run(desk.workspace).then(
    () => undefined,
    (error: unknown) => error,
  );
  const refusals = desk.events.filter((event) => event.type === "refused");
  const told = desk.events.map((event): string => (event.type === "file.changed" ? event.change.kind : event.type));
  if (denied === undefined) {
    assert.deepEqual(refusals, [], "told of a refusal and went on");
    assert.ok(row.tells === undefined || told.includes(row.tells), `did not tell of it: ${told.join()}`);
    return "done";
  }
  assert.ok(denied instanceof Denied, faultMessage(denied));
  assert.deepEqual(
    refusals.map(({ rule, path }) => [rule, path]),
    [[denied.rule, denied.path]],
  );
  assert.equal(denied.rule, `account:${denied.right}`);
  for (const path of ["/a", "/b", "/tree/x/f", "/tree/g"] as const) {
    assert.equal(await contentOf(desk.storage, virtualPath(path)), FILES[path], "refused, but changed something");
  }
  return denied.right;
}

suite("rights", () => {
  for (const row of ROWS) {
    test(`${row.name} needs ${row.needs.length === RIGHTS.length ? "any right" : row.needs.map((some) => some.join(" + ")).join(", or ")}`, async () => {
      for (const needed of row.needs) {
        assert.equal(await outcomeOf(row, needed), "done", needed.join());
        for (const right of needed) {
          const others = RIGHTS.filter((each) => each !== right);
          const isEnough = row.needs.some((some) => some.every((each) => others.includes(each)));
          assert.equal(await outcomeOf(row, others), isEnough ? "done" : right, `without ${right}`);
        }
      }
      assert.equal(await outcomeOf(row, RIGHTS), "done");
      const lacking = RIGHTS.filter((right) => !row.needs.some((some) => some.includes(right)));
      if (lacking.length > 0) assert.notEqual(await outcomeOf(row, lacking), "done");
      assert.notEqual(await outcomeOf(row, []), "done");
    });
  }

  test("a folder rule takes and gives, and the refusal carries its id", async () => {
    const folders = [
      { pattern: "/in", rights: ["write"] },
      { pattern: "*.exe", rights: [] },
    ] as const;
    const { workspace, events } = openDesk({ rights: ["list", "read"], folders, files: { "/in/a": "", "/x.exe": "" } });
    assert.throws(() => workspace.list(virtualPath("/in")), { name: "Denied", rule: "folder:/in:list" });
    await assert.rejects(workspace.stat(virtualPath("/x.exe")), { rule: "folder:*.exe:list" });
    await assert.rejects(store(workspace, virtualPath("/b"), { kind: "store" }), { rule: "account:write" });
    await store(workspace, virtualPath("/in/b"), { kind: "store" });
    await assert.rejects(store(workspace, virtualPath("/in/b"), { kind: "store" }), { rule: "folder:/in:overwrite" });
    await workspace.enter(virtualPath("/in"));
    assert.equal(events.filter(({ type }) => type === "refused").length, 4);
    assert.deepEqual([...workspace.rightsAt(virtualPath("/in/b"))], ["write"]);
  });

  test("what tells nothing is not refused: exists and interrupted", async () => {
    const { workspace, events } = openDesk({ rights: [], files: FILES });
    assert.equal(await workspace.exists(A), false);
    assert.equal(await workspace.interrupted(A), undefined);
    assert.deepEqual(events, []);
    assert.equal(await openDesk({ rights: ["list"], files: FILES }).workspace.exists(A), true);
  });

  test("an offset beyond the end is bad, and no transfer was begun", async () => {
    const { workspace, events } = openDesk({ files: FILES });
    await assert.rejects(workspace.openRead(A, { offset: 5, ...IMAGE }), { fault: "bad-offset" });
    assert.deepEqual(events, []);
    await using reading = await workspace.openRead(A, { offset: 4, ...IMAGE });
    assert.equal(reading.reader.entry.size, 4);
  });

  test("what the storage cannot do is unsupported", async () => {
    const { storage } = openDesk({ files: FILES });
    const plain = new Proxy(storage, {
      get: (target, key) => {
        if (key === "setMode" || key === "makeLink" || key === "available") return undefined;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const { workspace } = openDesk({ storage: plain });
    await assert.rejects(workspace.setMode(A, 0o600), StorageError);
    await assert.rejects(workspace.makeLink(NEW, bytesOfText("a")), { fault: "unsupported" });
    assert.equal(await workspace.available(A), undefined);
  });
});
