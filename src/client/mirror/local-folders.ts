/**
 * Folders of the local tree, reached without following a link: each is opened from the one above it, and what is done
 * in it begins at the open folder (`/proc/self/fd/N/name`), so that a link that is planted or swapped in leads nowhere.
 * Without /proc (macOS, Windows) each folder on the way is looked at before every use.
 */
import { type FileHandle, lstat, open } from "node:fs/promises";
import { FtpError } from "../errors.ts";
import { NO_FOLLOW, OPEN_FOLDER, hasPins, pinnedPath } from "../pinned.ts";
import { FOLDERS_OPEN } from "./limits.ts";
import { localError } from "./local-error.ts";
import { joined, nameOf, parentOf } from "./side.ts";

type Held = {
  readonly handle: Promise<FileHandle>;
  users: number;
  /** It is closed when its last user is done. */
  isGone: boolean;
};

export type FolderTerms = {
  /** Goes through links: for a source whose links are followed. */
  readonly follow: boolean;
  /** Whether open folders have a path of their own. Default: where /proc is. */
  readonly pins?: boolean;
};

export class LocalFolders implements AsyncDisposable {
  readonly #root: string;
  readonly #follow: boolean;
  readonly #pins: boolean;
  /** By path from the root; those used last stand last. */
  readonly #held = new Map<string, Held>();

  /** @param root an absolute path; a link there is followed, as the caller named it. */
  constructor(root: string, { follow, pins = hasPins() }: FolderTerms) {
    this.#root = root;
    this.#follow = follow;
    this.#pins = pins;
  }

  /**
   * @param folder from the root. @param work gets the path at which the folder can be reached while it runs.
   * @throws {FtpError} UNSAFE_NAME for a link on the way.
   */
  async use<T>(folder: string, work: (at: string) => Promise<T>): Promise<T> {
    if (!this.#pins) {
      await this.#look(folder);
      return await work(folder === "" ? this.#root : `${this.#root}/${folder}`);
    }
    const held = this.#take(folder);
    try {
      const { fd } = await held.handle;
      return await work(pinnedPath(fd));
    } finally {
      held.users -= 1;
      if (held.isGone) await close(held);
      else await this.#letGo();
    }
  }

  /** Forgets a folder that is removed or made anew, and what is below it. */
  async forget(folder: string): Promise<void> {
    const below = [...this.#held].filter(([path]) => path === folder || path.startsWith(`${folder}/`));
    await Promise.all(below.map(async ([path, held]) => await this.#drop(path, held)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#held].map(async ([path, held]) => await this.#drop(path, held)));
  }

  /** Counts the user at once, so that nobody closes it before the work begins. */
  #take(folder: string): Held {
    const held = this.#held.get(folder) ?? { handle: this.#open(folder), users: 0, isGone: false };
    held.users += 1;
    this.#held.delete(folder);
    this.#held.set(folder, held);
    // One that cannot be opened may be there later.
    held.handle.catch(() => {
      if (this.#held.get(folder) === held) this.#held.delete(folder);
    });
    return held;
  }

  async #open(folder: string): Promise<FileHandle> {
    if (folder === "") return await openFolder(this.#root, true, this.#root);
    return await this.use(
      parentOf(folder),
      async (at) => await openFolder(`${at}/${nameOf(folder)}`, this.#follow, folder),
    );
  }

  /** Closes what was not used for longest, if too many are open. */
  async #letGo(): Promise<void> {
    if (this.#held.size <= FOLDERS_OPEN) return;
    for (const [path, held] of this.#held) {
      if (held.users > 0) continue;
      await this.#drop(path, held);
      return;
    }
  }

  async #drop(path: string, held: Held): Promise<void> {
    this.#held.delete(path);
    held.isGone = true;
    await close(held);
  }

  async #look(folder: string): Promise<void> {
    if (this.#follow) return;
    let path = "";
    for (const part of folder === "" ? [] : folder.split("/")) {
      path = joined(path, part);
      const stat = await lstat(`${this.#root}/${path}`).catch((error: unknown) => {
        throw localError(error, `reach ${path}`);
      });
      if (!stat.isDirectory()) throw notFolder(path, stat.isSymbolicLink());
    }
  }
}

async function close(held: Held): Promise<void> {
  if (held.users > 0) return;
  const handle = await held.handle.catch(() => undefined);
  await handle?.close();
}

async function openFolder(path: string, follow: boolean, shown: string): Promise<FileHandle> {
  try {
    return await open(path, OPEN_FOLDER | (follow ? 0 : NO_FOLLOW));
  } catch (error) {
    // A link is ENOTDIR on Linux and ELOOP elsewhere, a file ENOTDIR everywhere.
    const stat = follow ? undefined : await lstat(path).catch(() => undefined);
    if (stat !== undefined && !stat.isDirectory()) throw notFolder(shown, stat.isSymbolicLink());
    throw localError(error, `open the folder ${shown}`);
  }
}

function notFolder(path: string, isLink: boolean): FtpError {
  if (isLink) return localError(Object.assign(new Error("a link"), { code: "ELOOP" }), `reach ${path}`);
  return new FtpError("LOCAL_IO", `${path} is no folder.`, { phase: "local" });
}
