/** Replacing files: whole or not at all, one writer at a time, and no lock that outlives its holder. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, readdir, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FileLocked, replaceFile } from "./replace-file.ts";

/** Beyond every process id of Linux (at most 2^22) and macOS. */
const NO_PROCESS = 2 ** 30;

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-replace-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a new file is its owner's alone; one that was there keeps what its group may read", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "f");
    await replaceFile(file, (before) => `${before}one`);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    for (const [mode, after] of [
      [0o644, 0o640],
      [0o666, 0o640],
      [0o600, 0o600],
      [0o400, 0o600],
    ] as const) {
      await chmod(file, mode);
      await replaceFile(file, (before) => `${before}.`);
      assert.equal((await stat(file)).mode & 0o777, after, mode.toString(8));
    }
    assert.equal(await readFile(file, "utf8"), "one....");
    assert.deepEqual(await readdir(folder), ["f"]);
  });
});

test("a change that fails, or changes nothing, leaves the very file and nothing beside it", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "f");
    await writeFile(file, "text");
    const { ino } = await stat(file);
    await assert.rejects(
      replaceFile(file, () => {
        throw new Error("no");
      }),
      /^Error: no$/,
    );
    await replaceFile(file, (before) => before);
    assert.equal((await stat(file)).ino, ino);
    assert.deepEqual(await readdir(folder), ["f"]);
  });
});

test("a link stays one, and what it names is changed", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "real"), "1");
    await symlink("real", join(folder, "link"));
    await replaceFile(join(folder, "link"), (before) => `${before}2`);
    assert.equal(await readFile(join(folder, "real"), "utf8"), "12");
    assert.deepEqual((await readdir(folder)).toSorted(), ["link", "real"]);
  });
});

test("twenty writers at once: no change is lost", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "f");
    const numbers = Array.from({ length: 20 }, (_, at) => at);
    await Promise.all(numbers.map(async (at) => await replaceFile(file, (before) => `${before}${at}\n`)));
    const lines = (await readFile(file, "utf8")).trim().split("\n").map(Number);
    assert.deepEqual(
      lines.toSorted((left, right) => left - right),
      numbers,
    );
    assert.deepEqual(await readdir(folder), ["f"]);
  });
});

test("the lock of a process that is gone is taken over, by many at once too", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "f");
    await writeFile(`${file}.lock`, JSON.stringify({ pid: NO_PROCESS, host: hostname(), id: "x" }));
    const numbers = Array.from({ length: 10 }, (_, at) => at);
    await Promise.all(numbers.map(async () => await replaceFile(file, (before) => `${before}.`)));
    assert.equal(await readFile(file, "utf8"), "..........");
    assert.deepEqual(await readdir(folder), ["f"]);
  });
});

test("a lock of another host counts as left behind after a minute, not before", async (context) => {
  await withFolder(async (folder) => {
    const file = join(folder, "f");
    await writeFile(`${file}.lock`, JSON.stringify({ pid: process.pid, host: `not-${hostname()}`, id: "x" }));
    const longAgo = new Date(Date.now() - 61_000);
    await utimes(`${file}.lock`, longAgo, longAgo);
    await replaceFile(file, () => "free");
    assert.equal(await readFile(file, "utf8"), "free");
    await writeFile(`${file}.lock`, JSON.stringify({ pid: process.pid, host: `not-${hostname()}`, id: "x" }));
    // The clock of the wait runs faster; its pauses do not.
    let now = 0;
    context.mock.method(performance, "now", () => (now += 4_000));
    await assert.rejects(
      replaceFile(file, () => "taken"),
      FileLocked,
    );
    assert.equal(await readFile(file, "utf8"), "free");
  });
});

test("who has lost the lock meanwhile writes nothing, and leaves the other's lock", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "f");
    const work = replaceFile(file, async () => {
      await writeFile(`${file}.lock`, "another's");
      return "mine";
    });
    await assert.rejects(work, FileLocked);
    assert.deepEqual(await readdir(folder), ["f.lock"]);
  });
});
