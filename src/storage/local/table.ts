/** A folder of this host as `Storage.table` tells of it. */
import { type ByteString, bytesOf } from "../../base/bytes.ts";
import type { EntryTable } from "../../protocol/entry-table.ts";
import type { VirtualPath } from "../../protocol/path.ts";
import { FolderColumns } from "../../sys/folder-columns.ts";
import { LISTING_BATCH, type TableTerms } from "../storage.ts";
import { guarded, storageError, unless } from "./faults.ts";
import { isHidden } from "./hidden.ts";
import type { HostFolder } from "./host.ts";
import { groupName, ownerName } from "./owners.ts";
import { removeIfStale } from "./strays.ts";

type Source = { readonly open: () => HostFolder; readonly showOwners: boolean };

/** @throws {StorageError} */
export async function* readTable(
  path: VirtualPath,
  { open, showOwners }: Source,
  { hideDotted, ...terms }: TableTerms,
): AsyncGenerator<EntryTable, void, void> {
  using folder = guarded(path, open);
  const leaveOut = (name: ByteString): boolean => {
    if (!isHidden(name)) return hideDotted;
    removeIfStale(folder, name);
    return true;
  };
  const table = new LocalTable(folder, showOwners);
  try {
    for await (const _ of folder.fill?.(table, { ...terms, leaveOut }) ?? []) if (table.count > 0) yield table;
  } catch (error) {
    throw storageError(error, path);
  }
}

class LocalTable extends FolderColumns implements EntryTable {
  readonly #folder: HostFolder;
  readonly #showOwners: boolean;

  constructor(folder: HostFolder, showOwners: boolean) {
    super(LISTING_BATCH);
    this.#folder = folder;
    this.#showOwners = showOwners;
  }

  ownerOf(uid: number): string {
    return this.#showOwners ? ownerName(uid) : "ftp";
  }

  groupOf(gid: number): string {
    return this.#showOwners ? groupName(gid) : "ftp";
  }

  target(index: number): ByteString | undefined {
    const name = bytesOf(this.names, this.starts[index], this.ends[index]);
    return unless(["ENOENT", "EINVAL"], () => this.#folder.readLink(name));
  }
}
