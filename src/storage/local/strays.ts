/** Files of our own that were left behind in served folders: met by a listing, or in the way of removing a folder. */
import type { ByteString } from "../../base/bytes.ts";
import { unless } from "./faults.ts";
import { isHidden, isStale } from "./hidden.ts";
import { type HostFolder, statIfThere } from "./host.ts";
import { reclaim } from "./journal.ts";

/** Removes a file of our own that has outlived its use. */
export function removeIfStale(folder: HostFolder, name: ByteString): void {
  try {
    const stat = statIfThere(folder, name);
    if (stat?.kind !== "file" || !isStale(name, stat.modified, Date.now())) return;
    if (!reclaim(folder, name)) folder.unlink(name);
  } catch {
    // Not ours to remove, or gone: a listing does not fail for it.
  }
}

/** Removes our own files from a folder that holds nothing else; otherwise none, and the folder stays as it is. */
export async function emptyOfHidden(folder: HostFolder, openJournals: () => HostFolder): Promise<void> {
  for await (const names of folder.names()) if (!names.every(({ name }) => isHidden(name))) return;
  for await (const names of folder.names()) {
    for (const { name, kind } of names.filter((each) => isHidden(each.name))) {
      if (kind === "directory") {
        // The journals of a storage whose root this folder is.
        using journals = openJournals();
        for await (const inner of journals.names()) for (const journal of inner) journals.unlink(journal.name);
        folder.removeFolder(name);
      } else unless(["ENOENT"], () => folder.unlink(name));
    }
  }
}
