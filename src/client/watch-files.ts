/** The files of a watched folder: which there are, which of them concern us, and what becomes of one that was sent. */
import { constants } from "node:fs";
import { type FileHandle, copyFile, lstat, open, readlink, realpath, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, extname, join, relative, sep } from "node:path";
import { makeFolders } from "../base/make-folders.ts";
import { systemCode } from "../base/system-code.ts";
import { FtpError } from "./errors.ts";
import { localFault } from "./octets.ts";
import { NO_FOLLOW, OPEN_FILE, hasPins, pinnedPath } from "./pinned.ts";

/** Levels below the watched folder, and entries that one look at it goes through. */
const DEPTH_MOST = 64;
const ENTRIES_MOST = 1_000_000;
/** Names that are tried for a file that is moved where one of its name lies already. */
const NAMES_TRIED = 1_000;

/** Our own parts (part-file.ts), and what other programs call a file that is not whole yet. */
const UNFINISHED = /^\..*\.[\da-f]{12}\.part$|\.(?:part|partial|filepart|crdownload|tmp|swp)$|~$/i;

/** What tells one state of a file from another. */
export type FileState = { readonly size: number; readonly mtimeMs: number; readonly ino: number };

export type FolderTerms = {
  /** As `realpath` has it. */
  readonly root: string;
  readonly hidden: boolean;
  /** Of the same host: left alone, wherever it lies. */
  readonly moveTo: string | undefined;
};

/** @param path from the watched folder, with `/`. */
export function isWatched(path: string, { root, hidden, moveTo }: FolderTerms): boolean {
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) return false;
  if (!hidden && parts.some((part) => part.startsWith("."))) return false;
  if (UNFINISHED.test(parts.at(-1) ?? "")) return false;
  if (moveTo === undefined) return true;
  const place = relative(moveTo, join(root, ...parts));
  return place.startsWith("..") || place === "";
}

/** All files there are now; links are not followed. What cannot be read is left out: the next look may see it. */
export async function* filesOf(terms: FolderTerms): AsyncGenerator<string> {
  const folders = [""];
  for (let seen = 0; folders.length > 0;) {
    const folder = folders.pop() ?? "";
    const entries = await readdir(join(terms.root, folder), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      seen += 1;
      if (seen > ENTRIES_MOST) return;
      if (!isWatched(path, terms)) continue;
      if (entry.isFile()) yield path;
      else if (entry.isDirectory() && path.split("/").length < DEPTH_MOST) folders.push(path);
    }
  }
}

/** @returns undefined where there is no file, or something else. */
export async function stateOf(path: string): Promise<FileState | undefined> {
  try {
    const stats = await lstat(path);
    return stats.isFile() ? { size: stats.size, mtimeMs: stats.mtimeMs, ino: stats.ino } : undefined;
  } catch {
    return undefined;
  }
}

export function isSame(one: FileState, other: FileState | undefined): boolean {
  return one.size === other?.size && one.mtimeMs === other.mtimeMs && one.ino === other.ino;
}

/**
 * Holds a file open while it is sent, so that nobody can put a link to another one in its place meanwhile.
 * @returns the path by which the open file can be read, and what closes it.
 * @throws {FtpError} LOCAL_IO; UNSAFE_NAME where a folder on the way is a link that leads out.
 */
export async function holdFile(root: string, path: string): Promise<AsyncDisposable & { readonly path: string }> {
  const whole = join(root, path);
  let file: FileHandle;
  try {
    file = await open(whole, OPEN_FILE | NO_FOLLOW);
  } catch (error) {
    throw localFault(error, `cannot read ${whole}`);
  }
  try {
    const pinned = hasPins() ? pinnedPath(file.fd) : undefined;
    const place = pinned !== undefined ? await readlink(pinned) : await realpath(whole);
    if (!place.startsWith(`${root}${root.endsWith(sep) ? "" : sep}`)) {
      throw new FtpError("UNSAFE_NAME", `${whole} lies elsewhere: a folder on the way is a link`, {
        phase: "local",
      });
    }
    return { path: pinned ?? whole, [Symbol.asyncDispose]: async () => await file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Takes a file away that was sent. @throws {FtpError} LOCAL_IO. */
export async function removeFile(root: string, path: string): Promise<void> {
  try {
    await rm(join(root, path));
  } catch (error) {
    throw localFault(error, `cannot remove ${join(root, path)}`);
  }
}

/** Moves a file that was sent. Nothing is replaced. @returns where to. @throws {FtpError} LOCAL_IO. */
export async function moveFile(root: string, path: string, moveTo: string): Promise<string> {
  const from = join(root, path);
  try {
    const target = await freeName(join(moveTo, path));
    try {
      await rename(from, target);
    } catch (error) {
      if (systemCode(error) !== "EXDEV") throw error;
      await copyFile(from, target, constants.COPYFILE_EXCL);
      await rm(from);
    }
    return target;
  } catch (error) {
    throw localFault(error, `cannot move ${from} to ${moveTo}`);
  }
}

async function freeName(path: string): Promise<string> {
  await makeFolders(dirname(path));
  const extension = extname(path);
  const stem = join(dirname(path), basename(path, extension));
  for (let count = 1; count <= NAMES_TRIED; count += 1) {
    const name = count === 1 ? path : `${stem} (${count})${extension}`;
    if ((await lstat(name).catch(() => undefined)) === undefined) return name;
  }
  throw new FtpError("EXISTS", `${path} and ${NAMES_TRIED - 1} names like it exist`, {
    phase: "local",
  });
}
