/** The local adapter: folders of this host behind a jail. Which jail is in force is told by `LocalStorage.jail`. */
import { closeSync, existsSync, openSync, statSync } from "node:fs";
import type { ByteString } from "../../base/bytes.ts";
import { systemCode } from "../../base/system-code.ts";
import type { EntryTable } from "../../protocol/entry-table.ts";
import { baseName, type VirtualPath } from "../../protocol/path.ts";
import { loadSystemCalls, OPEN } from "../../sys/ffi.ts";
import {
  type Entry,
  type FileReader,
  type NamedEntry,
  type Octets,
  type Storage,
  StorageError,
  type TableTerms,
  type Times,
  type Upload,
  type UploadIntent,
} from "../storage.ts";
import { APPEND_COPY_LIMIT, beginUpload, type DraftOptions } from "./draft.ts";
import { guarded, HostError, storageError, unless } from "./faults.ts";
import { checkName, isHidden, namesHidden, partName } from "./hidden.ts";
import {
  type HostEntry,
  type HostFolder,
  type HostJail,
  type HostStat,
  locate,
  type Place,
  statIfThere,
} from "./host.ts";
import { Journal, sweepJournals } from "./journal.ts";
import { KernelJail, kernelJailWorks } from "./kernel.ts";
import { groupName, ownerName } from "./owners.ts";
import { freeingElsewhere } from "./large.ts";
import { PortableJail } from "./portable.ts";
import { LocalReader } from "./reader.ts";
import { emptyOfHidden, removeIfStale } from "./strays.ts";
import { readTable } from "./table.ts";

export type LocalOptions = {
  /** "auto" (the default): the kernel's where it works; "kernel" fails where it does not. */
  readonly jail?: "auto" | "kernel" | "portable";
  /** Default true. False: a link in any path is "denied", so that the path that a rule judged is the one opened. */
  readonly followLinks?: boolean;
  /**
   * Default "allow". "refuse": a file with several names, of which one may lie outside (attack 28), is not read, gone
   * on with or given other times or modes. Replacing and removing touch only the name, never what it held, either way.
   */
  readonly hardLinks?: "allow" | "refuse";
  /** Bits that new files and folders do not get; default: the process's own mask. */
  readonly umask?: number;
  /** Default true. False: every entry is said to belong to `ftp`. */
  readonly showOwners?: boolean;
};

export interface LocalStorage extends Storage, AsyncDisposable {
  readonly jail: "kernel" | "portable";
  /** Clears up after processes that died; for the start of a server. @returns how many temporaries there were. */
  sweep(): Promise<number>;
}

/**
 * Opens `root` and holds it: a later rename of it, or of a link on the way to it, changes nothing (attack 27).
 * @throws {Error} for the operator, naming `root`: it is missing, not a folder, or this jail does not work here.
 */
export async function openLocalStorage(root: string, options: LocalOptions = {}): Promise<LocalStorage> {
  const jail = openJail(root, options);
  try {
    // The root too may be no view of the kernel (attack 20).
    jail.openFolder("/")[Symbol.dispose]();
  } catch (error) {
    jail[Symbol.dispose]();
    throw new Error(`cannot serve ${root}: it cannot be entered, or holds no files`, { cause: error });
  }
  return new LocalAdapter(jail, options);
}

function openJail(root: string, { jail = "auto", followLinks = true }: LocalOptions): HostJail {
  try {
    if (!statSync(root).isDirectory()) throw new Error("it is not a folder");
    const calls = jail === "portable" ? undefined : loadSystemCalls();
    if (calls !== undefined) {
      const descriptor = openSync(root, OPEN.path | OPEN.directory);
      if (kernelJailWorks(calls, descriptor)) return new KernelJail(calls, descriptor, followLinks);
      closeSync(descriptor);
    }
    if (jail === "kernel") throw new Error("the kernel's jail needs Linux 5.6, x64 or arm64, and the package koffi");
    return new PortableJail(root, followLinks, hasDescriptorPaths() ? "descriptors" : "paths");
  } catch (error) {
    const reason = { ENOENT: "it does not exist", EACCES: "no right to enter it" }[systemCode(error)];
    throw new Error(`cannot serve ${root}: ${reason ?? (error instanceof Error ? error.message : String(error))}`, {
      cause: error,
    });
  }
}

function hasDescriptorPaths(): boolean {
  return process.platform === "linux" && existsSync("/proc/self/fd");
}

/** Exported for the tests of jails that are not this host's own. */
export class LocalAdapter implements LocalStorage {
  readonly jail: "kernel" | "portable";
  readonly #jail: HostJail;
  readonly #journal: Journal;
  readonly #follow: "follow" | "refuse";
  readonly #showOwners: boolean;
  readonly #drafts: DraftOptions;
  #closed = false;

  /** @param jail is closed with this. */
  constructor(
    jail: HostJail,
    options: LocalOptions & { readonly appendCopyLimit?: number; readonly nameless?: boolean },
  ) {
    this.jail = jail.kind;
    this.#jail = jail;
    this.#journal = new Journal(jail);
    this.#follow = options.followLinks === false ? "refuse" : "follow";
    this.#showOwners = options.showOwners ?? true;
    this.#drafts = {
      umask: options.umask,
      nameless: options.nameless ?? (jail.kind === "kernel" && hasDescriptorPaths()),
      refuseHardLinks: options.hardLinks === "refuse",
      appendCopyLimit: options.appendCopyLimit ?? APPEND_COPY_LIMIT,
    };
  }

  async stat(path: VirtualPath, links: "follow" | "keep" = "follow"): Promise<Entry> {
    return guarded(path, () => {
      using place = this.#existing(path, links === "keep" ? "keep" : this.#follow);
      return this.#entry(baseName(path), place.stat, () => place.folder.readLink(place.name));
    });
  }

  async *list(path: VirtualPath): AsyncIterable<readonly Entry[]> {
    using folder = guarded(path, () => this.#openFolder(path));
    try {
      const take = (found: HostEntry): Entry | undefined => {
        const { name } = found;
        if (!isHidden(name)) return this.#entry(name, found, () => folder.readLink(name));
        removeIfStale(folder, name);
        return undefined;
      };
      for await (const batch of folder.entries(take)) if (batch.length > 0) yield batch;
    } catch (error) {
      throw storageError(error, path);
    }
  }

  async *names(path: VirtualPath): AsyncIterable<readonly NamedEntry[]> {
    using folder = guarded(path, () => this.#openFolder(path));
    try {
      for await (const found of folder.names()) {
        const batch = found.filter(({ name }) => !isHidden(name));
        for (const { name } of found.length === batch.length ? [] : found) {
          if (isHidden(name)) removeIfStale(folder, name);
        }
        if (batch.length > 0) yield batch;
      }
    } catch (error) {
      throw storageError(error, path);
    }
  }

  table(path: VirtualPath, terms: TableTerms): AsyncIterable<EntryTable> | undefined {
    if (this.jail !== "kernel") return undefined;
    return readTable(path, { open: () => this.#openFolder(path), showOwners: this.#showOwners }, terms);
  }

  #openFolder(path: VirtualPath): HostFolder {
    using place = this.#existing(path, this.#follow);
    if (place.stat.kind !== "directory") throw new StorageError("not-a-folder", path);
    return this.#jail.openFolder(path);
  }

  async openRead(path: VirtualPath): Promise<FileReader> {
    return guarded(path, () => {
      using place = this.#existing(path, this.#follow);
      if (place.stat.kind !== "file") throw new HostError("EISDIR", "not a plain file");
      const descriptor = place.folder.open(place.name, "read");
      try {
        const stat = this.#jail.statOpen(descriptor);
        if (stat.kind !== "file") throw new HostError("EISDIR", "not a plain file");
        this.#checkHardLinks(stat);
        return new LocalReader(path, { entry: this.#entry(baseName(path), stat), descriptor });
      } catch (error) {
        closeSync(descriptor);
        throw error;
      }
    });
  }

  async openWrite(path: VirtualPath, intent: UploadIntent, options?: { readonly mode?: number }): Promise<Upload> {
    const place = guarded(path, () => {
      if (path === "/") throw new HostError("EISDIR", "the root");
      return this.#place(path, intent.kind === "create" ? "keep" : this.#follow);
    });
    try {
      return await beginUpload({ jail: this.#jail, journal: this.#journal, path, place }, intent, {
        ...this.#drafts,
        mode: options?.mode,
      });
    } catch (error) {
      place[Symbol.dispose]();
      throw storageError(error, path);
    }
  }

  async interrupted(path: VirtualPath): Promise<number | undefined> {
    return guarded(path, () => {
      using place = this.#place(path, this.#follow);
      if (place.stat !== undefined) return undefined;
      const size = statIfThere(place.folder, partName(place.name))?.size;
      return size === undefined ? undefined : Number(size);
    });
  }

  async rename(from: VirtualPath, to: VirtualPath, taken: "refuse" | "replace"): Promise<void> {
    guarded(from, () => {
      if (from === "/" || to === "/") throw new StorageError("is-root", from);
      using source = this.#existing(from, "keep");
      using target = this.#place(to, "keep");
      if (taken === "replace" && target.stat?.kind === "directory") throw new StorageError("exists", to);
      try {
        // A folder replaces nothing, so it moves as if "refuse" was asked.
        const exclusive = taken === "refuse" || source.stat.kind === "directory";
        const size = target.stat?.kind === "file" ? target.stat.size : 0;
        freeingElsewhere({ folder: target.folder, name: target.name, size }, () => {
          source.folder.rename(source.name, [target.folder, target.name], exclusive);
        });
      } catch (error) {
        throw renameFault(error, from);
      }
    });
  }

  async remove(path: VirtualPath): Promise<void> {
    guarded(path, () => {
      if (path === "/") throw new StorageError("is-root", path);
      using place = this.#existing(path, "keep");
      if (place.stat.kind === "directory") throw new HostError("EISDIR", "a folder");
      const { folder, name, stat } = place;
      freeingElsewhere({ folder, name, size: stat.kind === "file" ? stat.size : 0 }, () => folder.unlink(name));
    });
  }

  async makeDirectory(path: VirtualPath, mode?: number): Promise<void> {
    guarded(path, () => {
      if (path === "/") throw new HostError("EEXIST", "the root");
      using place = this.#place(path, "keep");
      const { umask } = this.#drafts;
      const bits = (mode ?? ~(umask ?? 0)) & 0o777;
      place.folder.makeFolder(place.name, bits);
      if (mode !== undefined || umask !== undefined) place.folder.setMode(place.name, bits);
    });
  }

  async removeDirectory(path: VirtualPath): Promise<void> {
    try {
      checkName(path);
      if (path === "/") throw new StorageError("is-root", path);
      using place = this.#existing(path, "keep");
      if (place.stat.kind !== "directory") throw new StorageError("not-a-folder", path);
      try {
        place.folder.removeFolder(place.name);
      } catch (error) {
        if (!["ENOTEMPTY", "EEXIST"].includes(systemCode(error))) throw error;
        using folder = this.#jail.openFolder(path);
        await emptyOfHidden(folder, () => this.#jail.openFolder(`${path}/.ferryman-journal`));
        place.folder.removeFolder(place.name);
      }
    } catch (error) {
      throw storageError(error, path);
    }
  }

  async setTimes(path: VirtualPath, times: Times): Promise<void> {
    guarded(path, () => {
      // No call of a POSIX host sets when a file was made.
      if (times.created !== undefined) throw new StorageError("unsupported", path);
      using place = this.#changeable(path);
      place.folder.setTimes(place.name, times);
    });
  }

  async setMode(path: VirtualPath, mode: number): Promise<void> {
    guarded(path, () => {
      using place = this.#changeable(path);
      place.folder.setMode(place.name, mode & 0o1777);
    });
  }

  async makeLink(path: VirtualPath, target: ByteString): Promise<void> {
    guarded(path, () => {
      if (target === "" || target.includes("\0") || namesHidden(target)) throw new StorageError("bad-name", path);
      if (path === "/") throw new HostError("EEXIST", "the root");
      using place = this.#place(path, "keep");
      place.folder.makeLink(place.name, target);
    });
  }

  async available(path: VirtualPath): Promise<Octets> {
    return guarded(path, () => {
      using place = this.#existing(path, this.#follow);
      using folder = this.#jail.openFolder(place.stat.kind === "directory" ? path : place.folderPath);
      return folder.available();
    });
  }

  async sweep(): Promise<number> {
    return sweepJournals(this.#jail);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#journal[Symbol.dispose]();
    this.#jail[Symbol.dispose]();
  }

  #place(path: VirtualPath, links: "follow" | "keep" | "refuse"): Place {
    if (this.#closed) throw new HostError("EBADF", "this storage is closed");
    checkName(path);
    return locate(this.#jail, path, links);
  }

  #existing(path: VirtualPath, links: "follow" | "keep" | "refuse"): Place & { readonly stat: HostStat } {
    const place = this.#place(path, links);
    const { stat } = place;
    if (stat !== undefined) {
      const { folder, folderPath, name } = place;
      return { folder, folderPath, name, stat, [Symbol.dispose]: () => folder[Symbol.dispose]() };
    }
    place[Symbol.dispose]();
    throw new StorageError("not-found", path);
  }

  #changeable(path: VirtualPath): Place {
    if (path === "/") throw new StorageError("is-root", path);
    const place = this.#existing(path, this.#follow);
    try {
      if (place.stat.kind === "file") this.#checkHardLinks(place.stat);
      return place;
    } catch (error) {
      place[Symbol.dispose]();
      throw error;
    }
  }

  #checkHardLinks(stat: HostStat): void {
    if (this.#drafts.refuseHardLinks && stat.links > 1) throw new HostError("EACCES", "a file with several names");
  }

  #entry(name: ByteString, stat: HostStat, readLink?: () => ByteString): Entry {
    const { kind, modified, mode, links, unique } = stat;
    const entry = {
      name,
      kind,
      size: kind === "file" ? stat.size : 0,
      modified,
      mode,
      owner: this.#showOwners ? ownerName(stat.uid) : "ftp",
      group: this.#showOwners ? groupName(stat.gid) : "ftp",
      links,
      unique,
    };
    const target = kind === "link" && readLink !== undefined ? unless(["ENOENT", "EINVAL"], readLink) : undefined;
    return target === undefined ? entry : { ...entry, target };
  }
}

/** What rename(2) says that the general table does not know. */
function renameFault(error: unknown, path: VirtualPath): unknown {
  const code = systemCode(error);
  if (code === "EINVAL") return new StorageError("denied", path, { cause: error }); // a folder below itself
  if (code === "EXDEV") return new StorageError("unsupported", path, { cause: error }); // to another volume
  if (code === "EISDIR" || code === "ENOTEMPTY") return new StorageError("exists", path, { cause: error });
  return error;
}
