/** What a timed cell reads is read before it: files whole, folders with what is told of their entries. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FULL, aPartOf } from "../../bench/ground.ts";
import { readOnce, touchMemory } from "../../bench/page-cache.ts";
import { WORKLOADS } from "../../bench/workloads.ts";

const root = mkdtempSync(join(tmpdir(), "ferryman-cache-"));
after(() => rmSync(root, { recursive: true }));

function readsOf(row: string, share = 1): readonly string[] {
  const work = WORKLOADS.find(({ rows }) => rows.some(({ id }) => id === row));
  assert.ok(work !== undefined);
  return work.reads?.(FULL, share) ?? [];
}

function fills(row: string): number {
  return WORKLOADS.find(({ rows }) => rows.some(({ id }) => id === row))?.fills?.(FULL).octets ?? 0;
}

test("files are read to their end, also those that take more than one read", () => {
  writeFileSync(join(root, "long"), Buffer.alloc(600_001));
  writeFileSync(join(root, "short"), "12345");
  mkdirSync(join(root, "folder"));
  writeFileSync(join(root, "folder", "entry"), "not read");
  assert.equal(readOnce(root, ["/long", "/short", "/folder"]), 600_006);
  assert.throws(() => readOnce(root, ["/absent"]), /ENOENT/);
});

test("a workload reads what its server is asked for, and no more", () => {
  assert.deepEqual(readsOf("a-1"), ["/big.bin"]);
  assert.equal(readsOf("d-retr-16").length, FULL.moved * 2);
  assert.deepEqual(readsOf("f-list-many"), ["/many"]);
  assert.deepEqual(readsOf("b-disk-1"), []);
  assert.deepEqual(readsOf("d-stor-1"), []);
  const small = readsOf("d-retr-1");
  assert.equal(small.length, FULL.moved);
  assert.equal(small.at(-1), `/small/file-${FULL.moved - 1}.bin`);
  assert.equal(readsOf("d-retr-1", 0.1).length, FULL.moved / 10);
});

test("a round that does not count does a part of the operations, with the same files", () => {
  const part = aPartOf(FULL);
  assert.equal(part.moved, FULL.moved / 5);
  assert.equal(part.upload, Math.ceil(FULL.upload / 5));
  assert.deepEqual([part.big, part.files, part.entries, part.idle], [FULL.big, FULL.files, FULL.entries, FULL.idle]);
});

test("memory for all that an upload writes is at hand before it, and nothing of that stays", () => {
  assert.ok(fills("b-disk-1") >= FULL.upload);
  assert.ok(fills("b-disk-4") >= 4 * Math.ceil(FULL.upload / 2));
  assert.equal(fills("e-1"), 0);
  const before = readdirSync(root);
  touchMemory(root, 600_001);
  assert.deepEqual(readdirSync(root), before);
  assert.throws(() => touchMemory(join(root, "absent"), 1), /ENOENT/);
});
