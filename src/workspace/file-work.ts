/** Work on whole files that needs no client: digests and copies. 1 MiB of buffers each, and turns for others in between. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { Turns } from "../base/turns.ts";
import { type DigestName, createDigest } from "../protocol/digest.ts";
import type { VirtualPath } from "../protocol/path.ts";
import { readAhead } from "./read-ahead.ts";
import { type Storage, StorageError, type Upload } from "../storage/storage.ts";

/** Octets of one read; see READ_BUFFER in server/transfer.ts. */
const WORK_BUFFER = 1_048_576;
/** Octets of one read for a digest. Two are held: while one is digested the next is read, by another thread. */
const DIGEST_BUFFER = WORK_BUFFER / 2;
/** Octets digested without a stop: 0.15 ms of SHA-256 where the processor helps with it, 0.4 ms of SHA-512 (measured). */
const DIGEST_SLICE = 262_144;
/** Digests that wait for their slice; more are told that the file is busy. One waits for 0.2 s when all do. */
const DIGESTS_WAITING = 1_000;

/** One slice in a turn of the event loop, whoever's it is, so that replies to others wait for no more than that. */
const digesting = new Turns({ atOnce: 1, waiting: DIGESTS_WAITING });

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
  let position = start;
  for await (const chunk of readAhead(reader, { start, end }, DIGEST_BUFFER)) {
    for (let at = 0; at < chunk.length; at += DIGEST_SLICE) {
      signal.throwIfAborted();
      const turn = digesting.run(async () => {
        digest.update(chunk.subarray(at, at + DIGEST_SLICE));
        await nextTurn();
      });
      if (turn === undefined) throw new StorageError("busy", path);
      await turn;
    }
    position += chunk.length;
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
