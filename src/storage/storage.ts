/**
 * The storage port: what every back-end can do, and the only ways in which it can fail.
 * `ferryman/testing` holds the suite that each adapter must pass. Only `workspace/` calls it.
 */
import type { ByteString } from "../base/bytes.ts";
import type { EntryTable } from "../protocol/entry-table.ts";
import type { VirtualPath } from "../protocol/path.ts";

export const FAULTS = [
  "not-found", // no such entry, or a parent that is none
  "denied", // the host's rights, or a way out of the jail
  "exists", // the name is taken
  "not-a-file", // a folder or a device where a file is needed
  "not-a-folder",
  "not-empty", // a folder that is to be removed
  "is-root", // the served root itself cannot be changed
  "busy",
  "full", // no space, or a quota of the host
  "bad-name", // too long, NUL, reserved for Ferryman's own files, not valid on this host
  "bad-offset", // beyond the end of what is there
  "too-large", // beyond what the host can address
  "unsupported", // this back-end cannot do it at all
  "io", // the device failed
] as const;
export type StorageFault = (typeof FAULTS)[number];

/** `message` and `cause` go to our log; a client learns the fault alone, through a table. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly fault: StorageFault;

  constructor(fault: StorageFault, path: VirtualPath, options?: ErrorOptions) {
    super(`${fault}: ${path}`, options);
    this.fault = fault;
  }
}

/** A count of octets: a number as far as that is exact, a bigint beyond 2^53. Both print and compare alike. */
export type Octets = number | bigint;

/** What a folder itself tells of an entry. */
export type NamedEntry = {
  /** The last part of its path; "" for the root. */
  readonly name: ByteString;
  readonly kind: "file" | "directory" | "link" | "other";
};

export type Entry = NamedEntry & {
  /** Octets; 0 for anything but a file. */
  readonly size: Octets;
  /** Time of the last change of content, in milliseconds since 1970 UTC. */
  readonly modified: number;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  /** Names, or numbers in decimal where the host knows none. */
  readonly owner: string;
  readonly group: string;
  readonly links: number;
  /** Equal for two names of one file, different for two files (RFC 3659 §7.5.2). ASCII without `;` and space. */
  readonly unique: string;
  /** For a link: the text that it holds. */
  readonly target?: ByteString;
};

/** A file open for reading. It lives as long as its transfer; dispose it on every way out. */
export interface FileReader extends AsyncDisposable {
  /** As it was when the file was opened. */
  readonly entry: Entry;
  /** A descriptor of the host for the native data path, where there is one. Never closed by the caller. */
  readonly descriptor?: number;
  /**
   * Fills the front of `into` from `position` on.
   * @returns the count of octets, at least 1 before the end, 0 at the end.
   */
  read(into: Buffer, position: number): Promise<number>;
}

/** How an upload meets what is there. */
export type UploadIntent =
  /** The name must be free when the upload is published ("exists" otherwise, at opening too). */
  | { readonly kind: "create" }
  /** Replaces a file that is there, at the moment of publishing and not before. */
  | { readonly kind: "replace" }
  /**
   * Keeps the first `offset` octets of what is there and goes on from them: of the interrupted upload of this name if
   * it is exactly `offset` long or no file has the name, else of the file. "bad-offset" if that has fewer octets.
   */
  | { readonly kind: "resume"; readonly offset: number }
  /** Goes on at the end of what is there: of the file, else of an interrupted upload, else of nothing. */
  | { readonly kind: "append" };

/**
 * An upload on its way. Nothing is seen under its name before `publish` (RFC 959 §4.1.3 STOR asks only for the
 * replacing; that it is whole or not at all is our promise). Disposed before `publish` or `keep`: as if it never was.
 */
export interface Upload extends AsyncDisposable {
  /** Octets that stood before this upload's first one. */
  readonly offset: number;
  /** As in FileReader. Writing starts at `offset`. */
  readonly descriptor?: number;
  /** Writes after what was written before; the buffers may be reused once it settles. "full" loses nothing that was there. */
  write(chunks: readonly Buffer[]): Promise<void>;
  /** Makes the file appear under its name, whole. */
  publish(): Promise<void>;
  /** Keeps what came so far out of sight, for a later "resume" or "append". No-op where the back-end cannot. */
  keep(): Promise<void>;
}

export type Times = { readonly modified?: number; readonly accessed?: number; readonly created?: number };

export type TableTerms = {
  /** False: names alone, and the other columns hold nothing. */
  readonly facts: boolean;
  /** Up to so many entries come in the order of their names' octets; more, and all for 0, in no order. */
  readonly sortUpTo: number;
  /** Whether names that begin with a dot are left out. */
  readonly hideDotted: boolean;
};

export interface Storage {
  /** @param links "follow" (the default) tells of what a link points at, "keep" of the link itself. */
  stat(path: VirtualPath, links?: "follow" | "keep"): Promise<Entry>;
  /**
   * The entries of a folder in no order, links as themselves, without `.`, `..` and Ferryman's own hidden files.
   * Batches of at most LISTING_BATCH, so that a million entries need the memory of one batch.
   */
  list(path: VirtualPath): AsyncIterable<readonly Entry[]>;
  /** Optional ability: as `list`, with names and kinds alone, where that costs less. */
  names?(path: VirtualPath): AsyncIterable<readonly NamedEntry[]>;
  /**
   * Optional ability: as `list`, in columns. The table is the same object for each batch, and is read before the next.
   * @returns undefined where this cannot be had.
   */
  table?(path: VirtualPath, terms: TableTerms): AsyncIterable<EntryTable> | undefined;
  openRead(path: VirtualPath): Promise<FileReader>;
  /** @param options.mode permission bits of a file that is new (default 0o644); one that is replaced keeps its own. */
  openWrite(path: VirtualPath, intent: UploadIntent, options?: { readonly mode?: number }): Promise<Upload>;
  /** Octets of an interrupted upload of this name, undefined if there is none or a file has the name. For SIZE before REST. */
  interrupted(path: VirtualPath): Promise<number | undefined>;
  /** @param taken whether a file at `to` is replaced in one step ("replace") or refused ("exists"). A folder is never replaced. */
  rename(from: VirtualPath, to: VirtualPath, taken: "refuse" | "replace"): Promise<void>;
  /** Removes a file or a link, never a folder. */
  remove(path: VirtualPath): Promise<void>;
  /** @param mode permission bits; default 0o755. */
  makeDirectory(path: VirtualPath, mode?: number): Promise<void>;
  /** @throws {StorageError} "not-empty", "is-root" */
  removeDirectory(path: VirtualPath): Promise<void>;
  setTimes(path: VirtualPath, times: Times): Promise<void>;
  /** Optional ability: permission bits. setuid and setgid are never set. */
  setMode?(path: VirtualPath, mode: number): Promise<void>;
  /** Optional ability: a link that holds `target` as it stands; the jail holds when it is followed. */
  makeLink?(path: VirtualPath, target: ByteString): Promise<void>;
  /** Optional ability: octets that this folder's volume can still take. */
  available?(path: VirtualPath): Promise<Octets>;
}

/** Entries in one batch of `list`: a fraction of a millisecond's work, so that turns can be taken between them (perf.md, 8). */
export const LISTING_BATCH = 128;
