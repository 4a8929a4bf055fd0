/**
 * The jail where openat2 is missing: a walk from the root, one part at a time, links read and resolved here. With
 * /proc each step and each operation starts at an open folder (`/proc/self/fd/N/name`), so a folder that is swapped
 * for a link under way is not followed. Without /proc (macOS, Windows) paths are checked before and after by the
 * folder's identity: what was swapped in between is noticed, but only then. `ferryman doctor` tells which is in force.
 */
import * as fs from "node:fs";
import { type ByteString, bytesOf } from "../../base/bytes.ts";
import { Turn } from "../../base/loop-turns.ts";
import { systemCode } from "../../base/system-code.ts";
import { OPEN } from "../../sys/ffi.ts";
import { LISTING_BATCH, type Octets, type Times } from "../storage.ts";
import { copyByReading } from "./copy.ts";
import { HostError, unless } from "./faults.ts";
import {
  type HostEntry,
  type HostFolder,
  type HostJail,
  type HostName,
  type HostStat,
  ITSELF,
  kindOfDirent,
  MAX_LINKS,
  refuseKernelVolume,
  secondsOf,
  statIfThere,
} from "./host.ts";
import { hostStat } from "./node-stat.ts";
import { Pace } from "./pace.ts";
import { MAX_PATH_OCTETS } from "./hidden.ts";

/** Folders opened for one path at most: as many as a path of MAX_PATH_OCTETS can have, twice for its links. */
const MAX_STEPS = MAX_PATH_OCTETS;
const NO_HARD_LINKS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);
/** Windows has neither flag. */
const NOT_FOLLOWING = OPEN.noFollow | 0 | (OPEN.nonBlocking | 0);

/** Locks of this process: other processes of the portable jail are not seen. */
const locked = new Set<string>();

export class PortableJail implements HostJail {
  readonly kind = "portable";
  readonly #root: PortableFolder;
  readonly #followLinks: boolean;

  /** @param way "descriptors" where /proc is, "paths" elsewhere. */
  constructor(root: string, followLinks: boolean, way: "descriptors" | "paths") {
    this.#root =
      way === "descriptors"
        ? new DescriptorFolder(fs.openSync(root, OPEN.path | OPEN.directory))
        : new PathFolder(fs.realpathSync(root, "latin1"));
    this.#followLinks = followLinks;
    this.#root.refuseKernelView();
  }

  openFolder(path: string): HostFolder {
    let pending = partsOf(path).toReversed();
    let passed: ByteString[] = [];
    let links = 0;
    let at = this.#root.child(ITSELF);
    try {
      for (let steps = 0, part; (part = pending.pop()) !== undefined; steps++) {
        if (steps > MAX_STEPS) throw new HostError("ENAMETOOLONG", "too many folders on the way");
        let next: PortableFolder | ByteString;
        if (part === "..") {
          // Walked anew from the root: the real `..` of a folder that was moved away leads out of the jail.
          pending.push(...passed.slice(0, -1).toReversed());
          passed = [];
          next = this.#root.child(ITSELF);
        } else {
          next = at.childOrLink(part);
          if (typeof next !== "string") passed.push(part);
        }
        if (typeof next === "string") {
          if (!this.#followLinks || ++links > MAX_LINKS) throw new HostError("ELOOP", "a link too many");
          pending.push(...partsOf(next).toReversed());
          if (!next.startsWith("/")) continue;
          passed = [];
          next = this.#root.child(ITSELF);
        }
        at[Symbol.dispose]();
        at = next;
      }
      return at;
    } catch (error) {
      at[Symbol.dispose]();
      throw error;
    }
  }

  refuseKernelView(folder: HostFolder, name: ByteString): void {
    if (folder instanceof PortableFolder) folder.refuseKernelEntry(name);
  }

  statOpen(descriptor: number): HostStat {
    return hostStat(fs.fstatSync(descriptor, { bigint: true }));
  }

  lock(descriptor: number): Disposable | undefined {
    const { unique } = this.statOpen(descriptor);
    if (locked.has(unique)) return undefined;
    locked.add(unique);
    return { [Symbol.dispose]: () => locked.delete(unique) };
  }

  async copy(from: number, to: number, length: number): Promise<void> {
    await copyByReading(from, to, { position: 0, length });
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
  }
}

function partsOf(path: string): ByteString[] {
  return path.split("/").filter((part): part is ByteString => part !== "" && part !== ".");
}

abstract class PortableFolder implements HostFolder {
  /** The device of the entry looked at last, for `refuseKernelEntry`. */
  #lastDevice: bigint | undefined;

  abstract readonly device: bigint;
  /** A host path for one use; throws where the folder is no longer the one that was opened. */
  abstract at(name: ByteString): Buffer;
  abstract child(name: ByteString): PortableFolder;
  abstract setMode(name: ByteString, mode: number): void;
  abstract [Symbol.dispose](): void;

  /** The folder of that name, or the text of a link. */
  abstract childOrLink(name: ByteString): PortableFolder | ByteString;

  refuseKernelView(): void {
    if (process.platform === "linux") refuseKernelVolume(fs.statfsSync(this.at(ITSELF)).type);
  }

  refuseKernelEntry(name: ByteString): void {
    if (this.#lastDevice === this.device || process.platform !== "linux") return;
    refuseKernelVolume(fs.statfsSync(this.at(name)).type);
  }

  stat(name: ByteString): HostStat {
    const stat = fs.lstatSync(this.at(name), { bigint: true });
    this.#lastDevice = stat.dev;
    return hostStat(stat);
  }

  async *entries<Item>(take: (entry: HostEntry) => Item | undefined): AsyncIterable<readonly Item[]> {
    const pace = new Pace();
    for await (const names of this.#batches()) {
      const stats: (fs.BigIntStats | undefined)[] = [];
      await pace.run({
        count: names.length,
        now: (at) => {
          stats[at] = unless(["ENOENT"], () => fs.lstatSync(this.at(names[at]?.name ?? ITSELF), { bigint: true }));
        },
        elsewhere: async (at) => {
          stats[at] = await fs.promises
            .lstat(this.at(names[at]?.name ?? ITSELF), { bigint: true })
            .catch((error: unknown) => {
              if (systemCode(error) !== "ENOENT") throw error;
              return undefined;
            });
        },
      });
      yield names.flatMap(({ name }, at) => {
        const stat = stats[at];
        const item = stat === undefined ? undefined : take({ name, ...hostStat(stat) });
        return item === undefined ? [] : [item];
      });
    }
  }

  async *names(): AsyncIterable<readonly HostName[]> {
    for await (const batch of this.#batches()) {
      yield batch.flatMap(({ name, entry }) => {
        const kind = kindOfDirent(entry) ?? statIfThere(this, name)?.kind;
        return kind === undefined ? [] : [{ name, kind }];
      });
    }
  }

  async *#batches(): AsyncGenerator<readonly { name: ByteString; entry: fs.Dirent }[], void, void> {
    // "latin1" gives one character an octet, so byte strings.
    const folder = fs.opendirSync(this.at(ITSELF), { encoding: "latin1", bufferSize: LISTING_BATCH });
    try {
      const turn = new Turn();
      let batch: { name: ByteString; entry: fs.Dirent }[] = [];
      for (let entry; (entry = folder.readSync()) !== null;) {
        if (batch.push({ name: bytesOf(Buffer.from(entry.name, "latin1")), entry }) < LISTING_BATCH) continue;
        yield batch;
        batch = [];
        if (turn.over) await turn.next();
      }
      if (batch.length > 0) yield batch;
    } finally {
      folder.closeSync();
    }
  }

  open(name: ByteString, access: "read" | "write"): number {
    return fs.openSync(this.at(name), OPEN[access] | NOT_FOLLOWING);
  }

  create(name: ByteString, mode: number): number {
    return fs.openSync(this.at(name), OPEN.readWrite | OPEN.create | OPEN.exclusive | NOT_FOLLOWING, mode);
  }

  createNameless(): undefined {
    return undefined;
  }

  linkNameless(): void {
    throw new HostError("ENOSYS", "no nameless files");
  }

  makeFolder(name: ByteString, mode: number): void {
    fs.mkdirSync(this.at(name), { mode });
  }

  unlink(name: ByteString): void {
    fs.unlinkSync(this.at(name));
  }

  removeFolder(name: ByteString): void {
    fs.rmdirSync(this.at(name));
  }

  rename(name: ByteString, [to, newName]: readonly [HostFolder, ByteString], exclusive: boolean): void {
    if (!(to instanceof PortableFolder)) throw new HostError("EXDEV", "a folder of another jail");
    if (exclusive && this.stat(name).kind === "file") {
      try {
        fs.linkSync(this.at(name), to.at(newName));
        this.unlink(name);
        return;
      } catch (error) {
        if (!NO_HARD_LINKS.has(systemCode(error))) throw error;
      }
    }
    // Node has no renameat2: for folders and links, two steps with a gap between them.
    if (exclusive && statIfThere(to, newName) !== undefined) throw new HostError("EEXIST", "the new name is taken");
    fs.renameSync(this.at(name), to.at(newName));
  }

  makeLink(name: ByteString, target: ByteString): void {
    fs.symlinkSync(Buffer.from(target, "latin1"), this.at(name));
  }

  readLink(name: ByteString): ByteString {
    return bytesOf(fs.readlinkSync(this.at(name), "buffer"));
  }

  setTimes(name: ByteString, { accessed, modified }: Times): void {
    const path = this.at(name);
    const now = fs.lstatSync(path, { bigint: true });
    fs.lutimesSync(
      path,
      accessed === undefined ? secondsOf(Number(now.atimeNs) / 1e6) : secondsOf(accessed),
      modified === undefined ? secondsOf(Number(now.mtimeNs) / 1e6) : secondsOf(modified),
    );
  }

  available(): Octets {
    const { bavail, bsize } = fs.statfsSync(this.at(ITSELF), { bigint: true });
    const octets = bavail * bsize;
    return octets <= Number.MAX_SAFE_INTEGER ? Number(octets) : octets;
  }
}

/** A folder held by its descriptor: names below it are reached through /proc/self/fd, whatever its path is by now. */
class DescriptorFolder extends PortableFolder {
  readonly device: bigint;
  #descriptor: number;

  /** @param descriptor of a folder; closed with this. */
  constructor(descriptor: number) {
    super();
    this.#descriptor = descriptor;
    this.device = fs.fstatSync(descriptor, { bigint: true }).dev;
  }

  at(name: ByteString): Buffer {
    return Buffer.from(`/proc/self/fd/${this.#descriptor}/${name}`, "latin1");
  }

  child(name: ByteString): PortableFolder {
    return new DescriptorFolder(fs.openSync(this.at(name), OPEN.path | OPEN.directory | OPEN.noFollow));
  }

  childOrLink(name: ByteString): PortableFolder | ByteString {
    const descriptor = fs.openSync(this.at(name), OPEN.path | OPEN.noFollow);
    let kept = false;
    try {
      const stat = fs.fstatSync(descriptor, { bigint: true });
      if (stat.isSymbolicLink()) return this.readLink(name);
      if (!stat.isDirectory()) throw new HostError("ENOTDIR", "not a folder");
      const folder = new DescriptorFolder(descriptor);
      if (stat.dev !== this.device) folder.refuseKernelView();
      kept = true;
      return folder;
    } finally {
      if (!kept) fs.closeSync(descriptor);
    }
  }

  setMode(name: ByteString, mode: number): void {
    const descriptor = fs.openSync(this.at(name), OPEN.path | OPEN.noFollow);
    try {
      if (fs.fstatSync(descriptor).isSymbolicLink()) throw new HostError("EOPNOTSUPP", "a link has no mode");
      fs.chmodSync(`/proc/self/fd/${descriptor}`, mode);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  [Symbol.dispose](): void {
    if (this.#descriptor >= 0) fs.closeSync(this.#descriptor);
    this.#descriptor = -1;
  }
}

/** A folder held by its path and its identity. */
class PathFolder extends PortableFolder {
  readonly device: bigint;
  readonly #path: string;
  readonly #inode: bigint;

  /** @param path of the host, one character an octet, without links. */
  constructor(path: string) {
    super();
    this.#path = path;
    const stat = fs.lstatSync(Buffer.from(path, "latin1"), { bigint: true });
    if (!stat.isDirectory()) throw new HostError("ENOTDIR", "not a folder");
    this.device = stat.dev;
    this.#inode = stat.ino;
  }

  at(name: ByteString): Buffer {
    const { dev, ino } = fs.lstatSync(Buffer.from(this.#path, "latin1"), { bigint: true });
    if (dev !== this.device || ino !== this.#inode) throw new HostError("EACCES", "the folder was swapped");
    return Buffer.from(name === ITSELF ? this.#path : `${this.#path}/${name}`, "latin1");
  }

  override open(name: ByteString, access: "read" | "write"): number {
    return this.#stillHere(super.open(name, access));
  }

  override create(name: ByteString, mode: number): number {
    return this.#stillHere(super.create(name, mode));
  }

  /** Looks again: a file opened through a folder that was swapped meanwhile is let go. */
  #stillHere(descriptor: number): number {
    try {
      this.at(ITSELF);
      return descriptor;
    } catch (error) {
      fs.closeSync(descriptor);
      throw error;
    }
  }

  child(name: ByteString): PortableFolder {
    return new PathFolder(this.at(name).toString("latin1"));
  }

  childOrLink(name: ByteString): PortableFolder | ByteString {
    if (this.stat(name).kind === "link") return this.readLink(name);
    const folder = this.child(name);
    if (folder.device !== this.device) folder.refuseKernelView();
    return folder;
  }

  setMode(name: ByteString, mode: number): void {
    const descriptor = this.open(name, "read");
    try {
      fs.fchmodSync(descriptor, mode);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  [Symbol.dispose](): void {
    // Holds nothing of the host.
  }
}
