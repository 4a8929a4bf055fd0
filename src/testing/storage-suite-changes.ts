/** The storage suite: renaming, removing, folders, times, modes. */
import assert from "node:assert/strict";
import { bytesOfText } from "../base/bytes.ts";
import { ROOT } from "../protocol/path.ts";
import { at, contentOf, faults, type MakeStorage, namesIn, put, putHalf, storageTest } from "./storage-suite-tools.ts";

export function registerChangeTests(make: MakeStorage): void {
  registerRenameTests(make);
  registerFolderTests(make);
  registerFactTests(make);
}

function registerRenameTests(make: MakeStorage): void {
  storageTest("rename moves files and folders", make, async (storage) => {
    await put(storage, at("/f"), "text");
    await storage.makeDirectory(at("/d"));
    const { unique } = await storage.stat(at("/f"));
    await storage.rename(at("/f"), at("/d/g"), "refuse");
    assert.deepEqual(await namesIn(storage, ROOT), ["d"]);
    await storage.rename(at("/d"), at("/e"), "replace");
    assert.equal(await contentOf(storage, at("/e/g")), "text");
    assert.equal((await storage.stat(at("/e/g"))).unique, unique);
  });

  storageTest("a taken name is refused or replaced, as asked", make, async (storage) => {
    await put(storage, at("/a"), "a");
    await put(storage, at("/b"), "b");
    await faults(storage.rename(at("/a"), at("/b"), "refuse"), "exists");
    assert.equal(await contentOf(storage, at("/b")), "b");
    await storage.rename(at("/a"), at("/b"), "replace");
    assert.equal(await contentOf(storage, at("/b")), "a");
    await storage.rename(at("/b"), at("/b"), "replace");
    await faults(storage.rename(at("/b"), at("/b"), "refuse"), "exists");
    assert.deepEqual(await namesIn(storage, ROOT), ["b"]);
  });

  storageTest("a folder is never replaced and replaces nothing", make, async (storage) => {
    await storage.makeDirectory(at("/d"));
    await storage.makeDirectory(at("/e"));
    await put(storage, at("/f"), "");
    for (const taken of ["refuse", "replace"] as const) {
      await faults(storage.rename(at("/f"), at("/d"), taken), "exists");
      await faults(storage.rename(at("/e"), at("/d"), taken), "exists");
      await faults(storage.rename(at("/d"), at("/f"), taken), "exists");
    }
    assert.deepEqual(await namesIn(storage, ROOT), ["d", "e", "f"]);
  });

  storageTest("a folder cannot move below itself, and the root not at all", make, async (storage) => {
    await storage.makeDirectory(at("/d"));
    await storage.makeDirectory(at("/d/e"));
    for (const taken of ["refuse", "replace"] as const) {
      await faults(storage.rename(at("/d"), at("/d/e/x"), taken), "denied");
      await faults(storage.rename(at("/d"), at("/d/x"), taken), "denied");
      await faults(storage.rename(ROOT, at("/x"), taken), "is-root");
      await faults(storage.rename(at("/d"), ROOT, taken), "is-root");
    }
  });
}

function registerFolderTests(make: MakeStorage): void {
  storageTest("folders are made once and removed when empty", make, async (storage) => {
    await storage.makeDirectory(at("/d"));
    await faults(storage.makeDirectory(at("/d")), "exists");
    await faults(storage.makeDirectory(ROOT), "exists");
    await put(storage, at("/d/f"), "");
    await putHalf(storage, at("/d/g"), "half");
    await faults(storage.makeDirectory(at("/d/f")), "exists");
    await faults(storage.removeDirectory(at("/d")), "not-empty");
    await faults(storage.removeDirectory(at("/d/f")), "not-a-folder");
    if ((await storage.interrupted(at("/d/g"))) !== undefined) assert.equal(await storage.interrupted(at("/d/g")), 4);
    await storage.remove(at("/d/f"));
    await storage.removeDirectory(at("/d"));
    assert.deepEqual(await namesIn(storage, ROOT), []);
  });

  storageTest("remove takes files alone", make, async (storage) => {
    await storage.makeDirectory(at("/d"));
    await faults(storage.remove(at("/d")), "not-a-file");
    await put(storage, at("/f"), "");
    await storage.remove(at("/f"));
    await faults(storage.remove(at("/f")), "not-found");
  });

  storageTest("the root stays as it is", make, async (storage) => {
    await faults(storage.remove(ROOT), "is-root");
    await faults(storage.removeDirectory(ROOT), "is-root");
    await faults(storage.setTimes(ROOT, { modified: 0 }), "is-root");
    if (storage.setMode) await faults(storage.setMode(ROOT, 0o700), "is-root");
    if (storage.makeLink) await faults(storage.makeLink(ROOT, bytesOfText("x")), "exists");
  });
}

function registerFactTests(make: MakeStorage): void {
  storageTest("times keep their milliseconds", make, async (storage) => {
    await put(storage, at("/f"), "");
    await storage.makeDirectory(at("/d"));
    for (const modified of [0, 1, 999, 1_000_000_000_123, 1_700_000_000_999, 4_102_444_800_001]) {
      for (const path of ["/f", "/d"].map(at)) {
        await storage.setTimes(path, { modified });
        assert.equal((await storage.stat(path)).modified, modified);
      }
    }
    await storage.setTimes(at("/f"), { accessed: 5000 });
    assert.equal((await storage.stat(at("/f"))).modified, 4_102_444_800_001);
  });

  storageTest("modes: permission bits are set, setuid and setgid never", make, async (storage) => {
    if (storage.setMode === undefined) return;
    await put(storage, at("/f"), "");
    await storage.setMode(at("/f"), 0o640);
    assert.equal((await storage.stat(at("/f"))).mode, 0o640);
    await storage.setMode(at("/f"), 0o6755);
    assert.equal((await storage.stat(at("/f"))).mode, 0o755);
    await put(storage, at("/f"), "replaced");
    assert.equal((await storage.stat(at("/f"))).mode, 0o755, "a replaced file keeps its bits");
    await put(storage, at("/f"), "more", { kind: "append" });
    assert.equal((await storage.stat(at("/f"))).mode, 0o755);
  });

  storageTest("available tells of room", make, async (storage) => {
    if (storage.available === undefined) return;
    await storage.makeDirectory(at("/d"));
    assert.ok((await storage.available(ROOT)) > 0);
    assert.ok((await storage.available(at("/d"))) > 0);
    await faults(storage.available(at("/no")), "not-found");
  });
}
