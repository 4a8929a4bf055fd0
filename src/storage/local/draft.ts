/** How an upload begins: what it goes on from, and where its octets wait until they are published. */
import { closeSync, fchmodSync } from "node:fs";
import type { ByteString } from "../../base/bytes.ts";
import { type Octets, type UploadIntent, StorageError } from "../storage.ts";
import { HostError } from "./faults.ts";
import { partName, temporaryName } from "./hidden.ts";
import { type HostStat, statIfThere } from "./host.ts";
import { type Draft, LocalUpload, type UploadContext } from "./upload.ts";
import { putBack } from "./journal.ts";

/**
 * Octets up to which an append works on a copy, so that it is whole or not at all. At 150 MiB/s of a slow disk a copy
 * of this size takes under two seconds, well within every client's patience for the 150 reply (clients.md: 15 s and
 * more). Larger files are appended in place and cut back on failure.
 */
export const APPEND_COPY_LIMIT = 256 * 1024 * 1024;

export type DraftOptions = {
  /** Bits that new files do not get; undefined: the process's own mask. */
  readonly umask: number | undefined;
  /** Permission bits of a new file, whatever the mask; undefined: 0o666 less the mask. */
  readonly mode?: number | undefined;
  readonly nameless: boolean;
  readonly refuseHardLinks: boolean;
  readonly appendCopyLimit: number;
};

const NEW_FILE_MODE = 0o666;

type Ground = Omit<UploadContext, "exclusive" | "offset">;

/** Owns `ground.place` if it succeeds. */
export async function beginUpload(ground: Ground, intent: UploadIntent, options: DraftOptions): Promise<LocalUpload> {
  const { folder, name, stat: there } = ground.place;
  if (there !== undefined && there.kind !== "file" && intent.kind !== "create") {
    throw new HostError("EISDIR", "not a plain file");
  }
  if (there !== undefined && intent.kind === "create") throw new HostError("EEXIST", "the name is taken");
  if (intent.kind === "create" || intent.kind === "replace") {
    // The host's rights on the old file hold, although the rename would not ask for them.
    if (there !== undefined) closeSync(folder.open(name, "write"));
    const draft = newDraft(ground, options);
    return new LocalUpload({ ...ground, exclusive: intent.kind === "create", offset: 0 }, draft);
  }
  return goOn(ground, intent, options);
}

async function goOn(
  ground: Ground,
  intent: Extract<UploadIntent, { kind: "resume" | "append" }>,
  options: DraftOptions,
): Promise<LocalUpload> {
  const { folder, name, stat: there } = ground.place;
  const part = statIfThere(folder, partName(name));
  const onPart =
    part !== undefined && (there === undefined || (intent.kind === "resume" && part.size === intent.offset));
  const base = onPart ? part : there;
  const size = exactSize(base?.size ?? 0, ground);
  const offset = intent.kind === "append" ? size : intent.offset;
  if (offset > size) throw new StorageError("bad-offset", ground.path);
  const context = { ...ground, exclusive: false, offset };
  if (base === undefined || (onPart && offset === 0)) return new LocalUpload(context, newDraft(ground, options));
  if (onPart) return goOnFromPart(context, size, options);
  return goOnFromFile(context, { size, there: base, options });
}

function exactSize(size: Octets, { path }: Ground): number {
  if (typeof size === "number") return size;
  throw new StorageError("too-large", path);
}

async function goOnFromPart(context: UploadContext, size: number, options: DraftOptions): Promise<LocalUpload> {
  const part = partName(context.place.name);
  if (context.offset === size) return new LocalUpload(context, claim(context, part, size));
  return copyOf(context, { from: part, length: context.offset, options });
}

/** Takes the kept upload away from others that would go on with it at the same time. */
function claim({ jail, journal, place }: UploadContext, part: ByteString, size: number): Draft {
  const hidden = temporaryName(part);
  journal.add(place.folderPath, hidden);
  place.folder.rename(part, [place.folder, hidden], true);
  try {
    const descriptor = place.folder.open(hidden, "write");
    if (jail.statOpen(descriptor).size === size) return { descriptor, kind: "claimed", hidden };
    closeSync(descriptor);
    throw new HostError("EBUSY", "another upload went on with it");
  } catch (error) {
    putBack(place.folder, hidden, part);
    journal.remove(place.folderPath, hidden);
    throw error;
  }
}

async function goOnFromFile(
  context: UploadContext,
  { size, there, options }: { size: number; there: HostStat; options: DraftOptions },
): Promise<LocalUpload> {
  const { folder, name } = context.place;
  if (options.refuseHardLinks && there.links > 1) throw new HostError("EACCES", "a file with several names");
  const descriptor = folder.open(name, "write");
  try {
    const now = context.jail.statOpen(descriptor);
    if (now.unique !== there.unique || now.kind !== "file") throw new HostError("EBUSY", "replaced meanwhile");
    // A file with several names may have one outside: what it holds is never written over (attack 28).
    if (size > options.appendCopyLimit && context.offset === size && now.links === 1) {
      const lock = context.jail.lock(descriptor);
      if (lock === undefined) throw new HostError("EBUSY", "another upload goes on with it");
      if (context.jail.statOpen(descriptor).size !== size) {
        lock[Symbol.dispose]();
        throw new HostError("EBUSY", "another upload went on with it");
      }
      return new LocalUpload(context, { descriptor, kind: "in-place", hidden: undefined, lock });
    }
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  closeSync(descriptor);
  // Octets beyond what will be written stay; RFC 3659 §5 leaves it open, and cutting them could lose data.
  return copyOf(context, { from: name, length: size, options });
}

async function copyOf(
  context: UploadContext,
  { from, length, options }: { from: ByteString; length: number; options: DraftOptions },
): Promise<LocalUpload> {
  const source = context.place.folder.open(from, "read");
  try {
    if (context.jail.statOpen(source).kind !== "file") throw new HostError("EISDIR", "not a plain file");
    const draft = newDraft(context, options);
    const upload = new LocalUpload(context, draft);
    try {
      await context.jail.copy(source, draft.descriptor, length);
      return upload;
    } catch (error) {
      await upload[Symbol.asyncDispose]();
      throw error;
    }
  } finally {
    closeSync(source);
  }
}

function newDraft({ journal, place }: Ground, { umask, mode: asked, nameless }: DraftOptions): Draft {
  const mode = asked ?? NEW_FILE_MODE & ~(umask ?? 0);
  const isSure = asked !== undefined || umask !== undefined;
  const descriptor = nameless ? place.folder.createNameless(mode) : undefined;
  if (descriptor !== undefined)
    return withMode({ descriptor, kind: "nameless", hidden: undefined }, isSure ? mode : undefined);
  const hidden = temporaryName();
  journal.add(place.folderPath, hidden);
  try {
    return withMode(
      { descriptor: place.folder.create(hidden, mode), kind: "named", hidden },
      isSure ? mode : undefined,
    );
  } catch (error) {
    journal.remove(place.folderPath, hidden);
    throw error;
  }
}

/** Bits that were asked for hold whatever the process's own mask is. */
function withMode(draft: Draft, mode: number | undefined): Draft {
  if (mode !== undefined) fchmodSync(draft.descriptor, mode & 0o777);
  return draft;
}
