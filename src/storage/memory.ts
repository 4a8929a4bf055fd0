/** A storage in memory: for tests, for trying things out, and as the port's second opinion on what it means. */
import type { ByteString } from "../base/bytes.ts";
import { baseName, pathParts, type VirtualPath, virtualPath } from "../protocol/path.ts";
import { checkName, namesHidden } from "./local/hidden.ts";
import { beginMemoryUpload } from "./memory-upload.ts";
import { Directory, File, Link, lookUp, type Node, type Place, type Volume } from "./memory-tree.ts";
import {
  type Entry,
  type FileReader,
  LISTING_BATCH,
  type Octets,
  type Storage,
  StorageError,
  type StorageFault,
  type Times,
  type Upload,
  type UploadIntent,
} from "./storage.ts";

export type MemoryOptions = {
  /** Octets that all files together may hold; beyond it writes fail with "full". Default MEMORY_CAPACITY. */
  readonly capacity?: number;
};

/** Octets of all files of one memory storage: a test's due, and far from what a process can take. */
const MEMORY_CAPACITY = 256 * 1024 * 1024;
/** Octets of one name, as on most hosts (NAME_MAX, linux/limits.h). */
const MAX_NAME_OCTETS = 255;
const SETTABLE_MODE_BITS = 0o1777;

/** All abilities but those that only a host has. */
type FullStorage = Required<Omit<Storage, "table">>;

/** @param files contents by path (UTF-8 text); folders on the way are made, a path that ends in `/` is a folder. */
export function createMemoryStorage(
  files: Readonly<Record<string, string | Buffer>> = {},
  options: MemoryOptions = {},
): FullStorage {
  const storage = new MemoryStorage(options.capacity ?? MEMORY_CAPACITY);
  for (const [path, content] of Object.entries(files)) storage.plant(path, Buffer.from(content));
  return storage;
}

class MemoryStorage implements FullStorage {
  readonly #root = new Directory();
  readonly #volume: Volume;

  constructor(capacity: number) {
    this.#volume = { capacity, used: 0 };
  }

  plant(text: string, content: Buffer): void {
    let folder = this.#root;
    const path = virtualPath(text);
    const parts = [...pathParts(path)];
    const fileName = text.endsWith("/") ? undefined : parts.pop();
    for (const part of parts) {
      const next = folder.children.get(part) ?? new Directory();
      if (!(next instanceof Directory)) throw new StorageError("not-a-folder", path);
      folder.children.set(part, next);
      folder = next;
    }
    if (fileName === undefined) return;
    folder.children.set(fileName, new File(content));
    this.#volume.used += content.length;
  }

  async stat(path: VirtualPath, links: "follow" | "keep" = "follow"): Promise<Entry> {
    return entryOf(baseName(path), this.#existing(path, links).node);
  }

  async *list(path: VirtualPath): AsyncIterable<readonly Entry[]> {
    const { node } = this.#existing(path, "follow");
    if (!(node instanceof Directory)) throw new StorageError("not-a-folder", path);
    let batch: Entry[] = [];
    for (const [name, child] of node.children) {
      if (batch.push(entryOf(name, child)) < LISTING_BATCH) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  names(path: VirtualPath): AsyncIterable<readonly Entry[]> {
    return this.list(path);
  }

  async openRead(path: VirtualPath): Promise<FileReader> {
    const { node } = this.#existing(path, "follow");
    if (!(node instanceof File)) throw new StorageError("not-a-file", path);
    // A file's content is never changed, only replaced: this reader keeps what it opened.
    const { content } = node;
    return {
      entry: entryOf(baseName(path), node),
      read: async (into, position) => (position >= content.length ? 0 : content.copy(into, 0, position)),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  async openWrite(path: VirtualPath, intent: UploadIntent, options?: { readonly mode?: number }): Promise<Upload> {
    const { folder, name, node } = this.#place(path, intent.kind === "create" ? "keep" : "follow");
    if (node !== undefined && intent.kind === "create" && path !== "/") throw new StorageError("exists", path);
    if (node !== undefined && !(node instanceof File)) throw new StorageError("not-a-file", path);
    const site = { path, folder, name, volume: this.#volume, exclusive: intent.kind === "create", mode: options?.mode };
    return beginMemoryUpload(site, intent, node?.content);
  }

  async interrupted(path: VirtualPath): Promise<number | undefined> {
    const { folder, name, node } = this.#place(path, "follow");
    return node === undefined ? folder.parts.get(name)?.length : undefined;
  }

  async rename(from: VirtualPath, to: VirtualPath, taken: "refuse" | "replace"): Promise<void> {
    if (from === "/" || to === "/") throw new StorageError("is-root", from);
    const source = this.#existing(from, "keep");
    const target = this.#place(to, "keep");
    const mayReplace = taken === "replace" && !(source.node instanceof Directory || target.node instanceof Directory);
    if (target.node !== undefined && !mayReplace) throw new StorageError("exists", to);
    if (source.node instanceof Directory && holds(source.node, target.folder)) throw new StorageError("denied", from);
    if (target.node === source.node) return;
    this.#release(target.node);
    source.folder.children.delete(source.name);
    target.folder.children.set(target.name, source.node);
    touch(source.folder, target.folder);
  }

  async remove(path: VirtualPath): Promise<void> {
    const { folder, name, node } = this.#existing(path, "keep");
    if (path === "/") throw new StorageError("is-root", path);
    if (node instanceof Directory) throw new StorageError("not-a-file", path);
    folder.children.delete(name);
    this.#release(node);
    touch(folder);
  }

  async makeDirectory(path: VirtualPath, mode?: number): Promise<void> {
    this.#add(path, () => new Directory(mode));
  }

  async removeDirectory(path: VirtualPath): Promise<void> {
    const { folder, name, node } = this.#existing(path, "keep");
    if (path === "/") throw new StorageError("is-root", path);
    if (!(node instanceof Directory)) throw new StorageError("not-a-folder", path);
    if (node.children.size > 0) throw new StorageError("not-empty", path);
    for (const part of node.parts.values()) this.#volume.used -= part.length;
    node.removed = true;
    folder.children.delete(name);
    touch(folder);
  }

  async setTimes(path: VirtualPath, times: Times): Promise<void> {
    const { node } = this.#changeable(path);
    if (times.created !== undefined) throw new StorageError("unsupported", path);
    if (times.modified !== undefined) node.facts.modified = Math.floor(times.modified);
  }

  async setMode(path: VirtualPath, mode: number): Promise<void> {
    this.#changeable(path).node.facts.mode = mode & SETTABLE_MODE_BITS;
  }

  async makeLink(path: VirtualPath, target: ByteString): Promise<void> {
    if (target === "" || target.includes("\0") || namesHidden(target)) throw new StorageError("bad-name", path);
    this.#add(path, () => new Link(target));
  }

  async available(path: VirtualPath): Promise<Octets> {
    this.#existing(path, "follow");
    return this.#volume.capacity - this.#volume.used;
  }

  #place(path: VirtualPath, links: "follow" | "keep"): Place {
    checkName(path, "linux");
    if (path.split("/").some((part) => part.length > MAX_NAME_OCTETS)) throw new StorageError("bad-name", path);
    const found = lookUp(this.#root, path, links);
    if (typeof found === "string") throw new StorageError(found satisfies StorageFault, path);
    return found;
  }

  #existing(path: VirtualPath, links: "follow" | "keep"): Place & { readonly node: Node } {
    const place = this.#place(path, links);
    if (place.node === undefined) throw new StorageError("not-found", path);
    return { ...place, node: place.node };
  }

  #changeable(path: VirtualPath): Place & { readonly node: Node } {
    if (path === "/") throw new StorageError("is-root", path);
    return this.#existing(path, "follow");
  }

  #add(path: VirtualPath, make: () => Node): void {
    const { folder, name, node } = this.#place(path, "keep");
    if (node !== undefined) throw new StorageError("exists", path);
    folder.children.set(name, make());
    touch(folder);
  }

  #release(node: Node | undefined): void {
    if (node instanceof File) this.#volume.used -= node.content.length;
  }
}

function touch(...folders: readonly Directory[]): void {
  for (const folder of folders) folder.facts.modified = Date.now();
}

/** Whether `folder` is `root` or below it. */
function holds(root: Directory, folder: Directory): boolean {
  const waiting: Directory[] = [root];
  for (let next; (next = waiting.pop()) !== undefined;) {
    if (next === folder) return true;
    for (const child of next.children.values()) if (child instanceof Directory) waiting.push(child);
  }
  return false;
}

function entryOf(name: ByteString, node: Node): Entry {
  const { modified, mode, unique } = node.facts;
  return {
    name,
    kind: node.kind,
    size: node instanceof File ? node.content.length : 0,
    modified,
    mode,
    owner: "ftp",
    group: "ftp",
    links: 1,
    unique,
    ...(node instanceof Link ? { target: node.target } : {}),
  };
}
