/** Reads a whole folder of the kernel's jail as columns: what `Storage.table` needs, without an object for each entry. */
import { closeSync } from "node:fs";
import { Turn } from "../../base/loop-turns.ts";
import { OPEN, type SystemCalls } from "../../sys/ffi.ts";
import type { FolderColumns } from "../../sys/folder-columns.ts";
import { FolderScan } from "../../sys/folder-scan.ts";
import { LISTING_BATCH } from "../storage.ts";
import { type HostTableTerms, ITSELF } from "./host.ts";
import { Pace } from "./pace.ts";

/** A folder opened for finding: the caller holds it until the end. */
type Folder = { readonly calls: SystemCalls; readonly descriptor: number; readonly columns: FolderColumns };

/** As `HostFolder.fill`. Columns have room for LISTING_BATCH. @throws {SystemCallError} */
export async function* fillColumns(
  { calls, descriptor: folder, columns }: Folder,
  { facts, sortUpTo, leaveOut }: HostTableTerms,
): AsyncGenerator<void, void, void> {
  const flags = OPEN.read | OPEN.directory | OPEN.closeOnExec;
  const descriptor = calls.openat2(folder, ITSELF, { flags });
  try {
    const looks = facts ? new Looks(folder) : undefined;
    await using scan = new FolderScan(calls.scan, descriptor, { batch: LISTING_BATCH, leaveOut });
    const turn = new Turn();
    if (sortUpTo > 0) await scan.readInOrder(sortUpTo);
    while (await scan.next()) {
      if (turn.over) await turn.next();
      if (looks === undefined) columns.takeNames(scan);
      else columns.take(scan, await looks.at(scan));
      yield;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Asks for the facts of batches of one folder. */
class Looks {
  readonly #folder: number;
  readonly #pace = new Pace();
  readonly #there = new Uint8Array(LISTING_BATCH);

  constructor(folder: number) {
    this.#folder = folder;
  }

  /** @returns for each entry of the batch 1 if it is still there. */
  async at(scan: FolderScan): Promise<Uint8Array> {
    const there = this.#there;
    await this.#pace.run({
      count: scan.count,
      now: (at) => {
        there[at] = scan.statx(this.#folder, at) ? 1 : 0;
      },
      elsewhere: async (at) => {
        // Again here if the other thread failed: the fault has its name then.
        there[at] = (await scan.statxElsewhere(this.#folder, at)) || scan.statx(this.#folder, at) ? 1 : 0;
      },
    });
    return there;
  }
}
