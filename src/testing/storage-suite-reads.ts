/** The storage suite: stat, list, reading, names, links. */
import assert from "node:assert/strict";
import { bytesOf, bytesOfText } from "../base/bytes.ts";
import { childPath, ROOT, resolvePath } from "../protocol/path.ts";
import { LISTING_BATCH, type Storage } from "../storage/storage.ts";
import { at, contentOf, faults, listed, type MakeStorage, namesIn, put, storageTest } from "./storage-suite-tools.ts";

export function registerReadTests(make: MakeStorage): void {
  registerEntryTests(make);
  registerListTests(make);
  registerNameTests(make);
  registerLinkTests(make);
}

function registerEntryTests(make: MakeStorage): void {
  storageTest("the root is a folder without a name", make, async (storage) => {
    const root = await storage.stat(ROOT);
    assert.deepEqual([root.name, root.kind, root.size], ["", "directory", 0]);
  });

  storageTest("stat tells of a file and a folder", make, async (storage) => {
    const started = Date.now();
    await storage.makeDirectory(at("/d"));
    await put(storage, at("/d/f"), "hello");
    const [file, folder] = [await storage.stat(at("/d/f")), await storage.stat(at("/d"))];
    assert.deepEqual([file.name, file.kind, file.size], ["f", "file", 5]);
    assert.deepEqual([folder.name, folder.kind, folder.size], ["d", "directory", 0]);
    assert.ok(Math.abs(file.modified - started) < 60_000 && Number.isInteger(file.modified));
    assert.ok(file.mode <= 0o7777 && file.links >= 1 && file.owner !== "" && file.group !== "");
    assert.match(file.unique, /^[!-:<-~]+$/);
    assert.notEqual(file.unique, folder.unique);
  });

  storageTest("what is not there is not-found, below a file too", make, async (storage) => {
    await put(storage, at("/f"), "x");
    for (const path of ["/no", "/no/no", "/f/no"].map(at)) {
      await faults(storage.stat(path), "not-found");
      await faults(storage.stat(path, "keep"), "not-found");
      await faults(storage.openRead(path), "not-found");
      await faults(listed(storage, path), "not-found");
      await faults(storage.remove(path), "not-found");
      await faults(storage.removeDirectory(path), "not-found");
      await faults(storage.rename(path, at("/other"), "refuse"), "not-found");
      await faults(storage.setTimes(path, { modified: 0 }), "not-found");
    }
    for (const path of ["/no/no", "/f/no"].map(at)) {
      await faults(storage.openWrite(path, { kind: "replace" }), "not-found");
      await faults(storage.openWrite(path, { kind: "create" }), "not-found");
      await faults(storage.makeDirectory(path), "not-found");
      await faults(storage.rename(at("/f"), path, "refuse"), "not-found");
    }
  });

  storageTest("a reader reads from any position to the end", make, async (storage) => {
    await put(storage, at("/f"), "0123456789");
    await using reader = await storage.openRead(at("/f"));
    assert.equal(reader.entry.size, 10);
    const buffer = Buffer.alloc(4);
    assert.equal(await reader.read(buffer, 3), 4);
    assert.equal(buffer.toString(), "3456");
    assert.equal(await reader.read(buffer, 8), 2);
    assert.equal(await reader.read(buffer, 10), 0);
    assert.equal(await reader.read(buffer, 1000), 0);
  });

  storageTest("a reader keeps what it opened while the file is replaced and removed", make, async (storage) => {
    await put(storage, at("/f"), "old");
    await using reader = await storage.openRead(at("/f"));
    await put(storage, at("/f"), "new!");
    await storage.remove(at("/f"));
    const buffer = Buffer.alloc(8);
    assert.equal(buffer.toString("latin1", 0, await reader.read(buffer, 0)), "old");
  });

  storageTest("a folder cannot be read as a file", make, async (storage) => {
    await storage.makeDirectory(at("/d"));
    await faults(storage.openRead(at("/d")), "not-a-file");
    await faults(storage.openRead(ROOT), "not-a-file");
  });
}

function registerListTests(make: MakeStorage): void {
  storageTest("list gives every entry once, in batches", make, async (storage) => {
    const count = 2 * LISTING_BATCH + 5;
    await storage.makeDirectory(at("/d"));
    for (let i = 0; i < count; i++) await put(storage, at(`/d/f${i}`), "");
    let largest = 0;
    const names = new Set<string>();
    for await (const batch of storage.list(at("/d"))) {
      largest = Math.max(largest, batch.length);
      for (const { name } of batch) names.add(name);
    }
    assert.equal(names.size, count);
    assert.ok(largest <= LISTING_BATCH);
  });

  storageTest("names are those of the entries, in batches", make, async (storage) => {
    if (storage.names === undefined) return;
    await storage.makeDirectory(at("/d"));
    for (let i = 0; i <= LISTING_BATCH; i++) await put(storage, at(`/f${i}`), "");
    const batches = await Array.fromAsync(storage.names(ROOT));
    for (const batch of batches) assert.ok(batch.length <= LISTING_BATCH);
    const named = batches.flat().map(({ name, kind }) => `${name} ${kind}`);
    assert.deepEqual(
      named.toSorted(),
      (await listed(storage, ROOT)).map(({ name, kind }) => `${name} ${kind}`).toSorted(),
    );
    await faults(Array.fromAsync(storage.names(at("/f0"))), "not-a-folder");
  });

  storageTest("a listing that is left early leaves nothing open", make, async (storage) => {
    for (let i = 0; i <= LISTING_BATCH; i++) await put(storage, at(`/f${i}`), "");
    for await (const batch of storage.list(ROOT)) {
      assert.ok(batch.length > 0);
      break;
    }
  });

  storageTest("an empty folder has no entries; a file has no listing", make, async (storage) => {
    assert.deepEqual(await listed(storage, ROOT), []);
    await put(storage, at("/f"), "");
    await faults(listed(storage, at("/f")), "not-a-folder");
  });

  storageTest("an entry of a list is what stat says", make, async (storage) => {
    await storage.makeDirectory(at("/d"));
    await put(storage, at("/f"), "abc");
    for (const entry of await listed(storage, ROOT)) {
      assert.deepEqual(entry, await storage.stat(childPath(ROOT, entry.name), "keep"));
    }
  });
}

function registerNameTests(make: MakeStorage): void {
  storageTest("names are octets", make, async (storage) => {
    const names = ["\u00ff\u00fe", "a b", "\n", "-rf", "\u00e4", "tab\t", "'\"", "...", " "].map((text) =>
      bytesOf(Buffer.from(text, "latin1")),
    );
    for (const name of names) await put(storage, childPath(ROOT, name), name.length.toString());
    assert.deepEqual(await namesIn(storage, ROOT), names.toSorted());
    for (const name of names) assert.equal(await contentOf(storage, childPath(ROOT, name)), name.length.toString());
  });

  storageTest("bad names are refused everywhere", make, async (storage) => {
    const names = ["nul\0here", "x".repeat(256), ".ferryman-tmp.1.abc", ".ferryman-x", ".FERRYMAN-x/below"];
    await put(storage, at("/f"), "");
    for (const name of names) {
      const path = resolvePath(ROOT, bytesOfText(name));
      await faults(storage.stat(path), "bad-name");
      await faults(listed(storage, path), "bad-name");
      await faults(storage.openRead(path), "bad-name");
      await faults(storage.openWrite(path, { kind: "replace" }), "bad-name");
      await faults(storage.openWrite(path, { kind: "append" }), "bad-name");
      await faults(storage.interrupted(path), "bad-name");
      await faults(storage.rename(path, at("/x"), "refuse"), "bad-name");
      await faults(storage.rename(at("/f"), path, "replace"), "bad-name");
      await faults(storage.remove(path), "bad-name");
      await faults(storage.makeDirectory(path), "bad-name");
      await faults(storage.removeDirectory(path), "bad-name");
      await faults(storage.setTimes(path, { modified: 0 }), "bad-name");
      if (storage.setMode) await faults(storage.setMode(path, 0o600), "bad-name");
      if (storage.makeLink) await faults(storage.makeLink(path, bytesOfText("f")), "bad-name");
    }
    const long = resolvePath(ROOT, bytesOfText("d/".repeat(3000)));
    await faults(storage.stat(long), "bad-name");
  });
}

type LinkMaker = (path: string, target: string) => Promise<void>;
type LinkTest = (name: string, run: (storage: Storage, link: LinkMaker) => Promise<void>) => void;

/** Tests for storages with links alone. */
function linkTests(make: MakeStorage): LinkTest {
  return (name, run) =>
    storageTest(name, make, async (storage) => {
      if (storage.makeLink === undefined) return;
      await run(storage, async (path, target) => storage.makeLink?.(at(path), bytesOfText(target)));
    });
}

function registerLinkTests(make: MakeStorage): void {
  const linkTest = linkTests(make);

  linkTest("a link holds its text and is followed when asked", async (storage, link) => {
    await storage.makeDirectory(at("/d"));
    await put(storage, at("/d/f"), "inside");
    await link("/d/rel", "f");
    await link("/abs", "/d/f");
    await link("/up", "d/../d/./f");
    const kept = await storage.stat(at("/d/rel"), "keep");
    assert.deepEqual([kept.kind, kept.target], ["link", "f"]);
    for (const path of ["/d/rel", "/abs", "/up"].map(at)) {
      const entry = await storage.stat(path);
      assert.equal(entry.kind, "file");
      assert.equal(`/${entry.name}`, path.slice(path.lastIndexOf("/")));
      assert.equal(await contentOf(storage, path), "inside");
    }
    assert.equal((await listed(storage, at("/d"))).find(({ name }) => name === "rel")?.target, "f");
  });

  linkTest("links to folders are passed, listed and never lead above the root", async (storage, link) => {
    await storage.makeDirectory(at("/d"));
    await put(storage, at("/d/f"), "inside");
    await link("/to-d", "d");
    await link("/top", "../../../../d");
    await link("/d/self", ".");
    await link("/d/parent", "..");
    assert.equal(await contentOf(storage, at("/to-d/f")), "inside");
    assert.equal(await contentOf(storage, at("/top/f")), "inside");
    assert.equal(await contentOf(storage, at("/d/self/self/f")), "inside");
    assert.deepEqual(await namesIn(storage, at("/to-d")), ["f", "parent", "self"]);
    assert.deepEqual(await namesIn(storage, at("/d/parent")), ["d", "to-d", "top"]);
  });

  linkTest("a link into nothing is not-found, a loop is denied", async (storage, link) => {
    await link("/nowhere", "no/such");
    await link("/a", "b");
    await link("/b", "a");
    await faults(storage.stat(at("/nowhere")), "not-found");
    await faults(storage.openRead(at("/nowhere")), "not-found");
    await faults(storage.stat(at("/a")), "denied");
    await faults(storage.stat(at("/a/below")), "denied");
    assert.equal((await storage.stat(at("/a"), "keep")).kind, "link");
  });

  linkTest("an upload goes through a link; removing and renaming take the link itself", async (storage, link) => {
    await storage.makeDirectory(at("/d"));
    await put(storage, at("/d/f"), "old");
    await link("/l", "d/f");
    await put(storage, at("/l"), "new");
    assert.equal((await storage.stat(at("/l"), "keep")).kind, "link");
    assert.equal(await contentOf(storage, at("/d/f")), "new");
    await link("/fresh", "d/made");
    await put(storage, at("/fresh"), "made");
    assert.equal(await contentOf(storage, at("/d/made")), "made");
    await storage.rename(at("/l"), at("/m"), "refuse");
    assert.equal((await storage.stat(at("/m"), "keep")).target, "d/f");
    await storage.remove(at("/m"));
    assert.equal(await contentOf(storage, at("/d/f")), "new");
    await link("/to-d", "d");
    await faults(storage.removeDirectory(at("/to-d")), "not-a-folder");
    await faults(storage.openWrite(at("/to-d"), { kind: "create" }), "exists");
  });

  linkTest("links to our own files, and to nothing at all, are not made", async (storage, link) => {
    await faults(link("/l", "x/.ferryman-part.0"), "bad-name");
    await faults(link("/l", ""), "bad-name");
    await faults(link("/l", "a\0b"), "bad-name");
    await put(storage, at("/taken"), "");
    await faults(link("/taken", "x"), "exists");
  });
}
