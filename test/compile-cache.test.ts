/** Compiled code is taken from a folder alone in which nobody else could put it: root runs what lies there. */
import assert from "node:assert/strict";
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "./support/run.ts";

const LAUNCHER = join(import.meta.dirname, "..", "bin", "ferryman.cjs");
const { isOurs }: { isOurs: (folder: string) => boolean } = createRequire(import.meta.url)("../bin/compile-cache.cjs");

test("a folder that others can write to, or that lies in one, is not ours", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-cache-"));
  try {
    const inner = join(folder, "inner");
    await mkdir(inner);
    assert.equal(isOurs(inner), true);
    await chmod(folder, 0o777);
    assert.deepEqual([isOurs(folder), isOurs(inner)], [false, false]);
    await chmod(folder, 0o700);
    if (process.getuid?.() === 0) {
      await chown(folder, 65_534, 65_534);
      assert.equal(isOurs(inner), false);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a home without a folder for caches gets one; another's does not", async () => {
  const home = await mkdtemp(join(tmpdir(), "ferryman-home-"));
  try {
    const { XDG_CACHE_HOME: _none, ...rest } = process.env;
    const start = async (): Promise<unknown> =>
      run(process.execPath, [LAUNCHER, "--version"], { env: { ...rest, HOME: home } });
    await start();
    assert.equal((await stat(join(home, ".cache"))).mode & 0o777, 0o700);
    assert.deepEqual(await readdir(join(home, ".cache")), ["ferryman"]);
    await rm(join(home, ".cache"), { recursive: true });
    await chmod(home, 0o777);
    await start();
    assert.deepEqual(await readdir(home), []);
  } finally {
    await rm(home, { recursive: true });
  }
});

test("a start fills the cache; in a folder of everybody it leaves it alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-cache-"));
  try {
    const env = { ...process.env, XDG_CACHE_HOME: folder };
    const start = async (): Promise<unknown> => run(process.execPath, [LAUNCHER, "--version"], { env });
    await start();
    assert.notDeepEqual(await readdir(join(folder, "ferryman")), []);
    await rm(join(folder, "ferryman"), { recursive: true });
    await chmod(folder, 0o777);
    await start();
    assert.deepEqual(await readdir(folder), []);
  } finally {
    await rm(folder, { recursive: true });
  }
});
