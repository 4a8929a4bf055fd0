/** Names of our own files in served folders: temporaries, kept uploads, the journal. No client can name or see one. */
import { hash, randomBytes } from "node:crypto";
import { type ByteString, bytesOfText, octetsOf } from "../../base/bytes.ts";
import { type VirtualPath } from "../../protocol/path.ts";
import { StorageError } from "../storage.ts";

/** In any case of letters, for file systems that do not tell cases apart. */
const HIDDEN_NAME = /^\.ferryman-/i;
const HIDDEN_PART = /(?:^|\/)\.ferryman-/i;
const TEMPORARY = /^\.ferryman-tmp\.\d+\.[0-9a-f]+(?:\.([0-9a-f]{32}))?$/;
const PART = /^\.ferryman-part\.[0-9a-f]{32}$/;

/** Octets of a whole path, PATH_MAX less its NUL (linux/limits.h); the portable jail keeps to it as well. */
export const MAX_PATH_OCTETS = 4095;

/** A temporary that nobody wrote to for so long belongs to no upload (a stalled one ends after minutes). */
const STALE_TEMPORARY_MILLISECONDS = 24 * 60 * 60 * 1000;
/** Interrupted uploads are kept for a week: long enough for a broken line, short enough for the disk. */
const STALE_PART_MILLISECONDS = 7 * 24 * 60 * 60 * 1000;

/** Names that a host reads as devices (attack 52), and characters that it gives a meaning of its own (attack 23). */
const WINDOWS_TROUBLE = /[\\:*?"<>|]|[. ](?:\/|$)|\/(?:con|prn|aux|nul|com\d|lpt\d)(?:\.[^/]*)?(?:\/|$)/i;

/** @throws {StorageError} "bad-name" for a path that no operation may touch. */
export function checkName(path: VirtualPath, platform: NodeJS.Platform = process.platform): void {
  const bad =
    path.length > MAX_PATH_OCTETS ||
    path.includes("\0") ||
    HIDDEN_PART.test(path) ||
    (platform === "win32" && WINDOWS_TROUBLE.test(path));
  if (bad) throw new StorageError("bad-name", path);
}

export function isHidden(name: ByteString): boolean {
  // A listing asks for each entry, and few begin with a dot.
  return name.startsWith(".") && HIDDEN_NAME.test(name);
}

/** Whether a link's text leads to a file of our own. */
export function namesHidden(target: ByteString): boolean {
  return HIDDEN_PART.test(target);
}

/** @param partOf the kept upload that this temporary was, to be put back after a crash. */
export function temporaryName(partOf?: ByteString): ByteString {
  const suffix = partOf === undefined ? "" : partOf.slice(partOf.lastIndexOf("."));
  return bytesOfText(`.ferryman-tmp.${process.pid}.${randomBytes(8).toString("hex")}${suffix}`);
}

/** Where an interrupted upload of `name` waits. Hashed, since name and prefix together may pass 255 octets. */
export function partName(name: ByteString): ByteString {
  return bytesOfText(`.ferryman-part.${hash("sha256", octetsOf(name), "hex").slice(0, 32)}`);
}

/** What becomes of a temporary that has lost its process: undefined if `name` is none. */
export function fateOf(name: ByteString): { readonly partName: ByteString | undefined } | undefined {
  const match = TEMPORARY.exec(name);
  if (match === null) return undefined;
  return { partName: match[1] === undefined ? undefined : bytesOfText(`.ferryman-part.${match[1]}`) };
}

/** Whether a hidden file that a listing met has outlived its use. */
export function isStale(name: ByteString, modified: number, now: number): boolean {
  if (TEMPORARY.test(name)) return now - modified > STALE_TEMPORARY_MILLISECONDS;
  return PART.test(name) && now - modified > STALE_PART_MILLISECONDS;
}
