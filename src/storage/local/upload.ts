/** Uploads that appear whole or not at all. Why and what it costs: docs/decisions/003-uploads-appear-whole.md. */
import { close, closeSync, fchmodSync, fchownSync, ftruncateSync, writev, writevSync } from "node:fs";
import { promisify } from "node:util";
import { LoopGuard } from "../../base/loop-guard.ts";
import type { ByteString } from "../../base/bytes.ts";
import { systemCode } from "../../base/system-code.ts";
import type { VirtualPath } from "../../protocol/path.ts";
import type { Upload } from "../storage.ts";
import { HostError, storageError, unless } from "./faults.ts";
import { partName, temporaryName } from "./hidden.ts";
import { type HostJail, type HostStat, type Place, statIfThere } from "./host.ts";
import { freeingElsewhere, LARGE_FILE } from "./large.ts";
import { type Journal, putBack } from "./journal.ts";

const writevAsync = promisify(writev);

/** Octets of an upload that are written on the event loop, as the native path does. */
const SHORT_UPLOAD = 131_072;
/** In milliseconds. A disk that holds writers up does it for 10 ms and more. */
const onLoop = new LoopGuard({ mostMs: 20, restMs: 1_000 });

/** What the bits of a replaced file may hand on: never setuid, setgid or sticky. */
const KEPT_MODE_BITS = 0o777;

/** Where an upload's octets go until it is published. */
export type Draft = {
  readonly descriptor: number;
  /**
   * "nameless": O_TMPFILE. "named": a hidden file. "claimed": a kept upload under a hidden name, put back on failure.
   * "in-place": the end of the real file itself, cut off on failure.
   */
  kind: "nameless" | "named" | "claimed" | "in-place";
  /** Its hidden name, where it has one. */
  hidden: ByteString | undefined;
  readonly lock?: Disposable;
};

export type UploadContext = {
  readonly jail: HostJail;
  readonly journal: Journal;
  readonly path: VirtualPath;
  readonly place: Place;
  /** The name must be free at the end. */
  readonly exclusive: boolean;
  readonly offset: number;
};

export class LocalUpload implements Upload {
  readonly offset: number;
  readonly descriptor?: number;
  readonly #context: UploadContext;
  readonly #draft: Draft;
  /** Where the next octet goes, for hosts that cannot tell. */
  #position: number;
  #pending: Promise<unknown> = Promise.resolve();
  #closed = false;
  /** Octets that may still be written on the event loop. */
  #short = SHORT_UPLOAD;

  /** Owns the draft and the place from here on. */
  constructor(context: UploadContext, draft: Draft) {
    this.#context = context;
    this.#draft = draft;
    this.#position = context.offset;
    this.offset = context.offset;
    if (context.jail.seek !== undefined) {
      if (context.offset > 0) context.jail.seek(draft.descriptor, context.offset, "start");
      this.descriptor = draft.descriptor;
    }
  }

  async write(chunks: readonly Buffer[]): Promise<void> {
    const writing = this.#write(chunks.filter((chunk) => chunk.length > 0));
    this.#pending = writing.catch(() => {});
    try {
      await writing;
    } catch (error) {
      throw storageError(error, this.#context.path);
    }
  }

  async #write(chunks: readonly Buffer[]): Promise<void> {
    let left = chunks;
    while (left.length > 0) {
      this.#mustBeOpen();
      // Where the file's own position is known, it is the one truth, shared with the native data path.
      const position = this.#context.jail.seek === undefined ? this.#position : undefined;
      const bytesWritten = await this.#writeSome(left, position);
      this.#position += bytesWritten;
      left = withoutFirst(left, bytesWritten);
    }
  }

  /** The beginning of an upload, which is all of a short one, is written on the spot: a thread takes longer to be woken. */
  async #writeSome(chunks: readonly Buffer[], position: number | undefined): Promise<number> {
    const { descriptor } = this.#draft;
    const octets = chunks.reduce((sum, { length }) => sum + length, 0);
    if (octets <= this.#short) {
      this.#short -= octets;
      const written = onLoop.try(() => writevSync(descriptor, chunks, position));
      if (written !== undefined) return written;
    }
    return (await writevAsync(descriptor, chunks, position)).bytesWritten;
  }

  #reached(): number {
    return this.#context.jail.seek?.(this.#draft.descriptor, 0, "here") ?? this.#position;
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new HostError("EBADF", "this upload is over");
  }

  async publish(): Promise<void> {
    await this.#pending;
    try {
      this.#mustBeOpen();
      if (this.#draft.kind !== "in-place") await this.#takeName();
      const { folder, name } = this.#context.place;
      unless(["ENOENT", "EACCES", "EPERM"], () => folder.unlink(partName(name)));
    } catch (error) {
      throw storageError(error, this.#context.path);
    }
    this.#close();
  }

  async #takeName(): Promise<void> {
    const { jail, place } = this.#context;
    const { folder, name } = place;
    if (this.#context.exclusive) {
      this.#moveTo(name, true);
      return;
    }
    // ext4 would do it within the rename, and hold up the event loop.
    if (place.stat !== undefined && this.#reached() >= LARGE_FILE) await jail.startWriting?.(this.#draft.descriptor);
    const there = statIfThere(folder, name);
    if (there?.kind === "directory") throw new HostError("EISDIR", "a folder has this name by now");
    if (there?.kind === "file") likeTheOld(this.#draft.descriptor, there);
    freeingElsewhere({ folder, name, size: there?.kind === "file" ? there.size : 0 }, () => this.#moveTo(name, false));
  }

  /** The one step in which the draft gets `name`. */
  #moveTo(name: ByteString, exclusive: boolean): void {
    const { folder } = this.#context.place;
    if (this.#draft.kind === "nameless") {
      try {
        folder.linkNameless(this.#draft.descriptor, name);
        return;
      } catch (error) {
        if (exclusive || systemCode(error) !== "EEXIST") throw error;
      }
      this.#hide();
    }
    if (this.#draft.hidden === undefined) return;
    folder.rename(this.#draft.hidden, [folder, name], exclusive);
  }

  /** linkat cannot replace: a hidden name first, then rename. */
  #hide(): void {
    const { journal, place } = this.#context;
    const hidden = temporaryName();
    journal.add(place.folderPath, hidden);
    try {
      place.folder.linkNameless(this.#draft.descriptor, hidden);
    } catch (error) {
      journal.remove(place.folderPath, hidden);
      throw error;
    }
    this.#draft.kind = "named";
    this.#draft.hidden = hidden;
  }

  async keep(): Promise<void> {
    await this.#pending;
    if (this.#closed) return;
    try {
      const reached = this.#reached();
      if (reached === 0) {
        await this[Symbol.asyncDispose]();
        return;
      }
      if (this.#draft.kind !== "in-place") {
        ftruncateSync(this.#draft.descriptor, reached);
        this.#moveTo(partName(this.#context.place.name), false);
      }
    } catch (error) {
      throw storageError(error, this.#context.path);
    }
    this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pending;
    if (this.#closed) return;
    try {
      this.#undo();
    } catch {
      // A folder that is gone, or a device that failed: nothing of ours is left that could be undone.
    } finally {
      this.#close();
    }
  }

  #undo(): void {
    const { kind, descriptor, hidden } = this.#draft;
    const { folder, name } = this.#context.place;
    if (kind === "in-place" || kind === "claimed") ftruncateSync(descriptor, this.offset);
    if (hidden === undefined) return;
    if (kind === "claimed") putBack(folder, hidden, partName(name));
    else folder.unlink(hidden);
  }

  #close(): void {
    const { journal, place } = this.#context;
    const isLarge = this.#reached() >= LARGE_FILE;
    this.#closed = true;
    this.#draft.lock?.[Symbol.dispose]();
    // A file that got no name is freed by this.
    if (isLarge) close(this.#draft.descriptor, () => {});
    else closeSync(this.#draft.descriptor);
    if (this.#draft.hidden !== undefined) journal.remove(place.folderPath, this.#draft.hidden);
    place[Symbol.dispose]();
  }
}

/** The new file gets the rights and, where we may, the owner of the one that it replaces. */
function likeTheOld(descriptor: number, there: HostStat): void {
  unless(["EPERM", "EINVAL"], () => fchownSync(descriptor, there.uid, there.gid));
  unless(["EPERM"], () => fchmodSync(descriptor, there.mode & KEPT_MODE_BITS));
}

function withoutFirst(chunks: readonly Buffer[], octets: number): readonly Buffer[] {
  let left = octets;
  let index = 0;
  for (; index < chunks.length; index++) {
    const length = chunks[index]?.length ?? 0;
    if (left < length) break;
    left -= length;
  }
  const [first, ...rest] = chunks.slice(index);
  return first === undefined ? [] : [first.subarray(left), ...rest];
}
