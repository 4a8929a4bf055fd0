/** The local storage keeps the port's promises in each of its jails, and its own beyond them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { bytesOfText } from "../../base/bytes.ts";
import { ROOT } from "../../protocol/path.ts";
import { loadSystemCalls } from "../../sys/ffi.ts";
import { at, contentOf, faults, listed, namesIn, put, putHalf } from "../../testing/storage-suite-tools.ts";
import { storageSuite } from "../../testing/storage-suite.ts";
import type { Storage } from "../storage.ts";
import { checkName } from "./hidden.ts";
import { openLocalStorage } from "./local.ts";
import { hiddenIn, JAILS, type OpenStorage, temporaryFolder } from "./test-tools.ts";

test("the kernel's jail works on this host", { skip: loadSystemCalls() ? false : "no foreign functions here" }, () => {
  assert.equal(JAILS[0]?.[0], "local, kernel");
});

for (const [name, open] of JAILS) {
  storageSuite(name, async () => {
    const { folder, remove } = await temporaryFolder();
    const storage = await open(folder, {});
    return {
      storage,
      cleanup: async () => {
        await storage[Symbol.asyncDispose]();
        assert.deepEqual(hiddenIn(folder, /ferryman-(tmp|journal)/), []);
        await remove();
      },
    };
  });
  suite(`${name}: beyond the port`, () => registerLocalTests(open));
}

function daysAgo(count: number): number {
  return Date.now() / 1000 - count * 86_400;
}

function check(text: string, platform: NodeJS.Platform): void {
  checkName(at(text), platform);
}

type LocalTest = { readonly folder: string; readonly storage: Storage };

function registerLocalTests(open: OpenStorage): void {
  const localTest = (
    name: string,
    run: (given: LocalTest) => Promise<void>,
    options: Parameters<OpenStorage>[1] = {},
  ): void => {
    test(name, async () => {
      const { folder, remove } = await temporaryFolder();
      try {
        await using storage = await open(folder, options);
        await run({ folder, storage });
      } finally {
        await remove();
      }
    });
  };

  localTest(
    "only plain files are opened, and nothing waits for the other end of a FIFO",
    async ({ folder, storage }) => {
      execFileSync("mkfifo", [join(folder, "fifo")]);
      assert.equal((await storage.stat(at("/fifo"))).kind, "other");
      await faults(storage.openRead(at("/fifo")), "not-a-file");
      for (const kind of ["replace", "append"] as const) {
        await faults(storage.openWrite(at("/fifo"), { kind }), "not-a-file");
      }
      await storage.remove(at("/fifo"));
    },
  );

  localTest("a kept upload is a hidden file beside its target, gone from listings after a week", async (given) => {
    const { folder, storage } = given;
    await putHalf(storage, at("/f"), "half");
    const [part = ""] = hiddenIn(folder, /^(?!.*journal)/);
    assert.match(part, /^\.ferryman-part\.[0-9a-f]{32}$/);
    fs.utimesSync(join(folder, part), daysAgo(6), daysAgo(6));
    assert.deepEqual(await namesIn(storage, ROOT), []);
    assert.equal(await storage.interrupted(at("/f")), 4);
    fs.utimesSync(join(folder, part), daysAgo(8), daysAgo(8));
    assert.deepEqual(await namesIn(storage, ROOT), []);
    assert.equal(await storage.interrupted(at("/f")), undefined);
    assert.deepEqual(hiddenIn(folder, /^(?!.*journal)/), []);
  });

  localTest("a listing removes a day-old temporary that no journal named, and no younger one", async (given) => {
    const { folder, storage } = given;
    const [old, young] = [".ferryman-tmp.1.0a", ".ferryman-tmp.1.0b"];
    for (const name of [old, young]) fs.writeFileSync(join(folder, name), "x");
    fs.utimesSync(join(folder, old), 1, 1);
    assert.deepEqual(await namesIn(storage, ROOT), []);
    assert.deepEqual(hiddenIn(folder, /./), [young]);
  });

  localTest("a replaced file is a new inode with the old bits; hard links keep the old content", async (given) => {
    const { folder, storage } = given;
    fs.writeFileSync(join(folder, "f"), "old");
    fs.chmodSync(join(folder, "f"), 0o4711);
    fs.linkSync(join(folder, "f"), join(folder, "g"));
    await put(storage, at("/f"), "new");
    assert.equal(await contentOf(storage, at("/g")), "old");
    assert.equal(fs.statSync(join(folder, "f")).mode & 0o7777, 0o711);
  });

  localTest("two names of one file have one `unique`", async ({ folder, storage }) => {
    fs.writeFileSync(join(folder, "f"), "");
    fs.linkSync(join(folder, "f"), join(folder, "g"));
    const [f, g] = await listed(storage, ROOT);
    assert.equal(f?.unique, g?.unique);
    assert.equal(f?.links, 2);
  });

  localTest(
    "above the copy limit an append works in place and is cut back",
    async ({ folder, storage }) => {
      fs.writeFileSync(join(folder, "f"), "0123456789");
      const { ino } = fs.statSync(join(folder, "f"));
      const first = await storage.openWrite(at("/f"), { kind: "append" });
      await first.write([Buffer.from("xyz")]);
      await faults(storage.openWrite(at("/f"), { kind: "append" }), "busy");
      await first[Symbol.asyncDispose]();
      assert.equal(await contentOf(storage, at("/f")), "0123456789");
      await put(storage, at("/f"), "+", { kind: "append" });
      assert.equal(await contentOf(storage, at("/f")), "0123456789+");
      assert.equal(fs.statSync(join(folder, "f")).ino, ino);
      await put(storage, at("/f"), "M", { kind: "resume", offset: 5 });
      assert.equal(await contentOf(storage, at("/f")), "01234M6789+");
      assert.notEqual(fs.statSync(join(folder, "f")).ino, ino, "the middle is changed in a copy");
    },
    { appendCopyLimit: 4 },
  );

  localTest(
    "the mask that was asked for holds",
    async ({ folder, storage }) => {
      await put(storage, at("/f"), "");
      await storage.makeDirectory(at("/d"));
      assert.equal(fs.statSync(join(folder, "f")).mode & 0o777, 0o604);
      assert.equal(fs.statSync(join(folder, "d")).mode & 0o777, 0o705);
    },
    { umask: 0o072 },
  );

  localTest(
    "without links: a link in any place of a path is denied",
    async ({ folder, storage }) => {
      fs.mkdirSync(join(folder, "d"));
      fs.writeFileSync(join(folder, "d/f"), "");
      fs.symlinkSync("d", join(folder, "l"));
      fs.symlinkSync("d/f", join(folder, "lf"));
      for (const path of ["/l/f", "/l", "/lf"].map(at)) await faults(storage.stat(path), "denied");
      for (const path of ["/l/f", "/lf"].map(at)) {
        await faults(storage.openRead(path), "denied");
        await faults(storage.openWrite(path, { kind: "replace" }), "denied");
        await faults(storage.setTimes(path, { modified: 0 }), "denied");
      }
      await faults(listed(storage, at("/l")), "denied");
      await faults(storage.makeDirectory(at("/l/x")), "denied");
      assert.equal((await storage.stat(at("/lf"), "keep")).kind, "link");
      await storage.remove(at("/lf"));
    },
    { followLinks: false },
  );

  localTest("owners are names of this host, or hidden", async ({ folder, storage }) => {
    const name = process.getuid?.() === 0 ? "root" : /^[!-~]+$/;
    assert.match((await storage.stat(ROOT)).owner, new RegExp(name));
    await using shy = await open(folder, { showOwners: false });
    const { owner, group } = await shy.stat(ROOT);
    assert.deepEqual([owner, group], ["ftp", "ftp"]);
  });

  localTest("a storage that was closed serves nothing", async ({ folder }) => {
    const closed = await open(folder, {});
    await closed[Symbol.asyncDispose]();
    await closed[Symbol.asyncDispose]();
    await faults(closed.stat(ROOT), "io");
    await faults(listed(closed, ROOT), "io");
  });

  localTest(
    "removing the folder that is another storage's root takes its journal along",
    async ({ folder, storage }) => {
      fs.mkdirSync(join(folder, "home/.ferryman-journal"), { recursive: true });
      fs.writeFileSync(join(folder, "home/.ferryman-journal/.ferryman-journal.1.0.plain.00"), "");
      await storage.removeDirectory(at("/home"));
      assert.deepEqual(fs.readdirSync(folder), []);
    },
  );

  localTest("a full disk is told, and what was there stays", async ({ folder }) => {
    const outcome = onTinyDisk(folder, open);
    if (outcome === "cannot mount") return;
    assert.deepEqual(JSON.parse(outcome), { fault: "full", content: "good", names: ["f"], hidden: [] });
  });
}

/** Runs a small program in a mount namespace of its own with a tmpfs of 64 KiB; needs root. */
function onTinyDisk(folder: string, open: OpenStorage): string {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "cannot mount";
  const name = JAILS.find(([, opener]) => opener === open)?.[0];
  const program = `
    const { JAILS } = await import(${JSON.stringify(new URL("test-tools.ts", import.meta.url).href)});
    const tools = await import(${JSON.stringify(new URL("../../testing/storage-suite-tools.ts", import.meta.url).href)});
    const { readdirSync } = await import("node:fs");
    const open = JAILS.find(([name]) => name === ${JSON.stringify(name)})[1];
    const root = ${JSON.stringify(folder)};
    let fault, content, names;
    {
      await using storage = await open(root, {});
      await tools.put(storage, tools.at("/f"), "good");
      await tools.put(storage, tools.at("/f"), "x".repeat(200000)).catch((error) => { fault = error.fault; });
      content = await tools.contentOf(storage, tools.at("/f"));
      names = await tools.namesIn(storage, tools.at("/"));
    }
    const hidden = readdirSync(root).filter((name) => name.startsWith("."));
    console.log(JSON.stringify({ fault, content, names, hidden }));`;
  try {
    return execFileSync(
      "unshare",
      ["-m", "sh", "-c", 'mount -t tmpfs -o size=64k tmpfs "$1" && exec "$2" --input-type=module -e "$3"', "sh"].concat(
        [folder, process.execPath, program],
      ),
      { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
    );
  } catch (error) {
    if (/mount|unshare/.test(String(error instanceof Error && "stderr" in error ? error.stderr : "")))
      return "cannot mount";
    throw error;
  }
}

test("a missing root is told to the operator", async () => {
  const { folder, remove } = await temporaryFolder();
  try {
    fs.writeFileSync(join(folder, "f"), "");
    for (const jail of ["auto", "portable"] as const) {
      await assert.rejects(openLocalStorage(join(folder, "no"), { jail }), /cannot serve .*no: it does not exist/);
      await assert.rejects(openLocalStorage(join(folder, "f"), { jail }), /it is not a folder/);
    }
    await assert.rejects(openLocalStorage("/proc", {}), /cannot serve \/proc/);
  } finally {
    await remove();
  }
});

test("attacks 23 and 52: names that Windows reads otherwise are refused there and plain elsewhere", () => {
  for (const text of ["/a\\b", "/a:b", "/CON", "/d/nul.txt", "/com1", "/a.", "/a /b", "/x?", "/a\\..\\b"]) {
    assert.throws(() => check(text, "win32"), /bad-name/, text);
    check(text, "linux");
  }
  for (const text of ["/con1", "/a.b", "/console", "/d/e"]) check(text, "win32");
  assert.throws(() => check(`/${bytesOfText("x/").repeat(3000)}`, "linux"), /bad-name/);
});
