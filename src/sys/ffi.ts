/**
 * The one file with foreign-function prototypes: a wrong one ends the process, so they stand together and are few.
 * koffi is optional; without it every caller has a portable way. Linux on x64 and arm64 alone, where the layouts
 * below are equal (statx and statfs of the kernel's 64-bit interface; man 2 statx, man 2 statfs).
 */
import { constants as fsConstants } from "node:fs";
import { constants as osConstants } from "node:os";
import { bytesOf, type ByteString } from "../base/bytes.ts";
import { untraced } from "../base/untraced.ts";
import { type CLibrary, fromCLibrary, type Koffi } from "./c-library.ts";
import { type Native, elsewhere } from "./elsewhere.ts";

/** Flags of open(2). Where arm64 differs from x64 the number is Node's own. */
export const OPEN = {
  read: fsConstants.O_RDONLY,
  write: fsConstants.O_WRONLY,
  readWrite: fsConstants.O_RDWR,
  create: fsConstants.O_CREAT,
  exclusive: fsConstants.O_EXCL,
  append: fsConstants.O_APPEND,
  nonBlocking: fsConstants.O_NONBLOCK,
  noTerminal: fsConstants.O_NOCTTY,
  directory: fsConstants.O_DIRECTORY,
  noFollow: fsConstants.O_NOFOLLOW,
  /** Equal on all architectures of asm-generic/fcntl.h and x86. */
  closeOnExec: 0o2000000,
  path: 0o10000000,
  nameless: 0o20000000 | fsConstants.O_DIRECTORY,
} as const;

/** How openat2(2) resolves: linux/openat2.h. */
export const RESOLVE = { noMagicLinks: 0x02, noSymlinks: 0x04, inRoot: 0x10 } as const;

/** What statx(2) tells of one entry. */
export type StatX = {
  /** File type and permission bits, as `st_mode`. */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number | bigint;
  /** Whole milliseconds since 1970. */
  readonly modified: number;
  /** Device and inode in hexadecimal. */
  readonly device: string;
  readonly inode: string;
  /** The entry is the root of a mount. */
  readonly mountRoot: boolean;
};

export type VolumeFacts = {
  readonly type: number;
  readonly blockSize: number;
  readonly availableBlocks: number | bigint;
};
/** Nanoseconds since 1970, undefined: leave as it is. */
export type FileTimes = { readonly accessed: bigint | undefined; readonly modified: bigint | undefined };

/** A system call that failed; `code` is the name of its errno, as in Node's own errors. */
class SystemCallError extends Error {
  override readonly name = "SystemCallError";
  readonly code: string;

  constructor(call: string, code: string) {
    super(`${call}: ${code}`);
    this.code = code;
  }
}

/**
 * The system calls, arguments in the order of their manual pages. `folder` is a descriptor; names are one part of a
 * path and are never followed. All but `copyRange` return at once and run on the calling thread (microseconds each).
 * @throws {SystemCallError} each of them
 */
export type SystemCalls = {
  openat2(folder: number, path: ByteString, how: { flags: number; mode?: number; resolve?: number }): number;
  statx(folder: number, name: ByteString): StatX;
  /** Of an open descriptor, of one opened with OPEN.path too. */
  statDescriptor(descriptor: number): StatX;
  volumeOf(descriptor: number): VolumeFacts;
  mkdirat(folder: number, name: ByteString, mode: number): void;
  unlinkat(folder: number, name: ByteString, what: "file" | "directory"): void;
  renameat2(from: readonly [number, ByteString], to: readonly [number, ByteString], noReplace: boolean): void;
  linkat(from: readonly [number, ByteString], to: readonly [number, ByteString]): void;
  /** Gives a nameless file (OPEN.nameless) its first name. Needs /proc. */
  linkDescriptor(descriptor: number, to: readonly [number, ByteString]): void;
  symlinkat(target: ByteString, folder: number, name: ByteString): void;
  readlinkat(folder: number, name: ByteString): ByteString;
  fchmodat(folder: number, name: ByteString, mode: number): void;
  utimensat(folder: number, name: ByteString, times: FileTimes): void;
  /** For folder-scan.ts alone. */
  readonly scan: ScanCalls;
  seek(descriptor: number, position: number, from: "start" | "here"): number;
  /** @returns whether the lock was free; it ends with the descriptor. */
  lock(descriptor: number): boolean;
  /** Who is at the other end of a unix socket, as it was when he connected (SO_PEERCRED, man 7 unix). */
  peerOf(descriptor: number): { readonly pid: number; readonly uid: number };
  /** Shares all octets of `from` with `to` (FICLONE); false where the file system cannot. */
  clone(from: number, to: number): boolean;
  /** Begins to write out what a file has in memory (sync_file_range(2)), on another thread. Faults show later, in fsync. */
  startWriting(descriptor: number): Promise<void>;
  /** Copies in the kernel, on another thread; octets copied, 0 at the end. Both positions are explicit. */
  copyRange(from: number, to: number, range: { position: number; length: number }): Promise<number>;
};

/** A part of a buffer: where it begins in memory, and octets. */
export type Space = { readonly address: number; readonly length: number };

/**
 * For reading whole folders: names and results stay in buffers, no string or object is made on the way. `name` and
 * `into` are addresses within buffers that the caller holds until the call has ended.
 */
export type ScanCalls = {
  /** Of a buffer with memory of its own (`allocUnsafeSlow`); it stays the same as long as the buffer is held. */
  addressOf(buffer: Buffer): number;
  /** Fills `into` with as many raw entries as fit; octets filled, 0 at the end. @throws {SystemCallError} */
  getdents64(descriptor: number, into: Space): number;
  /** As above on another thread, where a fault has no name: -1. */
  getdents64Elsewhere(descriptor: number, into: Space): Promise<number>;
  /** Writes struct statx to `into`. @returns whether the name is still there. @throws {SystemCallError} */
  statx(folder: number, name: number, into: number): boolean;
  /** As above on another thread; false for a fault too. */
  statxElsewhere(folder: number, name: number, into: number): Promise<boolean>;
};

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_REMOVEDIR = 0x200;
const AT_SYMLINK_FOLLOW = 0x400;
const AT_NO_AUTOMOUNT = 0x800;
const AT_EMPTY_PATH = 0x1000;
const NAME_ITSELF = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
const STATX_BASIC_STATS = 0x7ff;
const STATX_ATTR_MOUNT_ROOT = 0x2000;
const RENAME_NOREPLACE = 1;
const SYS_OPENAT2 = 437;
const UTIME_OMIT = 0x3ffffffen;
const LOCK_EXCLUSIVE_NOW = 2 | 4;
const SYNC_FILE_RANGE_WRITE = 2;
const FICLONE = 0x40049409;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const NANOSECONDS = 1_000_000_000n;

/** Octets of a path with its closing NUL: PATH_MAX of linux/limits.h. */
const PATH_SPACE = 4096;

let loaded: { readonly calls: SystemCalls | undefined } | undefined;

/** The calls, or undefined: not Linux on x64 or arm64, no koffi, or FERRYMAN_FFI=off. Loaded once. */
export function loadSystemCalls(): SystemCalls | undefined {
  if (process.env["FERRYMAN_FFI"] === "off") return undefined;
  loaded ??= { calls: fromCLibrary((library, koffi) => systemCalls(prototypes(library), koffi)) };
  return loaded.calls;
}

function prototypes(library: CLibrary) {
  const native = (name: string, result: string, values: string): Native =>
    library.func(name, result, values.split(" "));
  return {
    // Variadic in C; on both architectures integer arguments of a variadic call travel as those of an ordinary one.
    syscall: native("syscall", "long", "long int void* void* size_t"),
    statx: native("statx", "int", "int void* int uint void*"),
    // The same, with addresses as they stand: half the time of a call with buffers.
    statxAt: native("statx", "int", "int uint64 int uint uint64"),
    fstatfs: native("fstatfs", "int", "int void*"),
    mkdirat: native("mkdirat", "int", "int void* uint"),
    unlinkat: native("unlinkat", "int", "int void* int"),
    renameat2: native("renameat2", "int", "int void* int void* uint"),
    linkat: native("linkat", "int", "int void* int void* int"),
    symlinkat: native("symlinkat", "int", "void* int void*"),
    readlinkat: native("readlinkat", "int64", "int void* void* size_t"),
    fchmodat: native("fchmodat", "int", "int void* uint int"),
    utimensat: native("utimensat", "int", "int void* void* int"),
    getdents64: native("getdents64", "int64", "int uint64 size_t"),
    lseek: native("lseek", "int64", "int int64 int"),
    flock: native("flock", "int", "int int"),
    getsockopt: native("getsockopt", "int", "int int int void* void*"),
    ioctl: native("ioctl", "int", "int ulong long"),
    syncFileRange: native("sync_file_range", "int", "int int64 int64 uint"),
    copyFileRange: native("copy_file_range", "int64", "int void* int void* size_t uint"),
  };
}

/** One scratch buffer for each path of a call; calls are synchronous, so two are enough. */
const scratch = [Buffer.alloc(PATH_SPACE), Buffer.alloc(PATH_SPACE)] as const;
const how = Buffer.alloc(24);
const stat = Buffer.alloc(256);
const volume = Buffer.alloc(128);
const times = Buffer.alloc(32);
const linkText = Buffer.alloc(PATH_SPACE);

function cPath(path: string, call: string, slot: 0 | 1 = 0): Buffer {
  if (path.length >= PATH_SPACE) throw new SystemCallError(call, "ENAMETOOLONG");
  if (path.includes("\0")) throw new SystemCallError(call, "EINVAL");
  const space = scratch[slot];
  space[space.write(path, "latin1")] = 0;
  return space;
}

const errnoNames: ReadonlyMap<number, string> = new Map(
  Object.entries(osConstants.errno)
    .toReversed()
    .map(([name, number]) => [number, name]),
);

function systemCalls(c: ReturnType<typeof prototypes>, koffi: Koffi): SystemCalls {
  const check = (call: string, result: number): number => {
    if (result >= 0) return result;
    throw untraced(() => new SystemCallError(call, errnoNames.get(koffi.errno()) ?? "EIO"));
  };
  return {
    ...entryCalls(c, check),
    ...nameCalls(c, check),
    scan: scanCalls(c, check, koffi),
    seek: (descriptor, position, from) => check("lseek", c.lseek(descriptor, position, from === "start" ? 0 : 1)),
    lock: (descriptor) => c.flock(descriptor, LOCK_EXCLUSIVE_NOW) === 0,
    peerOf: (descriptor) => {
      const credentials = Buffer.alloc(12);
      const length = Buffer.from([credentials.length, 0, 0, 0]);
      check("getsockopt", c.getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, credentials, length));
      return { pid: credentials.readInt32LE(0), uid: credentials.readUInt32LE(4) };
    },
    clone: (from, to) => c.ioctl(to, FICLONE, from) === 0,
    startWriting: async (descriptor) => {
      await elsewhere(c.syncFileRange, descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
    },
    copyRange: async (from, to, { position, length }) => {
      const offsets = [Buffer.alloc(8), Buffer.alloc(8)] as const;
      for (const offset of offsets) offset.writeBigInt64LE(BigInt(position));
      const copied = await elsewhere(c.copyFileRange, from, offsets[0], to, offsets[1], length, 0);
      // The errno of another thread is out of reach; callers go on by read and write, which name the fault.
      if (copied < 0) throw new SystemCallError("copy_file_range", "EINVAL");
      return copied;
    },
  };
}

type Check = (call: string, result: number) => number;

function scanCalls(c: ReturnType<typeof prototypes>, check: Check, koffi: Koffi): ScanCalls {
  return {
    addressOf: (buffer) => Number(koffi.address(buffer)),
    getdents64: (descriptor, { address, length }) => check("getdents64", c.getdents64(descriptor, address, length)),
    getdents64Elsewhere: async (descriptor, { address, length }) =>
      elsewhere(c.getdents64, descriptor, address, length),
    statx(folder, name, into) {
      if (c.statxAt(folder, name, NAME_ITSELF, STATX_BASIC_STATS, into) === 0) return true;
      if (koffi.errno() === osConstants.errno.ENOENT) return false;
      check("statx", -1);
      return false;
    },
    statxElsewhere: async (folder, name, into) =>
      (await elsewhere(c.statxAt, folder, name, NAME_ITSELF, STATX_BASIC_STATS, into)) === 0,
  };
}

function entryCalls(c: ReturnType<typeof prototypes>, check: Check) {
  return {
    openat2(folder, path, { flags, mode = 0, resolve = 0 }) {
      how.writeUInt32LE(flags >>> 0, 0);
      how.writeUInt32LE(mode, 8);
      how.writeUInt32LE(resolve, 16);
      return check("openat2", c.syscall(SYS_OPENAT2, folder, cPath(path, "openat2"), how, how.length));
    },
    statx(folder, name) {
      check("statx", c.statx(folder, cPath(name, "statx"), NAME_ITSELF, STATX_BASIC_STATS, stat));
      return readStat();
    },
    statDescriptor(descriptor) {
      check("statx", c.statx(descriptor, cPath("", "statx"), AT_EMPTY_PATH, STATX_BASIC_STATS, stat));
      return readStat();
    },
    volumeOf(descriptor) {
      check("fstatfs", c.fstatfs(descriptor, volume));
      return {
        type: volume.readUInt32LE(0),
        blockSize: volume.readUInt32LE(8),
        availableBlocks: readOctets(volume, 32),
      };
    },
    fchmodat(folder, name, mode) {
      check("fchmodat", c.fchmodat(folder, cPath(name, "fchmodat"), mode, AT_SYMLINK_NOFOLLOW));
    },
    utimensat(folder, name, { accessed, modified }) {
      writeTime(0, accessed);
      writeTime(16, modified);
      check("utimensat", c.utimensat(folder, cPath(name, "utimensat"), times, AT_SYMLINK_NOFOLLOW));
    },
  } satisfies Partial<SystemCalls>;
}

/** Until a link by way of /proc has succeeded where the one without has not. */
let linksDescriptors = true;

function nameCalls(c: ReturnType<typeof prototypes>, check: Check) {
  return {
    mkdirat(folder, name, mode) {
      check("mkdirat", c.mkdirat(folder, cPath(name, "mkdirat"), mode));
    },
    unlinkat(folder, name, what) {
      check("unlinkat", c.unlinkat(folder, cPath(name, "unlinkat"), what === "directory" ? AT_REMOVEDIR : 0));
    },
    renameat2([from, name], [to, newName], noReplace) {
      const call = "renameat2";
      const flags = noReplace ? RENAME_NOREPLACE : 0;
      check(call, c.renameat2(from, cPath(name, call), to, cPath(newName, call, 1), flags));
    },
    linkat([from, name], [to, newName]) {
      check("linkat", c.linkat(from, cPath(name, "linkat"), to, cPath(newName, "linkat", 1), 0));
    },
    linkDescriptor(descriptor, [to, newName]) {
      const name = cPath(newName, "linkat", 1);
      // By the descriptor itself where the kernel lets its opener do that (6.10 and later): two thirds of the time.
      if (linksDescriptors && c.linkat(descriptor, cPath("", "linkat"), to, name, AT_EMPTY_PATH) === 0) return;
      const from = cPath(`/proc/self/fd/${descriptor}`, "linkat");
      check("linkat", c.linkat(AT_FDCWD, from, to, name, AT_SYMLINK_FOLLOW));
      linksDescriptors = false;
    },
    symlinkat(target, folder, name) {
      check("symlinkat", c.symlinkat(cPath(target, "symlinkat"), folder, cPath(name, "symlinkat", 1)));
    },
    readlinkat(folder, name) {
      const call = "readlinkat";
      const length = check(call, c.readlinkat(folder, cPath(name, call), linkText, linkText.length));
      return bytesOf(linkText.subarray(0, length));
    },
  } satisfies Partial<SystemCalls>;
}

/** Offsets of struct statx. */
function readStat(): StatX {
  return {
    links: stat.readUInt32LE(16),
    uid: stat.readUInt32LE(20),
    gid: stat.readUInt32LE(24),
    mode: stat.readUInt16LE(28),
    inode: hex64(stat, 32),
    size: readOctets(stat, 40),
    modified: stat.readInt32LE(116) * 4_294_967_296_000 + stat.readUInt32LE(112) * 1000 + readMilliseconds(120),
    device: `${stat.readUInt32LE(136).toString(16)}.${stat.readUInt32LE(140).toString(16)}`,
    mountRoot: (stat.readUInt32LE(8) & STATX_ATTR_MOUNT_ROOT) !== 0,
  };
}

function readMilliseconds(at: number): number {
  return Math.floor(stat.readUInt32LE(at) / 1_000_000);
}

function hex64(from: Buffer, at: number): string {
  const high = from.readUInt32LE(at + 4);
  const low = from.readUInt32LE(at).toString(16);
  return high === 0 ? low : high.toString(16) + low.padStart(8, "0");
}

function readOctets(from: Buffer, at: number): number | bigint {
  return from.readUInt32LE(at + 4) < 0x200000 ? readSafe(from, at) : from.readBigUInt64LE(at);
}

function readSafe(from: Buffer, at: number): number {
  return from.readUInt32LE(at + 4) * 4_294_967_296 + from.readUInt32LE(at);
}

function writeTime(at: number, nanoseconds: bigint | undefined): void {
  const value = nanoseconds ?? 0n;
  const fraction = ((value % NANOSECONDS) + NANOSECONDS) % NANOSECONDS;
  times.writeBigInt64LE((value - fraction) / NANOSECONDS, at);
  times.writeBigInt64LE(nanoseconds === undefined ? UTIME_OMIT : fraction, at + 8);
}
