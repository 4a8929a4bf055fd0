/**
 * Reads a whole folder with what statx tells of each entry. Names are looked up where getdents64 put them and facts
 * read where statx put them, so that an entry costs its system call and little more (perf.md, 8). The next raw entries
 * are read on another thread meanwhile, which also keeps a slow disk's folder off the event loop.
 */
import { bytesOf, type ByteString } from "../base/bytes.ts";
import type { ScanCalls, Space } from "./ffi.ts";

/** Octets of raw entries read at a time: about 1,000 of ordinary length, the buffer of glibc's readdir. */
const DIRENT_OCTETS = 32 * 1024;
/** Octets that a raw entry has at most (linux/dirent.h): less than that left free means that there may be more. */
const DIRENT_MAX = 280;
/** Octets of struct statx (man 2 statx). */
const STATX_OCTETS = 256;
const STATX_WORDS = STATX_OCTETS / 4;
/** The fields of struct statx in words of 32 bits; 64-bit ones begin with their low half. */
const STATX = {
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
const DIRENT = { length: 16, type: 18, name: 19 } as const;
/** `d_type` as the bits of `st_mode` that mean the same (DTTOIF of dirent.h). */
const TYPE_SHIFT = 12;
const DOT = 46;
const TWO_TO_32 = 4_294_967_296;

type Room = { readonly buffer: Buffer; readonly space: Space };

function makeRoom(calls: ScanCalls, length: number): Room {
  const buffer = Buffer.allocUnsafeSlow(length);
  return { buffer, space: { address: calls.addressOf(buffer), length } };
}

/** One batch at a time: `next`, then `statx` for each of the entries 0 to `count`, then their facts. */
export class FolderScan implements AsyncDisposable {
  readonly #calls: ScanCalls;
  readonly #descriptor: number;
  /** Offsets of the batch's raw entries in `#here`. */
  readonly #offsets: Uint32Array;
  #count = 0;
  #here: Room;
  #other: Room | undefined;
  #filled = 0;
  #at = 0;
  /** The read on another thread, into `#other`. */
  #ahead: Promise<number> | undefined;
  #stats: { readonly room: Room; readonly words: Uint32Array } | undefined;
  #lastDevice = { major: 0, minor: 0, text: "0.0." };

  /**
   * @param descriptor of a folder opened for reading; the caller closes it after this.
   * @param batch entries of one batch at most.
   */
  constructor(calls: ScanCalls, descriptor: number, batch: number) {
    this.#calls = calls;
    this.#descriptor = descriptor;
    this.#offsets = new Uint32Array(batch);
    this.#here = makeRoom(calls, DIRENT_OCTETS);
    // Not yet ahead: most folders end before the second read pays for another thread.
    this.#filled = calls.getdents64(descriptor, this.#here.space);
  }

  /** Entries of this batch, `.` and `..` left out. */
  get count(): number {
    return this.#count;
  }

  /** Goes to the next batch. @returns false at the end. @throws {SystemCallError} */
  async next(): Promise<boolean> {
    do {
      if (this.#at >= this.#filled && !(await this.#more())) return false;
      this.#collect();
    } while (this.#count === 0);
    return true;
  }

  #collect(): void {
    const { buffer } = this.#here;
    let count = 0;
    let at = this.#at;
    while (at < this.#filled && count < this.#offsets.length) {
      if (!isDots(buffer, at + DIRENT.name)) this.#offsets[count++] = at;
      at += buffer.readUInt16LE(at + DIRENT.length);
    }
    this.#at = at;
    this.#count = count;
  }

  async #more(): Promise<boolean> {
    const read = this.#ahead === undefined ? -1 : await this.#ahead;
    if (this.#ahead !== undefined && this.#other !== undefined) {
      [this.#here, this.#other] = [this.#other, this.#here];
    }
    this.#ahead = undefined;
    // Read again here if the other thread failed: the fault has its name then.
    this.#filled = read >= 0 ? read : this.#calls.getdents64(this.#descriptor, this.#here.space);
    this.#at = 0;
    this.#readAhead();
    return this.#filled > 0;
  }

  /** Only where more is to be expected: another thread costs more than the call that finds the end. */
  #readAhead(): void {
    if (this.#filled <= DIRENT_OCTETS - DIRENT_MAX) return;
    const room = (this.#other ??= makeRoom(this.#calls, DIRENT_OCTETS));
    this.#ahead = this.#calls.getdents64Elsewhere(this.#descriptor, room.space).then((filled) => {
      // Held until here, whatever becomes of this scan: the other thread writes to it by its address.
      void room;
      return filled;
    });
  }

  name(index: number): ByteString {
    const { buffer } = this.#here;
    const start = this.#offset(index) + DIRENT.name;
    let end = start;
    while (buffer[end] !== 0) end++;
    return bytesOf(buffer, start, end);
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

function isDots(buffer: Buffer, name: number): boolean {
  if (buffer[name] !== DOT) return false;
  return buffer[name + 1] === 0 || (buffer[name + 1] === DOT && buffer[name + 2] === 0);
}
