/**
 * The folder that a tree is fetched into. Each folder below it is opened from the one above without following a link, and
 * what is done in it begins at the open folder, so that a link that lies or is put there leads nowhere (attack 64).
 */
import type { Stats } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readlink, realpath, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../../base/make-folders.ts";
import { systemCode } from "../../base/system-code.ts";
import { FtpError } from "../errors.ts";
import { localFault } from "../octets.ts";
import { NO_FOLLOW, OPEN_FOLDER, hasPins, pinnedPath } from "../pinned.ts";
import { FOLDERS_DEEP } from "./limits.ts";
import { type Place, pathOfPlace } from "./local-name.ts";

export class LocalTree implements AsyncDisposable {
  readonly #root: string;
  /** Only where open folders have a path of their own: on Linux. */
  readonly #handle: FileHandle | undefined;

  private constructor(root: string, handle: FileHandle | undefined) {
    this.#root = root;
    this.#handle = handle;
  }

  /** Makes the folder if it is not there; a link there is followed, as the caller named it. @throws {FtpError} LOCAL_IO. */
  static async open(path: string, pins: boolean = hasPins()): Promise<LocalTree> {
    try {
      await makeFolders(path);
      const root = await realpath(path);
      return new LocalTree(root, pins ? await open(root, OPEN_FOLDER) : undefined);
    } catch (error) {
      throw localFault(error, `cannot write to the folder ${path}`);
    }
  }

  /**
   * @param work gets the path at which the folder can be reached while it runs. Folders that are not there are made.
   * @throws {FtpError} UNSAFE_NAME for a link on the way, EXISTS for a file; what the work throws.
   */
  async within<T>(folders: readonly string[], work: (at: string) => Promise<T>): Promise<T> {
    if (folders.length > FOLDERS_DEEP) {
      throw new FtpError("UNSAFE_NAME", `${folders.length} folders below each other; ${FOLDERS_DEEP} are the most`, {
        phase: "local",
      });
    }
    const handle = this.#handle;
    return handle === undefined ? await this.#looked(folders, work) : await this.#pinned(handle, folders, work);
  }

  /** What lies at a place, links not followed; undefined: nothing, or no such folder. */
  async look({ folders, name }: Place): Promise<Stats | undefined> {
    try {
      return await this.within(folders, async (at) => await lstat(join(at, name)));
    } catch {
      return undefined;
    }
  }

  /** Takes a file away, if it is there. */
  async remove({ folders, name }: Place): Promise<void> {
    try {
      await this.within(folders, async (at) => await rm(join(at, name), { force: true }));
    } catch {
      // Its folder cannot be reached: then there is nothing of ours.
    }
  }

  /** @returns false: it was there already. @throws {FtpError} EXISTS where something else lies. */
  async link(place: Place, target: string): Promise<boolean> {
    return await this.within(place.folders, async (at) => {
      const path = join(at, place.name);
      const there = await lstat(path).catch(() => undefined);
      if (there !== undefined && !there.isSymbolicLink()) throw inTheWay(pathOfPlace(place), "is no link");
      try {
        if (there !== undefined) {
          if ((await readlink(path)) === target) return false;
          await rm(path);
        }
        await symlink(target, path);
      } catch (error) {
        throw localFault(error, `cannot make the link ${pathOfPlace(place)}`);
      }
      return true;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle?.close();
  }

  async #pinned<T>(root: FileHandle, folders: readonly string[], work: (at: string) => Promise<T>): Promise<T> {
    let at = pinnedPath(root.fd);
    let held: FileHandle | undefined;
    try {
      for (const [index, folder] of folders.entries()) {
        const next = await openFolder(join(at, folder), folders.slice(0, index + 1).join("/"));
        await held?.close();
        held = next;
        at = pinnedPath(next.fd);
      }
      return await work(at);
    } catch (error) {
      throw this.#shown(error, folders);
    } finally {
      await held?.close();
    }
  }

  /** Without /proc each folder on the way is looked at before it is used. */
  async #looked<T>(folders: readonly string[], work: (at: string) => Promise<T>): Promise<T> {
    let at = this.#root;
    for (const [index, folder] of folders.entries()) {
      at = join(at, folder);
      const shown = folders.slice(0, index + 1).join("/");
      const there = await lstat(at).catch(() => undefined);
      if (there === undefined) await makeFolder(at, shown);
      else if (!there.isDirectory()) throw await whyNot(undefined, at, shown);
    }
    return await work(at);
  }

  /** People know no `/proc/self/fd/23`. */
  #shown(error: unknown, folders: readonly string[]): unknown {
    if (!(error instanceof FtpError) || !error.message.includes("/proc/self/fd/")) return error;
    const message = error.message.replaceAll(/\/proc\/self\/fd\/\d+/g, [this.#root, ...folders].join("/"));
    const { code, phase, connection, command, reply, retryable, bytes, hint, tried, cause } = error;
    return new FtpError(code, message, { phase, connection, command, reply, retryable, bytes, hint, tried, cause });
  }
}

async function openFolder(path: string, shown: string): Promise<FileHandle> {
  try {
    return await open(path, OPEN_FOLDER | NO_FOLLOW);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw await whyNot(error, path, shown);
  }
  await makeFolder(path, shown);
  try {
    return await open(path, OPEN_FOLDER | NO_FOLLOW);
  } catch (error) {
    throw await whyNot(error, path, shown);
  }
}

async function makeFolder(path: string, shown: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    // Another document of the same folder was quicker.
    if (systemCode(error) !== "EEXIST") {
      throw localFault(error, `cannot make the folder ${shown}`);
    }
  }
}

/** A link is ENOTDIR on Linux and ELOOP elsewhere, a file ENOTDIR everywhere. */
async function whyNot(cause: unknown, path: string, shown: string): Promise<FtpError> {
  const there = await lstat(path).catch(() => undefined);
  if (there?.isSymbolicLink() === true) {
    return new FtpError("UNSAFE_NAME", `${shown} is a symbolic link here, which is not followed`, {
      phase: "local",
      hint: "take the link away, or fetch into another folder",
    });
  }
  if (there !== undefined && !there.isDirectory())
    return inTheWay(shown, "is a file here, and a folder must lie there");
  return localFault(cause, `cannot open the folder ${shown}`);
}

function inTheWay(path: string, what: string): FtpError {
  return new FtpError("EXISTS", `${path} ${what}`, {
    phase: "local",
    hint: "move it away, or fetch into another folder",
  });
}
