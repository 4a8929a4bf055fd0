/** Whole trees: RMDA and DSIZ. Without recursion, bounded in depth and in what is kept in mind (attack 48). */
import { type VirtualPath, childPath, pathParts } from "../protocol/path.ts";
import { StorageError } from "../storage/storage.ts";
import type { Workspace } from "./workspace.ts";

/** Folders below each other; a path of more parts is over PATH_LIMIT in any case when its names have two octets. */
const DEPTH_LIMIT = 1_024;
/** Folders of one tree that are kept in mind: some 20 MB of paths at worst in practice, for one command at a time. */
const FOLDER_LIMIT = 100_000;

/**
 * Removes the deepest first. Every entry's own rights are asked before the first one goes; what is made meanwhile is
 * asked again as it goes, and stops it there.
 * @throws {StorageError} "too-large" for a tree beyond the limits; nothing is removed then.
 */
export async function removeTree(workspace: Workspace, top: VirtualPath, signal: AbortSignal): Promise<void> {
  const { kind } = await workspace.stat(top, "keep");
  if (kind !== "directory") throw new StorageError("not-a-folder", top);
  const foresee = (path: VirtualPath): void => workspace.demand("delete", path, "remove tree");
  const folders = await foldersOf(workspace, top, { signal, onEntry: foresee });
  for (const folder of folders.toReversed()) {
    for await (const batch of workspace.list(folder)) {
      for (const { name } of batch) {
        signal.throwIfAborted();
        await workspace.remove(childPath(folder, name));
      }
    }
    await workspace.removeDirectory(folder);
  }
}

/** Folders below `top` that the account may not list count nothing. */
export async function sizeOfTree(workspace: Workspace, top: VirtualPath, signal: AbortSignal): Promise<bigint> {
  const { kind, size } = await workspace.stat(top);
  if (kind !== "directory") return BigInt(size);
  let total = 0n;
  const skips = (path: VirtualPath): boolean => !workspace.may("list", path);
  const add = (_path: VirtualPath, octets: bigint): void => {
    total += octets;
  };
  await foldersOf(workspace, top, { signal, onEntry: add, skips });
  return total;
}

type Walk = {
  readonly signal: AbortSignal;
  /** Hears of everything below the top; `octets` is 0 for all but files. */
  readonly onEntry: (path: VirtualPath, octets: bigint) => void;
  /** Folders that are not gone into. */
  readonly skips?: (folder: VirtualPath) => boolean;
};

/** `top` and the folders below it, each after the one that holds it; links are not followed. */
async function foldersOf(
  workspace: Workspace,
  top: VirtualPath,
  { signal, onEntry, skips = () => false }: Walk,
): Promise<readonly VirtualPath[]> {
  const folders: VirtualPath[] = [top];
  // The array grows as it is walked: those that stand after `folder` are still to do.
  for (const folder of folders) {
    for await (const batch of workspace.list(folder)) {
      signal.throwIfAborted();
      for (const { kind, name, size } of batch) {
        const path = childPath(folder, name);
        onEntry(path, kind === "file" ? BigInt(size) : 0n);
        if (kind === "directory" && !skips(path)) folders.push(path);
      }
      if (folders.length > FOLDER_LIMIT) throw new StorageError("too-large", folder);
    }
    if (pathParts(folder).length > DEPTH_LIMIT) throw new StorageError("too-large", folder);
  }
  return folders;
}
