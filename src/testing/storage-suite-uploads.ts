/** The storage suite: uploads are seen whole or not at all, and go on where they broke off. */
import assert from "node:assert/strict";
import { ROOT } from "../protocol/path.ts";
import type { Storage, UploadIntent } from "../storage/storage.ts";
import { at, contentOf, faults, type MakeStorage, namesIn, put, putHalf, storageTest } from "./storage-suite-tools.ts";

const FILE = at("/f");

export function registerUploadTests(make: MakeStorage): void {
  registerPublishTests(make);
  registerOddTests(make);
  registerGoOnTests(make);
  registerKeepTests(make);
  registerKeepBesideTests(make);
}

function registerPublishTests(make: MakeStorage): void {
  for (const kind of ["create", "replace", "append"] as const) {
    storageTest(`${kind}: nothing is seen before publish, all after it`, make, async (storage) => {
      await using upload = await storage.openWrite(FILE, { kind });
      await upload.write([Buffer.from("01"), Buffer.alloc(0), Buffer.from("23")]);
      await upload.write([]);
      await faults(storage.stat(FILE), "not-found");
      assert.deepEqual(await namesIn(storage, ROOT), []);
      await upload.write([Buffer.from("45")]);
      await upload.publish();
      assert.equal(await contentOf(storage, FILE), "012345");
      assert.deepEqual(await namesIn(storage, ROOT), ["f"]);
    });
  }

  storageTest(
    "a new file has the permission bits that were asked for; one that is replaced keeps its own",
    make,
    async (storage) => {
      for (const mode of [0o600, 0o640, 0o666]) {
        const path = at(`/mode-${mode}`);
        await using upload = await storage.openWrite(path, { kind: "create" }, { mode });
        await upload.publish();
        assert.equal((await storage.stat(path)).mode, mode);
        await using second = await storage.openWrite(path, { kind: "replace" }, { mode: 0o644 });
        await second.publish();
        assert.equal((await storage.stat(path)).mode, mode);
      }
      await storage.makeDirectory(at("/private"), 0o700);
      assert.equal((await storage.stat(at("/private"))).mode, 0o700);
    },
  );

  storageTest("disposed without publish: as if it never was", make, async (storage) => {
    await put(storage, FILE, "good");
    const intents: readonly UploadIntent[] = [
      { kind: "replace" },
      { kind: "append" },
      { kind: "resume", offset: 2 },
      { kind: "resume", offset: 4 },
    ];
    for (const intent of intents) {
      const upload = await storage.openWrite(FILE, intent);
      await upload.write([Buffer.from("bad")]);
      await upload[Symbol.asyncDispose]();
      await upload[Symbol.asyncDispose]();
      assert.equal(await contentOf(storage, FILE), "good");
    }
    const upload = await storage.openWrite(at("/new"), { kind: "create" });
    await upload[Symbol.asyncDispose]();
    assert.deepEqual(await namesIn(storage, ROOT), ["f"]);
    assert.equal(await storage.interrupted(at("/new")), undefined);
  });

  storageTest("create: the name must be free, at opening and at publishing", make, async (storage) => {
    await put(storage, FILE, "first");
    await faults(storage.openWrite(FILE, { kind: "create" }), "exists");
    await using late = await storage.openWrite(at("/g"), { kind: "create" });
    await late.write([Buffer.from("late")]);
    await put(storage, at("/g"), "early");
    await faults(late.publish(), "exists");
    assert.equal(await contentOf(storage, at("/g")), "early");
    await storage.makeDirectory(at("/d"));
    await faults(storage.openWrite(at("/d"), { kind: "create" }), "exists");
  });
}

function registerOddTests(make: MakeStorage): void {
  storageTest("two uploads of one name: both whole, the last one stays", make, async (storage) => {
    await using one = await storage.openWrite(FILE, { kind: "replace" });
    await using two = await storage.openWrite(FILE, { kind: "replace" });
    await one.write([Buffer.from("one")]);
    await two.write([Buffer.from("second")]);
    await two.publish();
    assert.equal(await contentOf(storage, FILE), "second");
    await one.publish();
    assert.equal(await contentOf(storage, FILE), "one");
  });

  storageTest("a folder takes no upload", make, async (storage) => {
    await storage.makeDirectory(at("/d"));
    for (const kind of ["replace", "append"] as const)
      await faults(storage.openWrite(at("/d"), { kind }), "not-a-file");
    await faults(storage.openWrite(ROOT, { kind: "replace" }), "not-a-file");
    await using upload = await storage.openWrite(FILE, { kind: "replace" });
    await storage.makeDirectory(FILE);
    await faults(upload.publish(), "not-a-file");
  });

  storageTest("a folder that vanishes takes its upload along", make, async (storage) => {
    await storage.makeDirectory(at("/d"));
    await using upload = await storage.openWrite(at("/d/f"), { kind: "replace" });
    await upload.write([Buffer.from("x")]);
    await storage.removeDirectory(at("/d"));
    await faults(upload.publish(), "not-found");
  });

  storageTest("an upload that is over takes no more", make, async (storage) => {
    const upload = await storage.openWrite(FILE, { kind: "replace" });
    await upload.publish();
    await faults(upload.write([Buffer.from("x")]), "io");
    await faults(upload.publish(), "io");
    await upload.keep();
    await upload[Symbol.asyncDispose]();
    assert.equal(await contentOf(storage, FILE), "");
  });

  storageTest("large chunks arrive in order", make, async (storage) => {
    const chunks = Array.from({ length: 40 }, (_, i) => Buffer.alloc(10_000 + i, i));
    await using upload = await storage.openWrite(FILE, { kind: "replace" });
    await upload.write(chunks.slice(0, 25));
    await upload.write(chunks.slice(25));
    await upload.publish();
    const whole = Buffer.concat(chunks);
    await using reader = await storage.openRead(FILE);
    const got = Buffer.alloc(whole.length + 1);
    let count = 0;
    for (let n; (n = await reader.read(got.subarray(count), count)) > 0;) count += n;
    assert.ok(got.subarray(0, count).equals(whole));
  });
}

function registerGoOnTests(make: MakeStorage): void {
  storageTest("append goes on at the end", make, async (storage) => {
    await put(storage, FILE, "abc");
    await using upload = await storage.openWrite(FILE, { kind: "append" });
    assert.equal(upload.offset, 3);
    await upload.write([Buffer.from("de")]);
    assert.equal(await contentOf(storage, FILE), "abc");
    await upload.publish();
    assert.equal(await contentOf(storage, FILE), "abcde");
  });

  storageTest("resume keeps what is before the offset", make, async (storage) => {
    await put(storage, FILE, "abcdef");
    await put(storage, FILE, "XYZW", { kind: "resume", offset: 3 });
    assert.equal(await contentOf(storage, FILE), "abcXYZW");
    await put(storage, FILE, "!", { kind: "resume", offset: 7 });
    assert.equal(await contentOf(storage, FILE), "abcXYZW!");
  });

  storageTest("resume in the middle: octets beyond what was written stay", make, async (storage) => {
    await put(storage, FILE, "abcdef");
    await put(storage, FILE, "X", { kind: "resume", offset: 2 });
    assert.equal(await contentOf(storage, FILE), "abXdef");
  });

  storageTest("beyond the end is bad-offset", make, async (storage) => {
    await faults(storage.openWrite(FILE, { kind: "resume", offset: 1 }), "bad-offset");
    await put(storage, FILE, "new", { kind: "resume", offset: 0 });
    await faults(storage.openWrite(FILE, { kind: "resume", offset: 4 }), "bad-offset");
    assert.equal(await contentOf(storage, FILE), "new");
  });
}

function registerKeepTests(make: MakeStorage): void {
  storageTest("a kept upload is out of sight, and a resume finds it", make, async (storage) => {
    await putHalf(storage, FILE, "half");
    if (await keepsNothing(storage)) return;
    await faults(storage.stat(FILE), "not-found");
    assert.deepEqual(await namesIn(storage, ROOT), []);
    assert.equal(await storage.interrupted(FILE), 4);
    assert.equal(await storage.interrupted(at("/other")), undefined);
    await faults(storage.openWrite(FILE, { kind: "resume", offset: 5 }), "bad-offset");
    await using upload = await storage.openWrite(FILE, { kind: "resume", offset: 4 });
    assert.equal(upload.offset, 4);
    await upload.write([Buffer.from(" whole")]);
    await upload.publish();
    assert.equal(await contentOf(storage, FILE), "half whole");
    assert.equal(await storage.interrupted(FILE), undefined);
  });

  storageTest("append goes on with a kept upload where no file has the name", make, async (storage) => {
    await putHalf(storage, FILE, "half");
    if (await keepsNothing(storage)) return;
    await put(storage, FILE, "+rest", { kind: "append" });
    assert.equal(await contentOf(storage, FILE), "half+rest");
  });

  storageTest(
    "a resume may go back behind the end of a kept upload; what it leaves out is gone",
    make,
    async (storage) => {
      await putHalf(storage, FILE, "abcdef");
      if (await keepsNothing(storage)) return;
      await put(storage, FILE, "X", { kind: "resume", offset: 2 });
      assert.equal(await contentOf(storage, FILE), "abX");
    },
  );

  storageTest("a resume that comes to nothing leaves the kept upload as it was", make, async (storage) => {
    await putHalf(storage, FILE, "abcdef");
    if (await keepsNothing(storage)) return;
    for (const offset of [0, 3, 6]) {
      const upload = await storage.openWrite(FILE, { kind: "resume", offset });
      await upload.write([Buffer.from("more and more")]);
      await upload[Symbol.asyncDispose]();
      assert.equal(await storage.interrupted(FILE), 6);
    }
    await put(storage, FILE, "", { kind: "resume", offset: 6 });
    assert.equal(await contentOf(storage, FILE), "abcdef");
  });

  storageTest("kept again and again, then whole", make, async (storage) => {
    await putHalf(storage, FILE, "a");
    if (await keepsNothing(storage)) return;
    for (const [offset, text] of [[1, "b"] as const, [2, "c"] as const]) {
      await using upload = await storage.openWrite(FILE, { kind: "resume", offset });
      await upload.write([Buffer.from(text)]);
      await upload.keep();
    }
    assert.equal(await storage.interrupted(FILE), 3);
    await put(storage, FILE, "d", { kind: "append" });
    assert.equal(await contentOf(storage, FILE), "abcd");
  });
}

function registerKeepBesideTests(make: MakeStorage): void {
  storageTest("a kept upload never replaces a good file; its exact length finds it", make, async (storage) => {
    await put(storage, FILE, "good file");
    await putHalf(storage, FILE, "half");
    if (await keepsNothing(storage)) return;
    assert.equal(await contentOf(storage, FILE), "good file");
    assert.equal(await storage.interrupted(FILE), undefined);
    await put(storage, FILE, "+", { kind: "resume", offset: 4 });
    assert.equal(await contentOf(storage, FILE), "half+");
  });

  storageTest("with a file there, another offset means the file", make, async (storage) => {
    await put(storage, FILE, "good file");
    await putHalf(storage, FILE, "half");
    if (await keepsNothing(storage)) return;
    await put(storage, FILE, "+", { kind: "resume", offset: 9 });
    assert.equal(await contentOf(storage, FILE), "good file+");
  });

  storageTest("publishing a name removes its kept upload", make, async (storage) => {
    await putHalf(storage, FILE, "half");
    if (await keepsNothing(storage)) return;
    await put(storage, FILE, "whole");
    await storage.remove(FILE);
    assert.equal(await storage.interrupted(FILE), undefined);
  });

  storageTest("keeping nothing keeps nothing; a new kept upload replaces the old one", make, async (storage) => {
    await putHalf(storage, FILE, "");
    assert.equal(await storage.interrupted(FILE), undefined);
    await putHalf(storage, FILE, "longer");
    if (await keepsNothing(storage)) return;
    await putHalf(storage, FILE, "new");
    assert.equal(await storage.interrupted(FILE), 3);
  });

  storageTest("two that resume one kept upload do not write into each other", make, async (storage) => {
    await putHalf(storage, FILE, "half");
    if (await keepsNothing(storage)) return;
    const one = await storage.openWrite(FILE, { kind: "resume", offset: 4 });
    await one.write([Buffer.from("-one")]);
    await assert.rejects(storage.openWrite(FILE, { kind: "resume", offset: 4 }));
    await one.publish();
    assert.equal(await contentOf(storage, FILE), "half-one");
  });

  storageTest("a folder that holds only kept uploads can be removed", make, async (storage) => {
    await storage.makeDirectory(at("/d"));
    await putHalf(storage, at("/d/f"), "half");
    await storage.removeDirectory(at("/d"));
    await faults(storage.stat(at("/d")), "not-found");
  });
}

/** `keep` may be a no-op: then there is nothing to find again. */
async function keepsNothing(storage: Storage): Promise<boolean> {
  const probe = at("/keeps-anything");
  await putHalf(storage, probe, "x");
  const kept = await storage.interrupted(probe);
  if (kept !== undefined) {
    await put(storage, probe, "");
    await storage.remove(probe);
  }
  return kept === undefined;
}
