/** Whole folders of the local storage: large, odd, and on disks that are slow. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { bytesOf, bytesOfText } from "../../base/bytes.ts";
import { childPath, ROOT } from "../../protocol/path.ts";
import { loadSystemCalls, OPEN, type SystemCalls } from "../../sys/ffi.ts";
import { listed } from "../../testing/storage-suite-tools.ts";
import { type NamedEntry } from "../storage.ts";
import { KernelJail } from "./kernel.ts";
import { LocalAdapter } from "./local.ts";
import { JAILS, temporaryFolder } from "./test-tools.ts";

/** More than three buffers of raw entries hold. */
const MANY = 2_500;

for (const [name, open] of JAILS) {
  suite(`${name}: whole folders`, () => {
    test("a large folder is listed once and whole, and its names are those of its entries", async () => {
      const { folder, remove } = await temporaryFolder();
      try {
        const names = Array.from({ length: MANY }, (_, at) => `${at}-${"x".repeat(at % 90)}`);
        for (const each of names) fs.writeFileSync(join(folder, each), "");
        await using storage = await open(folder, {});
        const entries = await listed(storage, ROOT);
        assert.deepEqual(
          entries.map((entry) => String(entry.name)),
          names.toSorted(),
        );
        assert.deepEqual(
          (await Array.fromAsync(storage.names?.(ROOT) ?? []))
            .flat()
            .map((each) => String(each.name))
            .toSorted(),
          names.toSorted(),
        );
      } finally {
        await remove();
      }
    });

    test("what a listing tells of odd entries is what stat tells", async () => {
      const { folder, remove } = await temporaryFolder();
      try {
        fs.writeFileSync(join(folder, "huge"), "");
        fs.truncateSync(join(folder, "huge"), 5_000_000_000);
        fs.writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.of(0xff, 10, 0xe4)]), "abc");
        for (const [each, seconds] of [
          ["before", -86_400.25],
          ["after", 6e9],
          ["moment", 1.999],
        ] as const) {
          fs.writeFileSync(join(folder, each), "");
          fs.utimesSync(join(folder, each), 0, seconds);
        }
        fs.mkdirSync(join(folder, "folder"), { mode: 0o1700 });
        fs.linkSync(join(folder, "moment"), join(folder, "again"));
        fs.symlinkSync("nowhere", join(folder, "link"));
        if (process.platform !== "win32") execFileSync("mkfifo", [join(folder, "fifo")]);
        fs.writeFileSync(join(folder, ".ferryman-x"), "");
        await using storage = await open(folder, {});
        const entries = await listed(storage, ROOT);
        for (const entry of entries) {
          assert.deepEqual(entry, await storage.stat(childPath(ROOT, entry.name), "keep"));
        }
        assert.equal(entries.find(({ name: each }) => each === "huge")?.size, 5_000_000_000);
        assert.ok(entries.some((entry) => entry.name === bytesOf(Buffer.of(0xff, 10, 0xe4))));
        const named: NamedEntry[] = (await Array.fromAsync(storage.names?.(ROOT) ?? [])).flat();
        assert.deepEqual(
          new Map(named.map((each) => [each.name, each.kind])),
          new Map(entries.toReversed().map((each) => [each.name, each.kind])),
        );
        assert.equal(named.length, entries.length);
      } finally {
        await remove();
      }
    });
  });
}

const calls = loadSystemCalls();

/** As a jail on a disk that takes so many milliseconds to tell of an entry. */
function slowly(of: SystemCalls, milliseconds: number): { readonly calls: SystemCalls; readonly onLoop: () => number } {
  let onLoop = 0;
  const { scan } = of;
  return {
    onLoop: () => onLoop,
    calls: {
      ...of,
      scan: {
        ...scan,
        statx(folder, name, into) {
          onLoop++;
          for (const end = performance.now() + milliseconds; performance.now() < end;);
          return scan.statx(folder, name, into);
        },
        async statxElsewhere(folder, name, into) {
          await delay(milliseconds);
          return scan.statxElsewhere(folder, name, into);
        },
      },
    },
  };
}

test("a folder on a slow disk is waited for elsewhere", { skip: calls === undefined }, async () => {
  assert.ok(calls);
  const { folder, remove } = await temporaryFolder();
  try {
    for (let at = 0; at < 200; at++) fs.writeFileSync(join(folder, `${at}`), "");
    const slow = slowly(calls, 2);
    const jail = new KernelJail(slow.calls, fs.openSync(folder, OPEN.path | OPEN.directory), true);
    await using storage = new LocalAdapter(jail, {});
    const entries = await listed(storage, ROOT);
    assert.equal(entries.length, 200);
    assert.ok(slow.onLoop() <= 6, `${slow.onLoop()} calls on the event loop`);
    const [entry] = entries;
    assert.deepEqual(entry, await storage.stat(childPath(ROOT, bytesOfText("0"))));
  } finally {
    await remove();
  }
});

test(
  "an entry that goes while its folder is read on a slow disk is left out",
  { skip: calls === undefined },
  async () => {
    assert.ok(calls);
    const { folder, remove } = await temporaryFolder();
    try {
      for (let at = 0; at < 20; at++) fs.writeFileSync(join(folder, `${at}`), "");
      const slow = slowly(calls, 2);
      let asked = 0;
      const scan: SystemCalls["scan"] = {
        ...slow.calls.scan,
        async statxElsewhere(...given) {
          if (asked++ === 0) for (const each of fs.readdirSync(folder)) fs.rmSync(join(folder, each));
          return slow.calls.scan.statxElsewhere(...given);
        },
      };
      const jail = new KernelJail({ ...slow.calls, scan }, fs.openSync(folder, OPEN.path | OPEN.directory), true);
      await using storage = new LocalAdapter(jail, {});
      assert.equal((await listed(storage, ROOT)).length, 6);
    } finally {
      await remove();
    }
  },
);
