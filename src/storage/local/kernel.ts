/**
 * The jail that the Linux kernel keeps: every path of a client is resolved by openat2(RESOLVE_IN_ROOT) from the
 * root's descriptor, and everything else is done by folder descriptor and last name. No path of the host is made.
 */
import { closeSync } from "node:fs";
import type { ByteString } from "../../base/bytes.ts";
import { Turn } from "../../base/loop-turns.ts";
import { systemCode } from "../../base/system-code.ts";
import { type FileTimes, OPEN, RESOLVE, type StatX, type SystemCalls } from "../../sys/ffi.ts";
import type { FolderColumns } from "../../sys/folder-columns.ts";
import { FolderScan } from "../../sys/folder-scan.ts";
import { LISTING_BATCH, type Octets, type Times } from "../storage.ts";
import { copyByReading } from "./copy.ts";
import { HostError, unless } from "./faults.ts";
import {
  type HostEntry,
  type HostFolder,
  type HostJail,
  type HostName,
  type HostStat,
  type HostTableTerms,
  ITSELF,
  kindOf,
  refuseKernelVolume,
  statIfThere,
} from "./host.ts";
import { fillColumns } from "./kernel-table.ts";
import { Pace } from "./pace.ts";

/** Octets that one call copies, so that no thread of the pool is held for long: 0.1 s at 150 MiB/s. */
const COPY_OCTETS = 16 * 1024 * 1024;
/** Tries of a path through `..` while folders are being renamed (EAGAIN, openat2(2)); then it is "busy". */
const RESOLVE_TRIES = 64;
const MODE_BITS = 0o7777;
/** Errors with which file systems say that they know no nameless files (open(2), O_TMPFILE). */
const NO_NAMELESS = ["EOPNOTSUPP", "ENOTSUP", "EISDIR", "EINVAL", "ENOENT"];
const NOT_FOLLOWING = OPEN.noFollow | OPEN.closeOnExec | OPEN.nonBlocking | OPEN.noTerminal;

export class KernelJail implements HostJail {
  readonly kind = "kernel";
  readonly #calls: SystemCalls;
  readonly #root: number;
  readonly #resolve: number;

  /** @param root descriptor of the served folder; the jail closes it. */
  constructor(calls: SystemCalls, root: number, followLinks: boolean) {
    this.#calls = calls;
    this.#root = root;
    this.#resolve = RESOLVE.inRoot | RESOLVE.noMagicLinks | (followLinks ? 0 : RESOLVE.noSymlinks);
  }

  openFolder(path: string): HostFolder {
    const descriptor = this.#resolved(path, OPEN.directory | OPEN.closeOnExec | OPEN.path);
    try {
      refuseKernelVolume(this.#calls.volumeOf(descriptor).type);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    return new KernelFolder(this.#calls, descriptor);
  }

  #resolved(path: string, flags: number): number {
    for (let tries = 1; ; tries++) {
      try {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- paths here are octets throughout
        return this.#calls.openat2(this.#root, path as ByteString, { flags, resolve: this.#resolve });
      } catch (error) {
        if (systemCode(error) !== "EAGAIN" || tries === RESOLVE_TRIES) throw error;
      }
    }
  }

  refuseKernelView(folder: HostFolder, name: ByteString): void {
    if (!(folder instanceof KernelFolder) || !folder.isMount(name)) return;
    const flags = OPEN.path | OPEN.noFollow | OPEN.closeOnExec;
    const descriptor = this.#calls.openat2(folder.descriptor, name, { flags });
    try {
      refuseKernelVolume(this.#calls.volumeOf(descriptor).type);
    } finally {
      closeSync(descriptor);
    }
  }

  seek(descriptor: number, position: number, from: "start" | "here"): number {
    return this.#calls.seek(descriptor, position, from);
  }

  async startWriting(descriptor: number): Promise<void> {
    await this.#calls.startWriting(descriptor);
  }

  statOpen(descriptor: number): HostStat {
    return hostStat(this.#calls.statDescriptor(descriptor));
  }

  lock(descriptor: number): Disposable | undefined {
    // The kernel drops the lock with the open file.
    return this.#calls.lock(descriptor) ? { [Symbol.dispose]: () => {} } : undefined;
  }

  async copy(from: number, to: number, length: number): Promise<void> {
    let position = 0;
    try {
      if (this.#calls.statDescriptor(from).size === length && this.#calls.clone(from, to)) return;
      while (position < length) {
        const copied = await this.#calls.copyRange(from, to, {
          position,
          length: Math.min(COPY_OCTETS, length - position),
        });
        if (copied === 0) break;
        position += copied;
      }
    } catch {
      // Not between these file systems, or a fault that the plain way will meet and name.
    }
    await copyByReading(from, to, { position, length });
  }

  [Symbol.dispose](): void {
    closeSync(this.#root);
  }
}

class KernelFolder implements HostFolder {
  readonly #calls: SystemCalls;
  #descriptor: number;
  /** Whether the entry looked at last is the top of a mount; saves a second statx for each path. */
  #mount: ByteString | undefined;

  constructor(calls: SystemCalls, descriptor: number) {
    this.#calls = calls;
    this.#descriptor = descriptor;
  }

  get descriptor(): number {
    return this.#descriptor;
  }

  isMount(name: ByteString): boolean {
    return this.#mount === name;
  }

  stat(name: ByteString): HostStat {
    const stat = this.#calls.statx(this.#descriptor, name);
    this.#mount = stat.mountRoot ? name : undefined;
    return hostStat(stat);
  }

  entries<Item>(take: (entry: HostEntry) => Item | undefined): AsyncIterable<readonly Item[]> {
    const pace = new Pace();
    return this.#batches(async (scan) => {
      const there = await this.#lookAtAll(scan, pace);
      const entry = new ScannedEntry(scan);
      const items: Item[] = [];
      for (entry.at = 0; entry.at < scan.count; entry.at++) {
        const item = there[entry.at] === true ? take(entry) : undefined;
        if (item !== undefined) items.push(item);
      }
      return items;
    });
  }

  fill(columns: FolderColumns, terms: HostTableTerms): AsyncIterable<void> {
    return fillColumns({ calls: this.#calls, descriptor: this.#descriptor, columns }, terms);
  }

  names(): AsyncIterable<readonly HostName[]> {
    return this.#batches(async (scan) => {
      const names: HostName[] = [];
      for (let at = 0; at < scan.count; at++) {
        // Zero: this file system does not tell kinds with names.
        const type = scan.type(at) || (scan.statx(this.#descriptor, at) ? scan.mode(at) : undefined);
        if (type !== undefined) names.push({ name: scan.name(at), kind: kindOf(type) });
      }
      return names;
    });
  }

  async *#batches<Item>(
    take: (scan: FolderScan) => Promise<readonly Item[]>,
  ): AsyncGenerator<readonly Item[], void, void> {
    const flags = OPEN.read | OPEN.directory | OPEN.closeOnExec;
    const descriptor = this.#calls.openat2(this.#descriptor, ITSELF, { flags });
    try {
      await using scan = new FolderScan(this.#calls.scan, descriptor, { batch: LISTING_BATCH });
      const turn = new Turn();
      while (await scan.next()) {
        if (turn.over) await turn.next();
        yield await take(scan);
      }
    } finally {
      closeSync(descriptor);
    }
  }

  /** @returns for each entry of the batch whether it is still there. */
  async #lookAtAll(scan: FolderScan, pace: Pace): Promise<readonly boolean[]> {
    const there: boolean[] = [];
    await pace.run({
      count: scan.count,
      now: (at) => {
        there[at] = scan.statx(this.#descriptor, at);
      },
      elsewhere: async (at) => {
        // Again here if the other thread failed: the fault has its name then.
        there[at] = (await scan.statxElsewhere(this.#descriptor, at)) || scan.statx(this.#descriptor, at);
      },
    });
    return there;
  }

  open(name: ByteString, access: "read" | "write"): number {
    return this.#calls.openat2(this.#descriptor, name, { flags: OPEN[access] | NOT_FOLLOWING });
  }

  create(name: ByteString, mode: number): number {
    const flags = OPEN.readWrite | OPEN.create | OPEN.exclusive | NOT_FOLLOWING;
    return this.#calls.openat2(this.#descriptor, name, { flags, mode });
  }

  createNameless(mode: number): number | undefined {
    const flags = OPEN.nameless | OPEN.readWrite | OPEN.closeOnExec;
    return unless(NO_NAMELESS, () => this.#calls.openat2(this.#descriptor, ITSELF, { flags, mode }));
  }

  linkNameless(descriptor: number, name: ByteString): void {
    this.#calls.linkDescriptor(descriptor, [this.#descriptor, name]);
  }

  makeFolder(name: ByteString, mode: number): void {
    this.#calls.mkdirat(this.#descriptor, name, mode);
  }

  unlink(name: ByteString): void {
    this.#calls.unlinkat(this.#descriptor, name, "file");
  }

  hold(name: ByteString): number | undefined {
    const flags = OPEN.path | OPEN.noFollow | OPEN.closeOnExec;
    return unless(["ENOENT"], () => this.#calls.openat2(this.#descriptor, name, { flags }));
  }

  removeFolder(name: ByteString): void {
    this.#calls.unlinkat(this.#descriptor, name, "directory");
  }

  rename(name: ByteString, [to, newName]: readonly [HostFolder, ByteString], exclusive: boolean): void {
    const from = [this.#descriptor, name] as const;
    const target = [descriptorOf(to), newName] as const;
    try {
      this.#calls.renameat2(from, target, exclusive);
    } catch (error) {
      // EINVAL: a file system without RENAME_NOREPLACE, or a folder moved below itself.
      if (!exclusive || systemCode(error) !== "EINVAL") throw error;
      this.#renameByHand(from, to, newName);
    }
  }

  #renameByHand(from: readonly [number, ByteString], to: HostFolder, newName: ByteString): void {
    const target = [descriptorOf(to), newName] as const;
    if (this.stat(from[1]).kind === "directory") {
      if (statIfThere(to, newName) !== undefined) throw new HostError("EEXIST", "the new name is taken");
      this.#calls.renameat2(from, target, false);
    } else {
      this.#calls.linkat(from, target);
      this.unlink(from[1]);
    }
  }

  makeLink(name: ByteString, target: ByteString): void {
    this.#calls.symlinkat(target, this.#descriptor, name);
  }

  readLink(name: ByteString): ByteString {
    return this.#calls.readlinkat(this.#descriptor, name);
  }

  setMode(name: ByteString, mode: number): void {
    this.#calls.fchmodat(this.#descriptor, name, mode);
  }

  setTimes(name: ByteString, times: Times): void {
    this.#calls.utimensat(this.#descriptor, name, nanosecondsOf(times));
  }

  available(): Octets {
    const { blockSize, availableBlocks } = this.#calls.volumeOf(this.#descriptor);
    const octets = BigInt(blockSize) * BigInt(availableBlocks);
    return octets <= Number.MAX_SAFE_INTEGER ? Number(octets) : octets;
  }

  [Symbol.dispose](): void {
    if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = -1;
  }
}

function descriptorOf(folder: HostFolder): number {
  if (folder instanceof KernelFolder) return folder.descriptor;
  throw new HostError("EXDEV", "a folder of another jail");
}

function hostStat(stat: StatX): HostStat {
  return {
    kind: kindOf(stat.mode),
    size: stat.size,
    modified: stat.modified,
    mode: stat.mode & MODE_BITS,
    uid: stat.uid,
    gid: stat.gid,
    links: stat.links,
    unique: `${stat.device}.${stat.inode}`,
  };
}

/** The entries of a batch, one after another, without an object for each. */
class ScannedEntry implements HostEntry {
  readonly #scan: FolderScan;
  at = 0;

  constructor(scan: FolderScan) {
    this.#scan = scan;
  }

  get name(): ByteString {
    return this.#scan.name(this.at);
  }

  get kind(): HostEntry["kind"] {
    return kindOf(this.#scan.mode(this.at));
  }

  get size(): Octets {
    return this.#scan.size(this.at);
  }

  get modified(): number {
    return this.#scan.modified(this.at);
  }

  get mode(): number {
    return this.#scan.mode(this.at) & MODE_BITS;
  }

  get uid(): number {
    return this.#scan.uid(this.at);
  }

  get gid(): number {
    return this.#scan.gid(this.at);
  }

  get links(): number {
    return this.#scan.links(this.at);
  }

  get unique(): string {
    return this.#scan.unique(this.at);
  }
}

/** Milliseconds may carry a fraction; a nanosecond is the finest that the host keeps. */
function nanosecondsOf({ accessed, modified }: Times): FileTimes {
  return { accessed: nanoseconds(accessed), modified: nanoseconds(modified) };
}

function nanoseconds(milliseconds: number | undefined): bigint | undefined {
  if (milliseconds === undefined) return undefined;
  const whole = Math.floor(milliseconds);
  return BigInt(whole) * 1_000_000n + BigInt(Math.floor((milliseconds - whole) * 1e6));
}

/** Whether this kernel answers openat2 (5.6 and newer, and no filter of a container in the way). */
export function kernelJailWorks(calls: SystemCalls, root: number): boolean {
  try {
    const flags = OPEN.path | OPEN.directory | OPEN.closeOnExec;
    closeSync(calls.openat2(root, ITSELF, { flags, resolve: RESOLVE.inRoot | RESOLVE.noMagicLinks }));
    return true;
  } catch {
    return false;
  }
}
