/** Uploads of the memory storage: the same promises as the local one's, without a host. */
import type { ByteString } from "../base/bytes.ts";
import type { VirtualPath } from "../protocol/path.ts";
import { Directory, File, type Volume } from "./memory-tree.ts";
import { StorageError, type Upload, type UploadIntent } from "./storage.ts";

type UploadSite = {
  readonly path: VirtualPath;
  readonly folder: Directory;
  readonly name: ByteString;
  readonly volume: Volume;
  /** The name must be free at the end. */
  readonly exclusive: boolean;
  /** Permission bits of a new file. */
  readonly mode: number | undefined;
};

/** `part`: the kept upload that was taken for this one, to be put back if it comes to nothing. */
type Beginning = { readonly content: Buffer; readonly offset: number; readonly part?: Buffer | undefined };

/** @param there what the file of that name holds. */
export function beginMemoryUpload(site: UploadSite, intent: UploadIntent, there: Buffer | undefined): Upload {
  if (intent.kind === "create" || intent.kind === "replace") {
    return new MemoryUpload(site, { content: Buffer.alloc(0), offset: 0 });
  }
  const part = site.folder.parts.get(site.name);
  const onPart =
    part !== undefined && (there === undefined || (intent.kind === "resume" && part.length === intent.offset));
  const content = (onPart ? part : there) ?? Buffer.alloc(0);
  const offset = intent.kind === "append" ? content.length : intent.offset;
  if (offset > content.length) throw new StorageError("bad-offset", site.path);
  if (!onPart) return new MemoryUpload(site, { content, offset });
  site.folder.parts.delete(site.name);
  return new MemoryUpload(site, { content: content.subarray(0, offset), offset, part });
}

class MemoryUpload implements Upload {
  readonly offset: number;
  readonly #site: UploadSite;
  readonly #part: Buffer | undefined;
  #content: Buffer;
  /** Octets of #content that count; it grows ahead of them. */
  #size: number;
  #position: number;
  #closed = false;

  /** Nothing of `beginning.content` is changed; what comes is counted against the volume at once. */
  constructor(site: UploadSite, beginning: Beginning) {
    this.#site = site;
    this.#part = beginning.part;
    this.#content = Buffer.from(beginning.content);
    this.#size = beginning.content.length;
    this.#position = beginning.offset;
    this.offset = beginning.offset;
    // The taken part's octets are counted already.
    this.#count(this.#size - (beginning.part?.length ?? 0));
  }

  async write(chunks: readonly Buffer[]): Promise<void> {
    if (this.#closed) throw new StorageError("io", this.#site.path);
    for (const chunk of chunks) {
      const end = this.#position + chunk.length;
      if (end > this.#size) {
        this.#count(end - this.#size);
        this.#grow(end);
      }
      chunk.copy(this.#content, this.#position);
      this.#position = end;
    }
  }

  #count(octets: number): void {
    const { volume, path } = this.#site;
    if (octets > 0 && volume.used + octets > volume.capacity) throw new StorageError("full", path);
    volume.used += octets;
  }

  #grow(end: number): void {
    if (end > this.#content.length) {
      const larger = Buffer.alloc(Math.max(end, 2 * this.#content.length));
      this.#content.copy(larger);
      this.#content = larger;
    }
    this.#size = end;
  }

  async publish(): Promise<void> {
    const { folder, name, path, exclusive, mode } = this.#site;
    if (this.#closed) throw new StorageError("io", path);
    const there = folder.children.get(name);
    if (folder.removed) throw new StorageError("not-found", path);
    if (exclusive && there !== undefined) throw new StorageError("exists", path);
    if (there instanceof Directory) throw new StorageError("not-a-file", path);
    this.#closed = true;
    if (there instanceof File) this.#count(-there.content.length);
    folder.children.set(name, new File(this.#content.subarray(0, this.#size), there?.facts.mode ?? mode));
    folder.facts.modified = Date.now();
    this.#dropPart();
  }

  async keep(): Promise<void> {
    if (this.#closed) return;
    if (this.#position === 0) {
      await this[Symbol.asyncDispose]();
      return;
    }
    this.#closed = true;
    this.#count(this.#position - this.#size);
    this.#dropPart();
    this.#site.folder.parts.set(this.#site.name, this.#content.subarray(0, this.#position));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { folder, name } = this.#site;
    const part = this.#part !== undefined && !folder.parts.has(name) ? this.#part : undefined;
    if (part !== undefined) folder.parts.set(name, part);
    this.#count((part?.length ?? 0) - this.#size);
  }

  #dropPart(): void {
    const { folder, name } = this.#site;
    this.#count(-(folder.parts.get(name)?.length ?? 0));
    folder.parts.delete(name);
  }
}
