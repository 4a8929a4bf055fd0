/**
 * Reads a whole folder with what statx tells of each entry. Names are looked up where getdents64 put them and facts
 * read where statx put them, so that an entry costs its system call and little more (perf.md, 8). The next raw entries
 * are read on another thread meanwhile, which also keeps a slow disk's folder off the event loop.
 */
import { bytesOf, type ByteString } from "../base/bytes.ts";
import type { ScanCalls, Space } from "./ffi.ts";
import { inNameOrder } from "./name-order.ts";

/** Octets of raw entries read at a time: some 1,500 of ordinary length, half a millisecond's work of the kernel. */
const DIRENT_OCTETS = 64 * 1024;
/** Octets that a raw entry has at most (linux/dirent.h): less than that left free means that there may be more. */
const DIRENT_MAX = 280;
/** Octets of struct statx (man 2 statx). */
const STATX_OCTETS = 256;
export const STATX_WORDS = STATX_OCTETS / 4;
/** The fields of struct statx in words of 32 bits; 64-bit ones begin with their low half. */
export const STATX = {
  links: 4,
  uid: 5,
  gid: 6,
  mode: 7,
  inode: 8,
  size: 10,
  modified: 28,
  nanoseconds: 30,
  device: 34,
} as const;
/** Where the fields of struct linux_dirent64 begin. */
export const DIRENT = { length: 16, type: 18, name: 19 } as const;
/** `d_type` as the bits of `st_mode` that mean the same (DTTOIF of dirent.h). */
const TYPE_SHIFT = 12;
const DOT = 46;
const NO_WORDS = new Uint32Array(0);
export const TWO_TO_32 = 4_294_967_296;

type Room = { readonly buffer: Buffer; readonly space: Space };

/** Rooms of scans that have ended, for the next ones: new memory costs a page fault for each 4 KiB. */
const spare: Room[] = [];
/** Rooms of each length that are kept: those of two scans. */
const SPARE_ROOMS = 4;

function makeRoom(calls: ScanCalls, length: number): Room {
  const at = spare.findLastIndex(({ buffer }) => buffer.length === length);
  const [kept] = at === -1 ? [] : spare.splice(at, 1);
  if (kept !== undefined) return kept;
  const buffer = Buffer.allocUnsafeSlow(length);
  return { buffer, space: { address: calls.addressOf(buffer), length } };
}

function giveBack(room: Room | undefined): void {
  if (room === undefined || room.buffer.length > DIRENT_OCTETS) return;
  if (spare.filter(({ buffer }) => buffer.length === room.buffer.length).length < SPARE_ROOMS) spare.push(room);
}

export type ScanTerms = {
  /** Entries of one batch at most. */
  readonly batch: number;
  /** Whether an entry whose name begins with a dot is left out; `.` and `..` always are. */
  readonly leaveOut?: (name: ByteString) => boolean;
};

/** One batch at a time: `next`, then `statx` for each of the entries 0 to `count`, then their facts. */
export class FolderScan implements AsyncDisposable {
  readonly #calls: ScanCalls;
  readonly #descriptor: number;
  readonly #leaveOut: ((name: ByteString) => boolean) | undefined;
  /** Offsets of the batch's raw entries in `#here`. */
  readonly #offsets: Uint32Array;
  /** Of the names of the whole folder in `#here`, once they are sorted. */
  #inOrder: Uint32Array | undefined;
  #count = 0;
  #here: Room;
  #other: Room | undefined;
  #filled = 0;
  #at = 0;
  /** The read on another thread, into `#other`. */
  #ahead: Promise<number> | undefined;
  #stats: { readonly room: Room; readonly words: Uint32Array } | undefined;
  #isOver = false;
  #lastDevice = { major: 0, minor: 0, text: "0.0." };

  /** @param descriptor of a folder opened for reading; the caller closes it after this. */
  constructor(calls: ScanCalls, descriptor: number, { batch, leaveOut }: ScanTerms) {
    this.#calls = calls;
    this.#descriptor = descriptor;
    this.#leaveOut = leaveOut;
    this.#offsets = new Uint32Array(batch);
    this.#here = makeRoom(calls, DIRENT_OCTETS);
    // Not yet ahead: most folders end before the second read pays for another thread.
    this.#filled = calls.getdents64(descriptor, this.#here.space);
  }

  /** Entries of this batch, `.` and `..` left out. */
  get count(): number {
    return this.#count;
  }

  /** For `folder-columns.ts`: the raw entries, where those of this batch begin in them, and what `statx` told. */
  get raw(): { readonly octets: Buffer; readonly offsets: Uint32Array; readonly words: Uint32Array } {
    return { octets: this.#here.buffer, offsets: this.#offsets, words: this.#stats?.words ?? NO_WORDS };
  }

  /**
   * Before the first `next`: reads all names and puts them in the order of their octets, unless there are more than
   * `most`: those come as the folder has them. @throws {SystemCallError}
   */
  async readInOrder(most: number): Promise<void> {
    const starts: number[] = [];
    for (let from = 0; ;) {
      const { buffer } = this.#here;
      while (from < this.#filled) {
        if (this.#isWanted(from + DIRENT.name)) starts.push(from + DIRENT.name);
        from += entryLength(buffer, from);
      }
      if (starts.length > most) return;
      const read = await this.#append();
      if (read === 0) break;
      this.#filled += read;
    }
    this.#inOrder = inNameOrder(this.#here.buffer, new Uint32Array(starts));
  }

  /** Reads on behind what is there. @returns octets. */
  async #append(): Promise<number> {
    const filled = this.#filled;
    if (this.#here.buffer.length - filled < DIRENT_OCTETS && filled > DIRENT_OCTETS - DIRENT_MAX) {
      const larger = makeRoom(this.#calls, Math.max(2 * this.#here.buffer.length, filled + DIRENT_OCTETS));
      this.#here.buffer.copy(larger.buffer, 0, 0, filled);
      giveBack(this.#here);
      this.#here = larger;
    }
    const { address, length } = this.#here.space;
    const rest = { address: address + filled, length: Math.min(length - filled, DIRENT_OCTETS) };
    if (rest.length < DIRENT_OCTETS) return this.#calls.getdents64(this.#descriptor, rest);
    const room = this.#here;
    this.#ahead = this.#calls.getdents64Elsewhere(this.#descriptor, rest).then((read) => {
      void room;
      return read;
    });
    const read = await this.#ahead;
    this.#ahead = undefined;
    return read >= 0 ? read : this.#calls.getdents64(this.#descriptor, rest);
  }

  /** Goes to the next batch. @returns false at the end. @throws {SystemCallError} */
  async next(): Promise<boolean> {
    if (this.#inOrder !== undefined) return this.#nextInOrder(this.#inOrder);
    do {
      if (this.#at >= this.#filled && !(await this.#more())) return false;
      this.#collect();
    } while (this.#count === 0);
    return true;
  }

  #nextInOrder(names: Uint32Array): boolean {
    const batch = names.subarray(this.#at, this.#at + this.#offsets.length);
    for (let place = 0; place < batch.length; place++) this.#offsets[place] = (batch[place] ?? 0) - DIRENT.name;
    this.#at += batch.length;
    this.#count = batch.length;
    return this.#count > 0;
  }

  #collect(): void {
    const { buffer } = this.#here;
    let count = 0;
    let at = this.#at;
    while (at < this.#filled && count < this.#offsets.length) {
      if (this.#isWanted(at + DIRENT.name)) this.#offsets[count++] = at;
      at += entryLength(buffer, at);
    }
    this.#at = at;
    this.#count = count;
  }

  #isWanted(name: number): boolean {
    const { buffer } = this.#here;
    if (buffer[name] !== DOT) return true;
    return !isDots(buffer, name) && this.#leaveOut?.(nameAt(buffer, name)) !== true;
  }

  async #more(): Promise<boolean> {
    const read = this.#ahead === undefined ? -1 : await this.#ahead;
    if (this.#ahead !== undefined && this.#other !== undefined) {
      [this.#here, this.#other] = [this.#other, this.#here];
    }
    this.#ahead = undefined;
    // Read again here if the other thread failed: the fault has its name then.
    const space = { address: this.#here.space.address, length: DIRENT_OCTETS };
    this.#filled = read >= 0 ? read : this.#calls.getdents64(this.#descriptor, space);
    this.#at = 0;
    this.#readAhead();
    return this.#filled > 0;
  }

  /** Only where more is to be expected: another thread costs more than the call that finds the end. */
  #readAhead(): void {
    if (this.#filled <= DIRENT_OCTETS - DIRENT_MAX) return;
    const room = (this.#other ??= makeRoom(this.#calls, DIRENT_OCTETS));
    const space = { address: room.space.address, length: DIRENT_OCTETS };
    this.#ahead = this.#calls.getdents64Elsewhere(this.#descriptor, space).then((filled) => {
      // Held until here, whatever becomes of this scan: the other thread writes to it by its address.
      void room;
      return filled;
    });
  }

  name(index: number): ByteString {
    return nameAt(this.#here.buffer, this.#offset(index) + DIRENT.name);
  }

  /** The type bits of `st_mode`, 0 where the file system does not tell them here. */
  type(index: number): number {
    return (this.#here.buffer[this.#offset(index) + DIRENT.type] ?? 0) << TYPE_SHIFT;
  }

  /** Asks for the facts of an entry. @returns false if it is gone. @throws {SystemCallError} */
  statx(folder: number, index: number): boolean {
    return this.#calls.statx(folder, this.#nameAddress(index), this.#statAddress(index));
  }

  /** As above on another thread; false for a fault too. */
  async statxElsewhere(folder: number, index: number): Promise<boolean> {
    return this.#calls.statxElsewhere(folder, this.#nameAddress(index), this.#statAddress(index));
  }

  /** What `statx` told of an entry, from here on. File type and permission bits, as `st_mode`. */
  mode(index: number): number {
    return this.#word(index, STATX.mode) & 0xffff;
  }

  links(index: number): number {
    return this.#word(index, STATX.links);
  }

  uid(index: number): number {
    return this.#word(index, STATX.uid);
  }

  gid(index: number): number {
    return this.#word(index, STATX.gid);
  }

  size(index: number): number | bigint {
    return this.#octets(index, STATX.size);
  }

  /** Whole milliseconds since 1970. */
  modified(index: number): number {
    // The high half has a sign: there are times before 1970.
    const seconds = (this.#word(index, STATX.modified + 1) | 0) * TWO_TO_32 + this.#word(index, STATX.modified);
    return seconds * 1000 + Math.floor(this.#word(index, STATX.nanoseconds) / 1_000_000);
  }

  /** Device and inode in hexadecimal, as StatX has them. */
  unique(index: number): string {
    return this.#device(index) + this.#octets(index, STATX.inode).toString(16);
  }

  /** Waits for what other threads still do with its memory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ahead;
    if (this.#isOver) return;
    this.#isOver = true;
    for (const room of [this.#here, this.#other, this.#stats?.room]) giveBack(room);
  }

  /** With the dot that follows it. Nearly always the one of the entry before. */
  #device(index: number): string {
    const major = this.#word(index, STATX.device);
    const minor = this.#word(index, STATX.device + 1);
    if (major !== this.#lastDevice.major || minor !== this.#lastDevice.minor) {
      this.#lastDevice = { major, minor, text: `${major.toString(16)}.${minor.toString(16)}.` };
    }
    return this.#lastDevice.text;
  }

  /** A number as far as that is exact. */
  #octets(index: number, word: number): number | bigint {
    const low = this.#word(index, word);
    const high = this.#word(index, word + 1);
    return high < 0x200000 ? high * TWO_TO_32 + low : (BigInt(high) << 32n) | BigInt(low);
  }

  #word(index: number, word: number): number {
    return this.#stats?.words[index * STATX_WORDS + word] ?? 0;
  }

  #offset(index: number): number {
    return this.#offsets[index] ?? 0;
  }

  #nameAddress(index: number): number {
    return this.#here.space.address + this.#offset(index) + DIRENT.name;
  }

  #statAddress(index: number): number {
    if (this.#stats === undefined) {
      const room = makeRoom(this.#calls, this.#offsets.length * STATX_OCTETS);
      this.#stats = { room, words: new Uint32Array(room.buffer.buffer) };
    }
    return this.#stats.room.space.address + index * STATX_OCTETS;
  }
}

function entryLength(buffer: Buffer, at: number): number {
  return (buffer[at + DIRENT.length] ?? 0) + (buffer[at + DIRENT.length + 1] ?? 0) * 256;
}

function nameAt(buffer: Buffer, start: number): ByteString {
  let end = start;
  while (buffer[end] !== 0) end++;
  return bytesOf(buffer, start, end);
}

function isDots(buffer: Buffer, name: number): boolean {
  if (buffer[name] !== DOT) return false;
  return buffer[name + 1] === 0 || (buffer[name + 1] === DOT && buffer[name + 2] === 0);
}
