/** Killed without warning in the middle of many uploads: a sweep at the next start leaves no half file anywhere. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import { at, contentOf, put, putHalf } from "../../testing/storage-suite-tools.ts";
import { hiddenIn, JAILS, type OpenStorage, temporaryFolder } from "./test-tools.ts";

const UPLOADS = 200;
const FOLDERS = 5;
const HALF = "half of it ".repeat(100);
const WHOLE = HALF + HALF;

function url(path: string): string {
  return JSON.stringify(new URL(path, import.meta.url).href);
}

/** Has all uploads half done, says so, then publishes and begins again without end until it is killed. */
function program(jail: string, root: string): string {
  return `
    const { JAILS } = await import(${url("test-tools.ts")});
    const { at } = await import(${url("../../testing/storage-suite-tools.ts")});
    const open = JAILS.find(([name]) => name === ${JSON.stringify(jail)})[1];
    const storage = await open(${JSON.stringify(root)}, {});
    const half = Buffer.from(${JSON.stringify(HALF)});
    const begin = async (i) => {
      const upload = await storage.openWrite(at("/d" + (i % ${FOLDERS}) + "/f" + i), { kind: "replace" });
      await upload.write([half]);
      return upload;
    };
    const resumed = await storage.openWrite(at("/d0/kept"), { kind: "resume", offset: half.length });
    await resumed.write([half]);
    const uploads = await Promise.all(Array.from({ length: ${UPLOADS} }, (_, i) => begin(i)));
    console.log("ready");
    for (let i = 0; ; i = (i + 1) % ${UPLOADS}) {
      await uploads[i].write([half]);
      await uploads[i].publish();
      uploads[i] = await begin(i);
      if (i % 20 === 0) console.log("round");
    }`;
}

/** Reads the child's lines until there were `count`. */
async function readLines(child: ChildProcess, count: number): Promise<void> {
  assert.ok(child.stdout);
  let seen = 0;
  for await (const _ of createInterface(child.stdout)) if (++seen === count) return;
  assert.fail(`the child ended early with ${child.exitCode}`);
}

async function killAmidUploads(jail: string, root: string, afterLines: number): Promise<void> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program(jail, root)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await readLines(child, afterLines);
  } finally {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
}

for (const [jail, open] of JAILS) {
  suite(`kill -9: ${jail}`, () => registerCrashTests(jail, open));
}

function registerCrashTests(jail: string, open: OpenStorage): void {
  for (const afterLines of [1, 8]) {
    test(`killed in the middle of ${UPLOADS} uploads (${afterLines})`, async () => {
      const { folder, remove } = await temporaryFolder();
      try {
        for (let i = 0; i < FOLDERS; i++) mkdirSync(join(folder, `d${i}`));
        await using mine = await open(folder, {});
        await putHalf(mine, at("/d0/kept"), HALF);
        await killAmidUploads(jail, folder, afterLines);

        // An upload of a living process is not touched by the sweep.
        await using living = await mine.openWrite(at("/d1/living"), { kind: "replace" });
        await living.write([Buffer.from("alive")]);
        const mineOnly = new RegExp(String.raw`\.ferryman-tmp\.(?!${process.pid}\.)`);
        const left = hiddenIn(folder, mineOnly).length;
        assert.equal(await mine.sweep(), left);
        assert.ok(jail === "local, kernel" || left >= UPLOADS - 1, `only ${left} temporaries: nothing was tested`);
        assert.deepEqual(hiddenIn(folder, mineOnly), []);
        await living.publish();
        assert.equal(await contentOf(mine, at("/d1/living")), "alive");

        assertWhole(folder);
        // What had been kept before is kept still, with whatever the killed process added to it.
        assert.ok(Number(await mine.interrupted(at("/d0/kept"))) >= HALF.length);
        await put(mine, at("/d0/kept"), "!", { kind: "append" });
        assert.equal(await mine.sweep(), 0);
      } finally {
        await remove();
      }
    });
  }

  test("a torn or foreign journal does no harm", async () => {
    const { folder, remove } = await temporaryFolder();
    try {
      const journals = join(folder, ".ferryman-journal");
      mkdirSync(journals);
      writeFileSync(join(folder, "precious"), "");
      const lines = ['["/","precious"]', '["/../..","etc"]', "{}", '["/no","x"]', '["/",".ferryman-tmp.1.0a'];
      writeFileSync(join(journals, `.ferryman-journal.${2 ** 22 + 1}.0.plain.00`), lines.join("\n"));
      writeFileSync(join(journals, "notes"), "not ours");
      await using storage = await open(folder, {});
      assert.equal(await storage.sweep(), 0);
      assert.ok(existsSync(join(folder, "precious")));
      assert.deepEqual(readdirSync(journals), ["notes"]);
    } finally {
      await remove();
    }
  });
}

function assertWhole(folder: string): void {
  for (let i = 0; i < UPLOADS; i++) {
    const file = join(folder, `d${i % FOLDERS}`, `f${i}`);
    if (existsSync(file)) assert.equal(readFileSync(file, "utf8"), WHOLE, file);
  }
}
