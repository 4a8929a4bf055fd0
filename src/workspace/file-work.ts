/** Work on whole files that needs no client: digests and copies. One buffer each, and a turn for others after each. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { type DigestName, createDigest } from "../protocol/digest.ts";
import type { VirtualPath } from "../protocol/path.ts";
import { type Storage, StorageError, type Upload } from "../storage/storage.ts";

/** Octets of one read; see READ_BUFFER in server/transfer.ts. */
const WORK_BUFFER = 1_048_576;

export type Digested = {
  /** In lower case. */
  readonly hex: string;
  /** The octets that it is of: from `start` up to, not with, `end`. */
  readonly start: number;
  readonly end: number;
};

type Wanted = {
  readonly name: DigestName;
  readonly start: number;
  readonly end: number | undefined;
  readonly signal: AbortSignal;
};

/** @throws {StorageError} "bad-offset" when `start` or `end` is beyond the file. @throws the signal's reason. */
export async function digestFile(storage: Storage, path: VirtualPath, wanted: Wanted): Promise<Digested> {
  await using reader = await storage.openRead(path);
  const { start, signal } = wanted;
  const end = wanted.end ?? Number(reader.entry.size);
  if (start > reader.entry.size || end > reader.entry.size) throw new StorageError("bad-offset", path);
  const digest = createDigest(wanted.name);
  const buffer = Buffer.allocUnsafeSlow(Math.min(WORK_BUFFER, Math.max(end - start, 1)));
  let position = start;
  while (position < end) {
    signal.throwIfAborted();
    const count = await reader.read(buffer.subarray(0, Math.min(buffer.length, end - position)), position);
    if (count === 0) break;
    digest.update(buffer.subarray(0, count));
    position += count;
    await nextTurn();
  }
  return { hex: digest.hex(), start, end: position };
}

type Copy = {
  readonly from: VirtualPath;
  /** Asked for once the source is open, so that no upload is begun for nothing. */
  readonly open: () => Promise<Upload>;
  readonly signal: AbortSignal;
};

/** The copy appears whole or not at all. @throws the signal's reason. */
export async function copyFile(storage: Storage, { from, open, signal }: Copy): Promise<void> {
  await using reader = await storage.openRead(from);
  await using upload = await open();
  const buffer = Buffer.allocUnsafeSlow(WORK_BUFFER);
  for (let position = 0; ;) {
    signal.throwIfAborted();
    const count = await reader.read(buffer, position);
    if (count === 0) break;
    await upload.write([buffer.subarray(0, count)]);
    position += count;
    await nextTurn();
  }
  signal.throwIfAborted();
  await upload.publish();
}
