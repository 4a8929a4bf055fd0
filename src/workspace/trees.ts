/** Whole trees: RMDA and DSIZ. Without recursion, bounded in depth and in what is kept in mind (attack 48). */
import { type VirtualPath, childPath, pathParts } from "../protocol/path.ts";
import { StorageError } from "../storage/storage.ts";
import type { Workspace } from "./workspace.ts";

/** Folders below each other; a path of more parts is over PATH_LIMIT in any case when its names have two octets. */
const DEPTH_LIMIT = 2_048;
/** Folders found and not yet worked on. */
const PENDING_LIMIT = 1_000_000;

/** Removes the deepest first. Each entry's own rights are asked; the first that may not go stops it, the rest stays. */
export async function removeTree(workspace: Workspace, top: VirtualPath, signal: AbortSignal): Promise<void> {
  const { kind } = await workspace.stat(top, "keep");
  if (kind !== "directory") throw new StorageError("not-a-folder", top);
  const folders: VirtualPath[] = [];
  for await (const folder of foldersOf(workspace, top, signal)) folders.push(folder);
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal.throwIfAborted();
    for await (const batch of workspace.list(folder)) {
      for (const entry of batch) await workspace.remove(childPath(folder, entry.name));
    }
    await workspace.removeDirectory(folder);
  }
}

export async function sizeOfTree(workspace: Workspace, top: VirtualPath, signal: AbortSignal): Promise<bigint> {
  const entry = await workspace.stat(top);
  if (entry.kind === "file") return BigInt(entry.size);
  let total = 0n;
  for await (const folder of foldersOf(workspace, top, signal)) {
    for await (const batch of workspace.list(folder)) {
      for (const { kind, size } of batch) if (kind === "file") total += BigInt(size);
    }
  }
  return total;
}

/** `top` and the folders below it, each after the one that holds it; links are not followed. */
async function* foldersOf(
  workspace: Workspace,
  top: VirtualPath,
  signal: AbortSignal,
): AsyncGenerator<VirtualPath, void, void> {
  const pending: VirtualPath[] = [top];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    signal.throwIfAborted();
    yield folder;
    if (pathParts(folder).length >= DEPTH_LIMIT) throw new StorageError("too-large", folder);
    for await (const batch of workspace.list(folder)) {
      for (const { kind, name } of batch) if (kind === "directory") pending.push(childPath(folder, name));
    }
    if (pending.length > PENDING_LIMIT) throw new StorageError("too-large", folder);
  }
}
