/** LIST, NLST and MLSD of one folder say the same in columns, entry by entry, and from the portable jail. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { bytesOf, bytesOfText } from "../src/base/bytes.ts";
import { FACTS } from "../src/protocol/facts.ts";
import { parseListArguments } from "../src/protocol/list-arguments.ts";
import { ROOT } from "../src/protocol/path.ts";
import { factChunks } from "../src/server/commands/mlsd.ts";
import type { Chunks } from "../src/server/list-chunks.ts";
import { type ListOrder, listChunks, listLines } from "../src/server/listing.ts";
import type { SignedIn } from "../src/server/session.ts";
import { type LocalStorage, openLocalStorage } from "../src/storage/local/local.ts";
import type { Storage } from "../src/storage/storage.ts";
import { loadSystemCalls } from "../src/sys/ffi.ts";
import { openDesk } from "./support/workspace.ts";

const NOW = Date.UTC(2024, 1, 10);
const MEMORY = 4_096;

function sessionOf(storage: Storage, folders: { pattern: string; rights: readonly ["list"] }[] = []): SignedIn {
  const { workspace } = openDesk({ storage, folders });
  return {
    step: "signed-in",
    workspace,
    cwd: ROOT,
    type: "image",
    mode: "stream",
    deflateLevel: 6,
    facts: new Set(FACTS),
    digest: "SHA-256",
  };
}

async function textOf(chunks: Chunks): Promise<string> {
  let text = "";
  for await (const { octets } of chunks) text += bytesOf(octets);
  return text;
}

async function linesOf(session: SignedIn, given: ListOrder): Promise<string> {
  let text = "";
  for await (const some of listLines(session, given)) text += some;
  return text;
}

function order(form: ListOrder["form"], argument = ""): ListOrder {
  const { flags, path } = parseListArguments(bytesOfText(argument));
  return { flags, target: path, form, now: NOW };
}

/** A folder with everything that a line can be about. */
function makeOdd(folder: string): void {
  for (let at = 0; at < 300; at++) {
    const path = join(folder, `${at % 3 === 0 ? "A-common-beginning-" : ""}${at}`);
    fs.writeFileSync(path, "x".repeat(at));
    fs.utimesSync(path, 0, NOW / 1000 - at * 86_400.77);
    fs.chmodSync(path, 0o600 + (at % 64));
  }
  for (const octets of [[0xff, 10, 0xe4], [13], [32, 32], [0xc3, 0xa4], [59, 61], [46, 104], [33], [126]]) {
    fs.writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(octets)]), "abc");
  }
  fs.writeFileSync(join(folder, "n".repeat(255)), "");
  fs.writeFileSync(join(folder, "huge"), "");
  fs.truncateSync(join(folder, "huge"), 5_000_000_000);
  fs.writeFileSync(join(folder, ".ferryman-x"), "");
  fs.mkdirSync(join(folder, "folder"), { mode: 0o1700 });
  fs.linkSync(join(folder, "1"), join(folder, "again"));
  fs.symlinkSync("1\n2", join(folder, "link"));
  fs.symlinkSync("t".repeat(4_000), join(folder, "long-link"));
  execFileSync("mkfifo", [join(folder, "fifo")]);
}

async function withOdd(run: (open: (jail: "kernel" | "portable") => Promise<LocalStorage>) => Promise<void>) {
  const folder = fs.mkdtempSync(join(fs.realpathSync(tmpdir()), "ferryman-lines-"));
  try {
    makeOdd(folder);
    await run((jail) => openLocalStorage(folder, { jail }));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** @param pattern of a rule that grants `list` alone. */
async function facts(storage: Storage, pattern?: string): Promise<readonly string[]> {
  const session = sessionOf(storage, pattern === undefined ? [] : [{ pattern, rights: ["list"] }]);
  return (await textOf(factChunks(session, ROOT, MEMORY))).split("\r\n").toSorted();
}

function huge(lines: readonly string[]): string | undefined {
  return lines.find((line) => line.endsWith(" huge"));
}

suite("lines of a folder", { skip: loadSystemCalls() === undefined }, () => {
  test("attack 57: LIST and NLST say the same in columns, entry by entry, and from the portable jail", async () => {
    await withOdd(async (open) => {
      await using kernel = await open("kernel");
      await using portable = await open("portable");
      assert.ok(kernel.table?.(ROOT, { facts: true, sortUpTo: 0, hideDotted: true }) !== undefined);
      for (const form of ["long", "names"] as const) {
        for (const argument of ["", "-A", "-l", "-a", "-t", "/", ".", "folder", "link"]) {
          const wanted = await linesOf(sessionOf(portable), order(form, argument));
          for (const storage of [kernel, portable]) {
            const session = sessionOf(storage);
            assert.equal(await textOf(listChunks(session, order(form, argument), MEMORY)), wanted, argument);
            assert.equal(await linesOf(session, order(form, argument)), wanted);
          }
        }
      }
    });
  });

  test("MLSD says the same, also where rules look at names", async () => {
    await withOdd(async (open) => {
      await using kernel = await open("kernel");
      await using portable = await open("portable");
      const inColumns = await facts(kernel);
      // A rule about a name has each entry's rights asked for.
      assert.deepEqual(await facts(kernel, "/nobody"), inColumns);
      const elsewhere = await facts(portable);
      assert.deepEqual(elsewhere.toSorted(), inColumns.toSorted());
      assert.match(huge(inColumns) ?? "", /;size=5000000000;.*;perm=adfrw;/);
      assert.match(huge(await facts(kernel, "/huge")) ?? "", /;perm=;/);
    });
  });

  test("a folder of more than are sorted is listed whole", async () => {
    await withOdd(async (open) => {
      await using storage = await open("kernel");
      for (const sortUpTo of [1, 100, 312, 313, 314, 400]) {
        const names: string[] = [];
        for await (const table of storage.table?.(ROOT, { facts: false, sortUpTo, hideDotted: false }) ?? []) {
          for (let at = 0; at < table.count; at++) {
            names.push(Buffer.from(table.names).toString("latin1", table.starts[at], table.ends[at]));
          }
        }
        assert.equal(new Set(names).size, names.length);
        assert.equal(names.length, 315);
        if (sortUpTo === 400) assert.deepEqual(names, names.toSorted());
      }
    });
  });
});
