/** The memory storage keeps the port's promises, and its own: planted files and a capacity. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, contentOf, faults, namesIn, put, putHalf } from "../testing/storage-suite-tools.ts";
import { storageSuite } from "../testing/storage-suite.ts";
import { createMemoryStorage } from "./memory.ts";

storageSuite("memory", async () => ({ storage: createMemoryStorage(), cleanup: async () => {} }));

test("planted files stand in their folders", async () => {
  const storage = createMemoryStorage({ "/a/b/c.txt": "text", "d.bin": Buffer.from([1, 2]), "/empty/": "" });
  assert.deepEqual(await namesIn(storage, at("/")), ["a", "d.bin", "empty"]);
  assert.equal(await contentOf(storage, at("/a/b/c.txt")), "text");
  assert.equal((await storage.stat(at("/empty"))).kind, "directory");
});

test("a full storage loses nothing, and every way out gives its room back", async () => {
  const storage = createMemoryStorage({ "/f": "12345" }, { capacity: 10 });
  await faults(put(storage, at("/g"), "123456"), "full");
  assert.equal(await storage.available(at("/")), 5);
  await faults(put(storage, at("/f"), "+", { kind: "append" }), "full");
  await putHalf(storage, at("/g"), "12");
  assert.equal(await storage.available(at("/")), 3);
  await put(storage, at("/g"), "34", { kind: "append" });
  assert.equal(await storage.available(at("/")), 1);
  await put(storage, at("/g"), "");
  await storage.remove(at("/g"));
  await storage.remove(at("/f"));
  assert.equal(await storage.available(at("/")), 10);
});
