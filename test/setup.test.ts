/** What stands before the first line of TypeScript: set-up, launcher and the search for a recent Node. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";

const ROOT = join(import.meta.dirname, "..");
const require = createRequire(import.meta.url);

type Lock = { readonly packages: Readonly<Record<string, object>> };
type Package = { readonly name: string; readonly program: string };
const node: {
  isRecent(version: string): boolean;
  pinnedNode(root: string): string | undefined;
} = require("../bin/find-node.cjs");
const setup: {
  followsLock(lock: Lock, installed: Lock): boolean;
  remedyFor(output: string): string;
} = require("../scripts/setup.cjs");
const installLock: {
  acquire(
    file: string,
    say: (text: string) => void,
  ): {
    add(pid: number): void;
    release(): void;
  };
} = require("../scripts/install-lock.cjs");
const debian: {
  missing(packages: readonly Package[], folders: readonly string[]): readonly Package[];
} = require("../scripts/debian-packages.cjs");

/** A checkout without packages, in which the launcher takes the Node that runs it for too old. */
async function checkout(): Promise<AsyncDisposable & { readonly root: string }> {
  const root = await mkdtemp(join(tmpdir(), "ferryman-setup-"));
  await cp(join(ROOT, "bin"), join(root, "bin"), { recursive: true });
  await writeFile(join(root, "old.cjs"), 'Object.defineProperty(process.versions, "node", { value: "20.20.2" });');
  return { root, [Symbol.asyncDispose]: async () => rm(root, { recursive: true }) };
}

function launch(root: string, ...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const command = ["--require", join(root, "old.cjs"), join(root, "bin", "ferryman.cjs"), ...args];
  return spawnSync(process.execPath, command, { encoding: "utf8" });
}

test("24.15 is recent enough, 24.14 is not", () => {
  assert.deepEqual(
    ["24.15.0", "24.21.0", "26.0.0", "100.0.0"].map((version) => node.isRecent(version)),
    [true, true, true, true],
  );
  assert.deepEqual(
    ["24.14.9", "22.99.0", "8.0.0"].map((version) => node.isRecent(version)),
    [false, false, false],
  );
});

suite("an install counts when it follows the lockfile", () => {
  const lock = {
    packages: {
      "": {},
      "tools/node24": {},
      "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
      "node_modules/b": { version: "2.0.0", optional: true },
    },
  };
  test("whole, with or without the optional ones", () => {
    const { "node_modules/a": a, "node_modules/b": b } = lock.packages;
    assert.ok(setup.followsLock(lock, { packages: { "node_modules/a": a, "node_modules/b": b } }));
    assert.ok(setup.followsLock(lock, { packages: { "node_modules/a": a } }));
  });
  test("not with a package missing, of another version, or with other bytes", () => {
    const wrong = [{}, { version: "1.0.1", integrity: "sha512-a" }, { version: "1.0.0", integrity: "sha512-x" }];
    for (const a of wrong) assert.ok(!setup.followsLock(lock, { packages: { "node_modules/a": a } }));
    assert.ok(!setup.followsLock(lock, { packages: {} }));
  });
});

test("npm's failures are turned into what to do", () => {
  assert.match(setup.remedyFor("npm error code EACCES\nnpm error syscall mkdir"), /Own the folder/);
  assert.match(setup.remedyFor("npm error code ENOTFOUND"), /registry cannot be reached/);
  assert.match(setup.remedyFor("npm error nospc ENOSPC: no space left"), /disk is full/);
  assert.match(setup.remedyFor("something else"), /its words are above/);
});

test("a Debian package is missing when its program is nowhere", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-setup-"));
  await writeFile(join(folder, "lftp"), "");
  const [lftp, curl] = [
    { name: "lftp", program: "lftp" },
    { name: "curl", program: "curl" },
  ];
  assert.deepEqual(debian.missing([lftp, curl], [folder]), [curl]);
  await rm(folder, { recursive: true });
});

suite("the launcher on an old Node", () => {
  test("says what to do in an installed package, and exits with 78", async () => {
    await using place = await checkout();
    const { status, stderr } = launch(place.root, "serve");
    assert.equal(status, 78);
    assert.match(stderr, /needs Node\.js 24\.15 or later; this is 20\.20\.2\.\n.*npx -y -p node@24/);
  });

  test("says what to do in a checkout without packages", async () => {
    await using place = await checkout();
    await mkdir(join(place.root, "src", "cli"), { recursive: true });
    await writeFile(join(place.root, "src", "cli", "start.ts"), "");
    const { status, stderr } = launch(place.root, "serve");
    assert.equal(status, 78);
    assert.match(stderr, /npm start/);
  });

  test("runs again on the pinned Node, with arguments, descriptors and exit code passed on", async () => {
    await using place = await checkout();
    const { root } = place;
    await mkdir(join(root, "src", "cli"), { recursive: true });
    await writeFile(
      join(root, "src", "cli", "start.ts"),
      'import { writeSync } from "node:fs"; writeSync(1, process.argv.slice(2).join()); process.exitCode = 75;',
    );
    await mkdir(join(root, "node_modules", ".bin"), { recursive: true });
    await symlink(process.execPath, join(root, "node_modules", ".bin", "node"));
    const outcome = launch(root, "serve", "x y");
    assert.equal(outcome.stderr, "");
    assert.equal(outcome.stdout, "serve,x y");
    assert.equal(outcome.status, 75);
  });

  test("does not start for ever when the pinned Node is too old as well", async () => {
    await using place = await checkout();
    const { root } = place;
    await mkdir(join(root, "src", "cli"), { recursive: true });
    await mkdir(join(root, "node_modules", ".bin"), { recursive: true });
    await writeFile(join(root, "src", "cli", "start.ts"), "");
    const script = `#!/bin/sh\nexec "${process.execPath}" --require "${join(root, "old.cjs")}" "$@"\n`;
    await writeFile(join(root, "node_modules", ".bin", "node"), script, { mode: 0o755 });
    const { status, stderr } = launch(root, "serve");
    assert.equal(status, 78);
    assert.match(stderr, /needs Node\.js/);
  });
});

function file(root: string): string {
  return join(root, "lock");
}

suite("one install at a time", () => {
  test("a lock whose processes are gone is taken over, and released", async () => {
    await using made = await checkout();
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    await writeFile(file(made.root), `${gone}\n`);
    const lock = installLock.acquire(file(made.root), assert.fail);
    assert.equal(await readFile(file(made.root), "utf8"), `${process.pid}\n`);
    lock.release();
    assert.deepEqual((await readdir(made.root)).toSorted(), ["bin", "old.cjs"]);
  });

  test("npm still at work holds it, though the set-up that started npm is gone", async () => {
    await using made = await checkout();
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    using npm = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
    await writeFile(file(made.root), `${gone}\n${npm.pid}\n`);
    const script = `const lock = require(${JSON.stringify(join(ROOT, "scripts", "install-lock.cjs"))});
      lock.acquire(process.argv[1], (text) => console.log(text)).release();`;
    using second = spawn(process.execPath, ["-e", script, file(made.root)], { stdio: ["ignore", "pipe", "inherit"] });
    const [told] = await once(second.stdout, "data");
    assert.match(String(told), new RegExp(`process ${gone}, ${npm.pid}\\); waiting`));
    npm.stdin.end();
    assert.deepEqual(await once(second, "exit"), [0, null]);
  });
});
