/** Attacks on the jail, by the row numbers of docs/TRUST.md: paths, links, races, other views of the host. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import fc from "fast-check";
import { bytesOf, bytesOfText } from "../../src/base/bytes.ts";
import { resolvePath, ROOT, type VirtualPath } from "../../src/protocol/path.ts";
import { checkName } from "../../src/storage/local/hidden.ts";
import { openLocalStorage } from "../../src/storage/local/local.ts";
import {
  hiddenIn,
  JAILS,
  type OpenStorage,
  RACE_SAFE_JAILS,
  temporaryFolder,
} from "../../src/storage/local/test-tools.ts";
import { type Storage, StorageError } from "../../src/storage/storage.ts";
import { at, contentOf, faults, listed, namesIn, put, putHalf } from "../../src/testing/storage-suite-tools.ts";

/** Paths of the differential test for each jail; 10^6 with FERRYMAN_FUZZ_PATHS=1000000. */
const FUZZ_PATHS = Number(process.env["FERRYMAN_FUZZ_PATHS"] ?? 100_000);
const SWAPS = 100_000;
const RACE_MILLISECONDS = 5000;

for (const [name, open] of JAILS) {
  suite(`attacks on storage: ${name}`, () => {
    registerKernelViewTests(open);
    registerLinkTests(open);
    // The jails that this host would not choose share most of their way: a tenth is enough.
    registerPathTests(open, RACE_SAFE_JAILS.some(([safe]) => safe === name) ? FUZZ_PATHS : FUZZ_PATHS / 10);
  });
}
for (const [name, open] of RACE_SAFE_JAILS) suite(`races on storage: ${name}`, () => registerRaceTest(open));

function registerKernelViewTests(open: OpenStorage): void {
  test("attack 20: no path leads through /proc, /sys or /dev/fd", { skip: missingMounts() }, async () => {
    for (const followLinks of [true, false]) {
      await using storage = await open("/", { followLinks });
      const paths = ["/proc", "/proc/self/root/etc/passwd", "/proc/1/root", "/proc/self/cwd", "/proc/self/fd/0"];
      paths.push("/proc/self/environ", "/proc/sys/kernel/hostname", "/sys", "/sys/kernel", "/dev/fd", "/dev/fd/0");
      for (const path of paths.map(at)) {
        await faults(storage.stat(path), "denied");
        await faults(storage.openRead(path), "denied");
        await faults(storage.openWrite(path, { kind: "append" }), "denied");
        await faults(listed(storage, path), "denied");
      }
      await faults(storage.rename(at("/proc/self/root/etc/no-such"), at("/tmp/x"), "refuse"), "denied");
      await faults(storage.makeDirectory(at("/sys/x")), "denied");
      await faults(storage.openRead(at("/dev/zero")), "not-a-file");
      assert.equal((await storage.stat(at("/etc"))).kind, "directory");
    }
  });

  test("attack 20: a link into /proc is no way either", { skip: missingMounts() }, async () => {
    const { folder, remove } = await temporaryFolder();
    try {
      fs.symlinkSync("/proc/self/root", join(folder, "l"));
      await using storage = await open(folder, {});
      await faults(storage.stat(at("/l/etc/passwd")), "not-found");
      for (const jail of ["auto", "portable"] as const) {
        await assert.rejects(openLocalStorage("/proc/self", { jail }), /cannot serve/);
      }
    } finally {
      await remove();
    }
  });
}

/** Why attack 20 has nothing to try here; false where all is there. */
function missingMounts(): string | false {
  const missing = ["/proc/self/root", "/sys/kernel", "/dev/fd/0"].filter((path) => !fs.existsSync(path));
  return missing.length === 0 ? false : `${missing.join(", ")} not there (another system, or not mounted)`;
}

function registerLinkTests(open: OpenStorage): void {
  const jailTest = (name: string, run: (given: Jailed) => Promise<void>): void => {
    test(name, async () => {
      const { folder, remove } = await temporaryFolder();
      const [inside, outside] = [join(folder, "inside"), join(folder, "outside")];
      fs.mkdirSync(inside);
      fs.mkdirSync(outside);
      fs.writeFileSync(join(outside, "secret"), "secret", { mode: 0o644 });
      try {
        await using storage = await open(inside, {});
        await run({ inside, outside, storage });
      } finally {
        await remove();
      }
    });
  };

  jailTest("attack 24: a link out of the jail reads, lists, writes nothing", async ({ inside, outside, storage }) => {
    fs.symlinkSync("/etc", join(inside, "to-etc"));
    fs.symlinkSync("/etc/passwd", join(inside, "passwd"));
    fs.symlinkSync("../outside", join(inside, "up"));
    fs.symlinkSync(outside, join(inside, "abs"));
    fs.symlinkSync("/", join(inside, "top"));
    const before = picture(outside);
    for (const path of ["/to-etc", "/to-etc/passwd", "/passwd", "/up", "/up/secret", "/abs", "/abs/secret"].map(at)) {
      await faults(storage.stat(path), "not-found");
      await faults(storage.openRead(path), "not-found");
      await faults(listed(storage, path), "not-found");
    }
    for (const path of ["/to-etc/x", "/passwd/x", "/up/x", "/abs/x", "/abs/secret"].map(at)) {
      await faults(storage.makeDirectory(path), "not-found");
      await faults(put(storage, path, "x"), "not-found");
      await faults(storage.remove(path), "not-found");
    }
    assert.deepEqual(await namesIn(storage, at("/top")), ["abs", "passwd", "to-etc", "top", "up"]);
    await faults(put(storage, at("/passwd"), "x"), "not-found");
    assert.deepEqual(picture(outside), before);
  });

  jailTest("attack 27: the root is held, whatever its path is by now", async ({ inside, outside }) => {
    fs.writeFileSync(join(inside, "mine"), "");
    const way = join(inside, "../way");
    fs.symlinkSync("inside", way);
    await using storage = await open(way, {});
    fs.unlinkSync(way);
    fs.symlinkSync("outside", way);
    assert.deepEqual(await namesIn(storage, ROOT), ["mine"]);
    fs.renameSync(inside, `${inside}.old`);
    fs.renameSync(outside, inside);
    // Held by descriptor it goes on; held by path it notices and refuses.
    const names = await namesIn(storage, ROOT).catch((error: unknown) =>
      error instanceof StorageError ? error.fault : "",
    );
    assert.ok(names === "denied" || (Array.isArray(names) && names[0] === "mine"), String(names));
    fs.renameSync(`${inside}.old`, outside);
  });

  jailTest("attack 28: what a hard link leads to is never written over", async ({ inside, outside }) => {
    const secret = join(outside, "secret");
    await using storage = await open(inside, { appendCopyLimit: 0 });
    const before = picture(outside);
    for (const kind of ["replace", "append"] as const) {
      fs.linkSync(secret, join(inside, "f"));
      await put(storage, at("/f"), "overwritten", { kind });
      await storage.remove(at("/f"));
    }
    fs.linkSync(secret, join(inside, "f"));
    await put(storage, at("/f"), "X", { kind: "resume", offset: 2 });
    assert.equal(await contentOf(storage, at("/f")), "seXret");
    await storage.remove(at("/f"));
    fs.linkSync(secret, join(inside, "f"));
    await putHalf(storage, at("/f"), "X");
    await storage.remove(at("/f"));
    assert.deepEqual(picture(outside), before);
  });

  jailTest("attack 28: refused, hard links are neither read nor changed", async ({ inside, outside }) => {
    fs.linkSync(join(outside, "secret"), join(inside, "f"));
    await using storage = await open(inside, { hardLinks: "refuse" });
    const before = picture(outside);
    await faults(storage.openRead(at("/f")), "denied");
    await faults(storage.openWrite(at("/f"), { kind: "append" }), "denied");
    await faults(storage.openWrite(at("/f"), { kind: "resume", offset: 1 }), "denied");
    await faults(storage.setTimes(at("/f"), { modified: 0 }), "denied");
    if (storage.setMode) await faults(storage.setMode(at("/f"), 0o777), "denied");
    await put(storage, at("/f"), "mine");
    assert.equal(await contentOf(storage, at("/f")), "mine");
    assert.deepEqual(
      picture(outside).map(({ text }) => text),
      before.map(({ text }) => text),
    );
  });

  test("attack 23: a backslash is a plain byte on POSIX and refused on Windows", async () => {
    const { folder, remove } = await temporaryFolder();
    try {
      await using storage = await open(folder, {});
      const path = resolvePath(ROOT, bytesOfText("..\\..\\etc"));
      await put(storage, path, "plain");
      assert.deepEqual(
        fs.readdirSync(folder).filter((entry) => !entry.startsWith(".ferryman")),
        ["..\\..\\etc"],
      );
      assert.throws(() => checkName(path, "win32"), /bad-name/);
    } finally {
      await remove();
    }
  });
}

type Jailed = { readonly inside: string; readonly outside: string; readonly storage: Storage };

/** All that an outsider could have changed in a folder. */
function picture(folder: string) {
  return fs.readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const path = join(folder, entry.name);
    const { mode, mtimeMs, ino, size } = fs.lstatSync(path);
    return { name: entry.name, mode, mtimeMs, ino, size, text: entry.isFile() ? fs.readFileSync(path, "latin1") : "" };
  });
}

/** Parts that normalisers have disagreed about: octets, one character each. */
const PARTS = [
  "a",
  "b",
  "..;",
  "\\",
  "..\\",
  "a.",
  "a ",
  " ",
  "...",
  "%2e%2e",
  "~",
  "*",
  "\xe2\x88\x95",
  "\xc0\xaf",
  "\xc0\xae",
];
const JOINTS = ["/", "//", "/./", "/../", "/x/../", "/././/", "\\", "/.", "./", "\0", "/..;/", "/ "];

function registerPathTests(open: OpenStorage, runs: number): void {
  test(`attack 21: the path that policy sees is the path that is opened (${runs})`, async () => {
    const { folder, remove } = await temporaryFolder();
    try {
      for (const one of PARTS) {
        for (const two of PARTS) {
          const path = Buffer.from(`${folder}/${one}/${two}`, "latin1");
          fs.mkdirSync(path, { recursive: true });
          fs.writeFileSync(Buffer.concat([path, Buffer.from("/f")]), "");
        }
      }
      await using storage = await open(folder, {});
      const part = fc.constantFrom(...PARTS);
      const joint = fc.oneof({ weight: 6, arbitrary: fc.constant("/") }, fc.constantFrom(...JOINTS));
      const odd = fc.oneof({ weight: 8, arbitrary: part }, fc.constantFrom("..", ".", "f", "", "\u00ff"));
      const shape = fc.tuple(
        joint,
        odd,
        joint,
        odd,
        joint,
        fc.constantFrom("f", "f", "f", "f/", "f/.", "f\0", "../f", "F"),
      );
      let opened = 0;
      await fc.assert(
        fc.asyncProperty(shape, async (pieces) => {
          const path = resolvePath(ROOT, bytesOf(Buffer.from(pieces.join(""), "latin1")));
          const found = await inodeOf(storage, path);
          assert.equal(found, inodeAt(folder, path));
          if (found !== undefined) opened += 1;
        }),
        { numRuns: runs },
      );
      assert.ok(opened > runs / 20, `only ${opened} paths led to a file`);
    } finally {
      await remove();
    }
  });
}

/** The file that the storage opens, undefined for a path that it refuses. */
async function inodeOf(storage: Storage, path: VirtualPath): Promise<string | undefined> {
  try {
    await using reader = await storage.openRead(path);
    return reader.entry.unique.split(".").at(-1);
  } catch (error) {
    assert.ok(error instanceof StorageError, String(error));
    return undefined;
  }
}

/** The plain file that the host has at that very path, spelled out byte for byte. */
function inodeAt(folder: string, path: VirtualPath): string | undefined {
  if (path.includes("\0")) return undefined;
  try {
    const stat = fs.lstatSync(Buffer.from(folder + path, "latin1"), { bigint: true });
    return stat.isFile() ? stat.ino.toString(16) : undefined;
  } catch {
    return undefined;
  }
}

/** Swaps `dir` and `swap` for ever: in one step where the kernel can, else by renaming in turns. */
function swapper(folder: string): string {
  return `
    const fs = await import("node:fs");
    const { createRequire } = await import("node:module");
    process.chdir(${JSON.stringify(folder)});
    let swap = () => { fs.renameSync("dir", "t"); fs.renameSync("swap", "dir"); fs.renameSync("t", "swap"); };
    try {
      const koffi = createRequire(${JSON.stringify(import.meta.url)})("koffi");
      const renameat2 = koffi.load("libc.so.6").func("int renameat2(int, str, int, str, uint)");
      const inOneStep = () => renameat2(-100, "dir", -100, "swap", 2);
      if (inOneStep() === 0) swap = inOneStep;
    } catch {}
    for (let i = 1; ; i++) { swap(); if (i % 10000 === 0) fs.writeSync(1, "."); }`;
}

function registerRaceTest(open: OpenStorage): void {
  test(`attack 25: a folder that is swapped for a link ${SWAPS} times lets nothing out`, async () => {
    const { folder, remove } = await temporaryFolder();
    const [inside, outside] = [join(folder, "inside"), join(folder, "outside")];
    for (const path of [inside, outside, join(inside, "dir"), join(outside, "sub")]) fs.mkdirSync(path);
    for (const name of ["secret", "victim", "f"]) fs.writeFileSync(join(outside, name), "outside");
    fs.writeFileSync(join(inside, "dir/secret"), "inside");
    fs.symlinkSync("../outside", join(inside, "swap"));
    const before = picture(outside);
    const swapping = spawn(process.execPath, ["--input-type=module", "-e", swapper(inside)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await using storage = await open(inside, {});
      const outcome = await attackWhile(swapping, storage);
      assert.ok(outcome.swaps >= SWAPS, `only ${outcome.swaps} swaps`);
      assert.ok(outcome.done > 100 && outcome.refused > 100, `no race: ${JSON.stringify(outcome)}`);
      assert.deepEqual(picture(outside), before);
      assert.deepEqual(hiddenIn(outside, /ferryman/), []);
    } finally {
      swapping.kill("SIGKILL");
      if (swapping.exitCode === null && swapping.signalCode === null) await once(swapping, "exit");
      await remove();
    }
  });
}

type Outcome = { done: number; refused: number; swaps: number };

async function attackWhile(swapping: ChildProcess, storage: Storage): Promise<Outcome> {
  const outcome: Outcome = { done: 0, refused: 0, swaps: 0 };
  swapping.stdout?.on("data", (dots: Buffer) => (outcome.swaps += 10_000 * dots.length));
  const attempt = async (work: Promise<unknown>): Promise<void> => {
    try {
      await work;
      outcome.done += 1;
    } catch (error) {
      assert.ok(error instanceof StorageError, String(error));
      outcome.refused += 1;
    }
  };
  const end = Date.now() + RACE_MILLISECONDS;
  for (let i = 0; Date.now() < end || outcome.swaps < SWAPS; i++) {
    assert.ok(swapping.exitCode === null && Date.now() < end + 20_000, "the swapping stopped");
    const fresh = at(`/dir/new${i % 50}`);
    await attempt(put(storage, at("/dir/f"), "from the client"));
    await attempt(put(storage, at("/dir/victim"), "+", { kind: "append" }));
    await attempt(storage.makeDirectory(fresh));
    await attempt(storage.rename(fresh, at(`/dir/moved${i % 50}`), "refuse"));
    await attempt(storage.removeDirectory(at(`/dir/moved${i % 50}`)));
    await attempt(storage.remove(at("/dir/f")));
    await attempt(storage.setTimes(at("/dir/victim"), { modified: 1000 }));
    await attempt(Promise.resolve(storage.setMode?.(at("/dir/secret"), 0o600)));
    await attempt(storage.makeLink?.(at(`/dir/link${i % 50}`), bytesOfText("secret")) ?? Promise.resolve());
    await attempt(storage.remove(at(`/dir/link${i % 50}`)));
    const secret = await contentOf(storage, at("/dir/secret")).catch(() => "");
    assert.notEqual(secret, "outside");
    const names = await namesIn(storage, at("/dir")).catch((): string[] => []);
    assert.ok(!names.includes("sub"));
  }
  return outcome;
}
