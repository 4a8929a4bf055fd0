/** The local tree of a mirror. Nothing is read or written through a link that lies in it. */
import { type Stats, constants, lstatSync } from "node:fs";
import {
  chmod,
  lstat,
  lutimes,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rm,
  rmdir,
  stat as statThrough,
  symlink,
  unlink,
} from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import { makeFolders } from "../../base/make-folders.ts";
import { systemCode } from "../../base/system-code.ts";
import { createDigest, type DigestName } from "../../protocol/digest.ts";
import type { EntryTime, EntryType, HashResult } from "../types.ts";
import { NO_FOLLOW } from "../pinned.ts";
import { DIGEST_BLOCK, FOLDER_ENTRIES, STAT_BATCH, STAT_BATCH_MS } from "./limits.ts";
import { localError } from "./local-error.ts";
import { LocalFolders } from "./local-folders.ts";
import { isPart, temporaryName } from "./parts.ts";
import { type Item, type Listed, type ListTerms, type Side, nameOf, parentOf, tooMany } from "./side.ts";

/** Bits that a mirror sets: neither setuid and setgid nor the sticky bit may come from elsewhere. */
export const MODE_BITS = 0o777;
/** Of our own folders, or the mirror could not go on in them. */
const OWN_FOLDER = 0o700;

export class LocalSide implements Side, AsyncDisposable {
  readonly label: string;
  readonly folders: LocalFolders;
  readonly #root: string;

  constructor(root: string, terms: { readonly follow: boolean }) {
    this.#root = root;
    this.label = root;
    this.folders = new LocalFolders(root, terms);
  }

  async list(folder: string, { signal, follow }: ListTerms): Promise<Listed> {
    return await this.folders.use(folder, async (at) => {
      const names = await readdir(at).catch((error: unknown) => {
        throw localError(error, `list the folder ${folder === "" ? this.#root : folder}`);
      });
      if (names.length > FOLDER_ENTRIES) throw tooMany(folder, { phase: "local" });
      const reading = new Reading(at, follow);
      let isSlow = false;
      for (let start = 0; start < names.length; start += STAT_BATCH) {
        signal.throwIfAborted();
        const batch = names.slice(start, start + STAT_BATCH);
        const before = performance.now();
        if (isSlow) await reading.addLater(batch);
        else await reading.add(batch);
        isSlow = performance.now() - before > STAT_BATCH_MS;
        await turn();
      }
      return reading.listed();
    });
  }

  async digest(
    path: string,
    { signal, algorithm = "SHA-256" }: { readonly signal: AbortSignal; readonly algorithm?: DigestName },
  ): Promise<HashResult> {
    return await this.#at(path, `read ${path}`, async (full) => {
      await using file = await open(full, constants.O_RDONLY | NO_FOLLOW);
      const digest = createDigest(algorithm);
      const block = Buffer.allocUnsafe(DIGEST_BLOCK);
      for (;;) {
        signal.throwIfAborted();
        const { bytesRead } = await file.read(block, 0, block.length, null);
        if (bytesRead === 0) return { algorithm, hash: digest.hex() };
        digest.update(block.subarray(0, bytesRead));
      }
    });
  }

  async makeFolder(path: string): Promise<void> {
    if (path === "") {
      await makeFolders(this.#root).catch((error: unknown) => {
        throw localError(error, `make the folder ${this.#root}`);
      });
      return;
    }
    await this.#at(path, `make the folder ${path}`, async (full) => {
      try {
        await mkdir(full);
      } catch (error) {
        if (systemCode(error) !== "EEXIST" || !(await lstat(full)).isDirectory()) throw error;
      }
    });
  }

  async removeFile(path: string): Promise<void> {
    await this.#at(path, `remove ${path}`, async (full) => {
      await unlink(full).catch(unlessGone);
    });
  }

  async removeFolder(path: string): Promise<void> {
    await this.folders.forget(path);
    await this.#at(path, `remove the folder ${path}`, async (full) => {
      await rmdir(full).catch(unlessGone);
    });
  }

  async setTime(path: string, { ms }: EntryTime): Promise<void> {
    await this.#at(path, `set the time of ${path}`, async (full) => await lutimes(full, new Date(), new Date(ms)));
  }

  async setMode(path: string, mode: number): Promise<void> {
    await this.#at(path, `set the mode of ${path}`, async (full) => {
      const stat = await lstat(full);
      if (stat.isSymbolicLink()) throw Object.assign(new Error("a link"), { code: "ELOOP" });
      await chmod(full, (mode & MODE_BITS) | (stat.isDirectory() ? OWN_FOLDER : 0));
    });
  }

  async makeLink(path: string, target: string): Promise<void> {
    await this.folders.use(parentOf(path), async (at) => {
      const temporary = `${at}/${temporaryName()}`;
      try {
        await symlink(target, temporary);
        await rename(temporary, `${at}/${nameOf(path)}`);
      } catch (error) {
        await rm(temporary, { force: true });
        throw localError(error, `make the link ${path}`);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folders[Symbol.asyncDispose]();
  }

  async #at<T>(path: string, what: string, work: (full: string) => Promise<T>): Promise<T> {
    return await this.folders.use(parentOf(path), async (at) => {
      try {
        return await work(`${at}/${nameOf(path)}`);
      } catch (error) {
        throw error instanceof Error && error.name === "AbortError" ? error : localError(error, what);
      }
    });
  }
}

/** The entries of one folder, as they are looked at. */
class Reading {
  readonly #at: string;
  readonly #follow: boolean;
  readonly #items: Item[] = [];
  readonly #parts = new Map<string, number>();
  readonly #warnings: string[] = [];
  #isCut = false;

  constructor(at: string, follow: boolean) {
    this.#at = at;
    this.#follow = follow;
  }

  /** One after the other without waiting: a tenth of the time, as long as the disk answers from memory. */
  async add(names: readonly string[]): Promise<void> {
    for (const name of names) {
      let stat: Stats | undefined;
      try {
        stat = lstatSync(`${this.#at}/${name}`, { throwIfNoEntry: false });
      } catch (error) {
        this.#miss(name, error);
        continue;
      }
      if (stat === undefined) this.#miss(name, undefined);
      else if (stat.isSymbolicLink() && !isPart(name)) this.#items.push(await this.#link(name, stat));
      else this.#take(name, stat);
    }
  }

  async addLater(names: readonly string[]): Promise<void> {
    const stats = await Promise.allSettled(names.map(async (name) => await lstat(`${this.#at}/${name}`)));
    for (const [index, result] of stats.entries()) {
      const name = names[index] ?? "";
      if (result.status === "rejected") this.#miss(name, result.reason);
      else if (result.value.isSymbolicLink() && !isPart(name)) this.#items.push(await this.#link(name, result.value));
      else this.#take(name, result.value);
    }
  }

  listed(): Listed {
    return { items: this.#items, parts: this.#parts, warnings: this.#warnings, isCut: this.#isCut };
  }

  #take(name: string, stat: Stats): void {
    if (!isPart(name)) this.#items.push(itemOf(name, stat, undefined));
    else if (stat.isFile()) this.#parts.set(name, stat.size);
  }

  /** What was removed since is no loss; a name that is no UTF-8 cannot be asked for by its text, and is there. */
  #miss(name: string, error: unknown): void {
    const isGone = error === undefined || systemCode(error) === "ENOENT";
    if (isGone && !name.includes("\u{fffd}")) return;
    this.#isCut = true;
    this.#warnings.push(
      isGone ? `the name "${name}" is not UTF-8; it is left out` : localError(error, `look at "${name}"`).message,
    );
  }

  async #link(name: string, stat: Stats): Promise<Item> {
    const path = `${this.#at}/${name}`;
    const target = await readlink(path).catch(() => undefined);
    const through = this.#follow ? await statThrough(path).catch(() => undefined) : undefined;
    return itemOf(name, through ?? stat, target);
  }
}

function itemOf(name: string, stat: Stats, target: string | undefined): Item {
  const type = typeOf(stat);
  return {
    name,
    type,
    size: type === "file" ? stat.size : undefined,
    modified: { ms: stat.mtimeMs, precision: "second", zone: "utc" },
    mode: stat.mode & MODE_BITS,
    target,
  };
}

function typeOf(stat: Stats): EntryType {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  return stat.isSymbolicLink() ? "link" : "other";
}

function unlessGone(error: unknown): void {
  if (systemCode(error) !== "ENOENT") throw error;
}
