/** What the tests of the storage suite share: whole files in and out, expected faults, open descriptors counted. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { virtualPath, type VirtualPath } from "../protocol/path.ts";
import { type Entry, type Storage, StorageError, type StorageFault, type UploadIntent } from "../storage/storage.ts";

export type MakeStorage = () => Promise<{ readonly storage: Storage; readonly cleanup: () => Promise<void> }>;

export const at = virtualPath;

/** One test with a storage of its own; fails too if it leaves a descriptor of this process open. */
export function storageTest(name: string, make: MakeStorage, run: (storage: Storage) => Promise<void>): void {
  test(name, async () => {
    const before = openDescriptors();
    const { storage, cleanup } = await make();
    try {
      await run(storage);
    } finally {
      await cleanup();
    }
    assert.equal(openDescriptors(), before, "descriptors left open");
  });
}

/** Files that this process has open; 0 where the host does not tell. Sockets and pipes of the runner do not count. */
export function openDescriptors(): number {
  const folder = "/proc/self/fd";
  return existsSync(folder) ? readdirSync(folder).length : 0;
}

export async function faults(work: Promise<unknown>, fault: StorageFault): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof StorageError, `not a StorageError: ${String(error)}`);
    assert.equal(error.fault, fault);
    return true;
  });
}

/** One whole upload. */
export async function put(storage: Storage, path: VirtualPath, text: string, intent?: UploadIntent): Promise<void> {
  await using upload = await storage.openWrite(path, intent ?? { kind: "replace" });
  await upload.write([Buffer.from(text)]);
  await upload.publish();
}

/** An upload that broke off and was kept. */
export async function putHalf(storage: Storage, path: VirtualPath, text: string): Promise<void> {
  await using upload = await storage.openWrite(path, { kind: "replace" });
  await upload.write([Buffer.from(text)]);
  await upload.keep();
}

export async function contentOf(storage: Storage, path: VirtualPath): Promise<string> {
  await using reader = await storage.openRead(path);
  const chunks: Buffer[] = [];
  const buffer = Buffer.alloc(64);
  for (let position = 0, count; (count = await reader.read(buffer, position)) > 0; position += count) {
    chunks.push(Buffer.from(buffer.subarray(0, count)));
  }
  return Buffer.concat(chunks).toString();
}

export async function listed(storage: Storage, path: VirtualPath): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const batch of storage.list(path)) entries.push(...batch);
  return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

export async function namesIn(storage: Storage, path: VirtualPath): Promise<string[]> {
  return (await listed(storage, path)).map(({ name }) => name);
}
