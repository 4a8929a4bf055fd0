/** Attack 48 on the storage: trees too deep and folders too large to be held in memory. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ROOT } from "../../src/protocol/path.ts";
import { type OpenStorage, RACE_SAFE_JAILS, temporaryFolder } from "../../src/storage/local/test-tools.ts";
import { at, faults, listed, namesIn } from "../../src/testing/storage-suite-tools.ts";

/** 10^6 takes too long to build for every run: FERRYMAN_LISTING_ENTRIES=1000000 for the full attack. */
const LISTING_ENTRIES = Number(process.env["FERRYMAN_LISTING_ENTRIES"] ?? 200_000);

for (const [name, open] of RACE_SAFE_JAILS) suite(`size of storage: ${name}`, () => registerSizeTests(open));

/** Entries between two looks at the memory. */
const SAMPLE_ENTRIES = 20_000;

setFlagsFromString("--expose-gc");
const collectGarbage: unknown = runInNewContext("gc");

function memoryHeld(): { readonly held: number; readonly rss: number } {
  assert.ok(typeof collectGarbage === "function");
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { held: heapUsed + external, rss };
}

function registerSizeTests(open: OpenStorage): void {
  test("attack 48: a tree 10,000 folders deep is capped, not fatal", async () => {
    const { folder, remove } = await temporaryFolder();
    try {
      const dig = `process.chdir(process.argv[1]); for (let i = 0; i < 10000; i++) { fs.mkdirSync("d"); process.chdir("d"); }`;
      execFileSync(process.execPath, ["-e", dig, folder]);
      await using storage = await open(folder, {});
      const deepest = at("/d".repeat(2000));
      assert.equal((await storage.stat(deepest)).kind, "directory");
      assert.deepEqual(await namesIn(storage, deepest), ["d"]);
      await faults(storage.stat(at("/d".repeat(2048))), "bad-name");
      await faults(listed(storage, at("/d".repeat(10_000))), "bad-name");
      await faults(storage.removeDirectory(at("/d")), "not-empty");
    } finally {
      execFileSync("rm", ["-rf", folder]);
      await remove();
    }
  });

  test(`attack 48: ${LISTING_ENTRIES} entries stream in flat memory`, async () => {
    const folder = await mkdtemp(join(fs.existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "ferryman-many-"));
    try {
      fs.writeFileSync(join(folder, "0"), "");
      for (let i = 1; i < LISTING_ENTRIES; i++) fs.linkSync(join(folder, "0"), join(folder, String(i)));
      await using storage = await open(folder, {});
      let count = 0;
      let turns = 0;
      const samples: { readonly held: number; readonly rss: number }[] = [];
      const ticking = setInterval(() => turns++, 1);
      for await (const batch of storage.list(ROOT)) {
        if (Math.floor(count / SAMPLE_ENTRIES) < Math.floor((count + batch.length) / SAMPLE_ENTRIES)) {
          samples.push(memoryHeld());
        }
        count += batch.length;
      }
      clearInterval(ticking);
      assert.equal(count, LISTING_ENTRIES);
      const [first] = samples;
      assert.ok(first && samples.length > 5);
      // 200,000 entries that were held would be 60 MiB; the resident size also has what the collector is in no hurry for.
      for (const { held, rss } of samples) {
        assert.ok(held - first.held < 4 * 1024 * 1024, `holds ${(held - first.held) / 1024} KiB more`);
        assert.ok(rss - first.rss < 64 * 1024 * 1024, `grew by ${(rss - first.rss) / 1024} KiB`);
      }
      assert.ok(turns > LISTING_ENTRIES / 10_000, `other work ran only ${turns} times`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}
