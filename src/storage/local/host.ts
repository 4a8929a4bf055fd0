/**
 * What the local storage needs of a host, in two makes: `kernel.ts` (openat2 and the …at calls) and `portable.ts`
 * (node:fs). Everything is done on one name in an open folder and never follows it, so no path is checked first and
 * used later. Calls are synchronous: each takes microseconds; the contents of files go through the thread pool, and so
 * do whole folders on a slow disk.
 */
import type { Dirent } from "node:fs";
import type { ByteString } from "../../base/bytes.ts";
import { systemCode } from "../../base/system-code.ts";
import type { FolderColumns } from "../../sys/folder-columns.ts";
import type { Octets, TableTerms, Times } from "../storage.ts";
import { HostError } from "./faults.ts";

export type HostStat = {
  readonly kind: "file" | "directory" | "link" | "other";
  readonly size: Octets;
  /** Whole milliseconds since 1970. */
  readonly modified: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly unique: string;
};

/** What a folder itself tells of an entry. */
export type HostName = { readonly name: ByteString; readonly kind: HostStat["kind"] };
export type HostEntry = HostStat & HostName;

export type HostTableTerms = Omit<TableTerms, "hideDotted"> & {
  /** Asked about each name that begins with a dot. */
  readonly leaveOut: (name: ByteString) => boolean;
};

/** An open folder. Methods throw the host's errors, see faults.ts. `.` as a name is the folder itself. */
export interface HostFolder extends Disposable {
  stat(name: ByteString): HostStat;
  /**
   * What `take` makes of all entries but `.` and `..`, in batches of at most LISTING_BATCH. Those that go while they are
   * read are left out. Takes turns with other work, and waits for a slow disk on other threads.
   * @param take reads the entry at once, as it may stand for another one afterwards; undefined leaves it out.
   */
  entries<Item>(take: (entry: HostEntry) => Item | undefined): AsyncIterable<readonly Item[]>;
  /**
   * Optional ability: fills the columns with one batch after another, all entries but `.` and `..`, with turns and
   * waits as above. A batch may be empty.
   */
  fill?(columns: FolderColumns, terms: HostTableTerms): AsyncIterable<void>;
  /** As `entries`, without a look at each where the host tells its kind with its name. */
  names(): AsyncIterable<readonly HostName[]>;
  /** Opens an existing file. Never waits for the other end of a FIFO. The caller closes the descriptor. */
  open(name: ByteString, access: "read" | "write"): number;
  /** Makes a file of a free name, open for reading and writing. */
  create(name: ByteString, mode: number): number;
  /** As `create`, without a name; undefined where this file system cannot. `linkNameless` gives it one that is free. */
  createNameless(mode: number): number | undefined;
  linkNameless(descriptor: number, name: ByteString): void;
  makeFolder(name: ByteString, mode: number): void;
  unlink(name: ByteString): void;
  /** Holds what has the name, without looking at it: a descriptor, which the caller closes. Undefined: it is gone. */
  hold?(name: ByteString): number | undefined;
  removeFolder(name: ByteString): void;
  /** @param exclusive fails with EEXIST if the name is taken. */
  rename(name: ByteString, to: readonly [HostFolder, ByteString], exclusive: boolean): void;
  makeLink(name: ByteString, target: ByteString): void;
  readLink(name: ByteString): ByteString;
  setMode(name: ByteString, mode: number): void;
  setTimes(name: ByteString, times: Times): void;
  available(): Octets;
}

export interface HostJail extends Disposable {
  readonly kind: "kernel" | "portable";
  /** Opens the folder at `path`: from the root, with `.`, `..` and links, none of which leads above the root. */
  openFolder(path: string): HostFolder;
  /** @throws EACCES if the entry is the top of a file system that is a view of the kernel (attack 20). */
  refuseKernelView(folder: HostFolder, name: ByteString): void;
  statOpen(descriptor: number): HostStat;
  /** Locks an open file against other uploads until disposed or closed; undefined if another has the lock. */
  lock(descriptor: number): Disposable | undefined;
  /** Copies octets 0 to `length` of one file to the same place of another. */
  copy(from: number, to: number, length: number): Promise<void>;
  /** Begins to write to the disk what a file has in memory, on another thread; settles when all is on its way. */
  startWriting?(descriptor: number): Promise<void>;
  /** Where the descriptor stands and moving it: only where the native data path may write to it. */
  seek?(descriptor: number, position: number, from: "start" | "here"): number;
}

/** Links that one path may pass: MAXSYMLINKS of the Linux kernel. */
export const MAX_LINKS = 40;

/** A name in an open folder; `stat` where it exists and was looked at. `folderPath` opens the folder again. */
export type Place = Disposable & {
  readonly folder: HostFolder;
  readonly folderPath: string;
  readonly name: ByteString;
  readonly stat: HostStat | undefined;
};

/** `.`: a folder's name for itself. */
export const ITSELF = asName(".");

function asName(name: string): ByteString {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a slice of a path of octets
  return name as ByteString;
}

/**
 * Finds the folder and the name that `path` means; the name itself may be missing.
 * @param links "follow": through links in the last part too, so `name` is none; "keep": the last part as it stands.
 */
export function locate(jail: HostJail, path: string, links: "follow" | "keep" | "refuse"): Place {
  let at = path;
  for (let passed = 0; passed <= MAX_LINKS; passed++) {
    const slash = at.lastIndexOf("/");
    const last = at.slice(slash + 1);
    const isFolder = last === "" || last === "." || last === "..";
    const folderPath = isFolder ? at : at.slice(0, slash) || "/";
    const folder = jail.openFolder(folderPath);
    try {
      const name = isFolder ? ITSELF : asName(last);
      const stat = statIfThere(folder, name);
      if (stat !== undefined) jail.refuseKernelView(folder, name);
      if (stat?.kind !== "link" || links === "keep") {
        return { folder, folderPath, name, stat, [Symbol.dispose]: () => folder[Symbol.dispose]() };
      }
      if (links === "refuse") throw new HostError("ELOOP", "a link in a path without links");
      const target = folder.readLink(name);
      at = target.startsWith("/") ? target : `${folderPath}/${target}`;
      folder[Symbol.dispose]();
    } catch (error) {
      folder[Symbol.dispose]();
      throw error;
    }
  }
  throw new HostError("ELOOP", "too many links");
}

/** As `stat`, undefined for a name that is free. */
export function statIfThere(folder: HostFolder, name: ByteString): HostStat | undefined {
  try {
    return folder.stat(name);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Types of file systems that show the kernel's inside, not files: statfs(2), linux/magic.h. */
const KERNEL_VIEWS: ReadonlySet<number> = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x73636673, // securityfs
  0xf97cff8c, // selinuxfs
  0xcafe4a11, // bpf
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0x6165676c, // pstore
  0xde5e81e4, // efivarfs
  0x1cd1, // devpts
  0x62656570, // configfs
  0x6e736673, // nsfs
  0x42494e4d, // binfmt_misc
  0x19800202, // mqueue
  0x65735543, // fusectl
]);

/** @throws {HostError} EACCES for a volume that is a view of the kernel. */
export function refuseKernelVolume(type: number): void {
  if (KERNEL_VIEWS.has(type)) throw new HostError("EACCES", "a view of the kernel, not files");
}

const TYPE_BITS = 0o170000;

/** The kind that `st_mode` tells. */
export function kindOf(mode: number): HostStat["kind"] {
  switch (mode & TYPE_BITS) {
    case 0o100000:
      return "file";
    case 0o040000:
      return "directory";
    case 0o120000:
      return "link";
    default:
      return "other";
  }
}

/** Undefined where the file system does not tell kinds with names. */
export function kindOfDirent(entry: Dirent): HostName["kind"] | undefined {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "directory";
  if (entry.isSymbolicLink()) return "link";
  const other = entry.isFIFO() || entry.isSocket() || entry.isBlockDevice() || entry.isCharacterDevice();
  return other ? "other" : undefined;
}

/** Half a microsecond more than asked for, so that binary fractions do not fall below the millisecond. */
export function secondsOf(milliseconds: number): number {
  return (milliseconds + 0.0005) / 1000;
}
