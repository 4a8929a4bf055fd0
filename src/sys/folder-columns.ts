/**
 * A batch of a folder's entries as columns of numbers, filled from raw entries and from what statx told in one loop
 * that calls nothing: V8 makes it fast long before it would do so for an object and a text for each entry.
 */
import { DIRENT, type FolderScan, STATX, STATX_WORDS, TWO_TO_32 } from "./folder-scan.ts";

const FILE_TYPE = 8;
/** Columns of 64 bits, and of 32. */
const [WIDE_COLUMNS, COLUMNS] = [2, 10];

const NO_NAMES = Buffer.alloc(0);

export class FolderColumns {
  count = 0;
  /** The raw entries, names among them. */
  names: Buffer = NO_NAMES;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** As `st_mode`. */
  readonly modes: Uint32Array;
  readonly links: Uint32Array;
  readonly uids: Uint32Array;
  readonly gids: Uint32Array;
  /** Octets of plain files, 0 for anything else. */
  readonly sizesLow: Uint32Array;
  readonly sizesHigh: Uint32Array;
  /** Whole milliseconds since 1970. */
  readonly modified: Float64Array;
  /** See `deviceText`. */
  readonly devices: Float64Array;
  readonly inodesLow: Uint32Array;
  readonly inodesHigh: Uint32Array;

  /** @param batch entries at most. */
  constructor(batch: number) {
    // One piece of memory for all: each of them by itself would be an allocation of its own.
    const memory = new ArrayBuffer(batch * (WIDE_COLUMNS * 8 + COLUMNS * 4));
    let end = 0;
    const wide = (): Float64Array => new Float64Array(memory, (end += batch * 8) - batch * 8, batch);
    const column = (): Uint32Array => new Uint32Array(memory, (end += batch * 4) - batch * 4, batch);
    this.modified = wide();
    this.devices = wide();
    this.starts = column();
    this.ends = column();
    this.modes = column();
    this.links = column();
    this.uids = column();
    this.gids = column();
    this.sizesLow = column();
    this.sizesHigh = column();
    this.inodesLow = column();
    this.inodesHigh = column();
  }

  /** Major and minor number in hexadecimal with the dots after them, as `FolderScan.unique` begins. */
  deviceText(device: number): string {
    const major = Math.floor(device / TWO_TO_32);
    return `${major.toString(16)}.${(device - major * TWO_TO_32).toString(16)}.`;
  }

  /** Takes the names of the scan's batch. */
  takeNames({ raw: { octets, offsets }, count }: FolderScan): void {
    this.names = octets;
    this.count = count;
    for (let index = 0; index < count; index++) this.#takeName(octets, (offsets[index] ?? 0) + DIRENT.name, index);
  }

  /** Takes the scan's batch with its facts. @param there 1 for each entry that was still there when it was asked about. */
  take({ raw: { octets, offsets, words }, count }: FolderScan, there: Uint8Array): void {
    this.names = octets;
    let to = 0;
    for (let index = 0; index < count; index++) {
      if (there[index] !== 1) continue;
      this.#takeName(octets, (offsets[index] ?? 0) + DIRENT.name, to);
      this.#takeKind(words, index * STATX_WORDS, to);
      this.#takeRest(words, index * STATX_WORDS, to);
      to++;
    }
    this.count = to;
  }

  #takeName(octets: Buffer, start: number, to: number): void {
    let end = start;
    while (octets[end] !== 0) end++;
    this.starts[to] = start;
    this.ends[to] = end;
  }

  #takeKind(words: Uint32Array, at: number, to: number): void {
    const mode = (words[at + STATX.mode] ?? 0) & 0xffff;
    const isFile = mode >>> 12 === FILE_TYPE;
    this.modes[to] = mode;
    this.links[to] = words[at + STATX.links] ?? 0;
    this.uids[to] = words[at + STATX.uid] ?? 0;
    this.gids[to] = words[at + STATX.gid] ?? 0;
    this.sizesLow[to] = isFile ? (words[at + STATX.size] ?? 0) : 0;
    this.sizesHigh[to] = isFile ? (words[at + STATX.size + 1] ?? 0) : 0;
  }

  #takeRest(words: Uint32Array, at: number, to: number): void {
    this.modified[to] = modifiedAt(words, at);
    this.devices[to] = (words[at + STATX.device] ?? 0) * TWO_TO_32 + (words[at + STATX.device + 1] ?? 0);
    this.inodesLow[to] = words[at + STATX.inode] ?? 0;
    this.inodesHigh[to] = words[at + STATX.inode + 1] ?? 0;
  }
}

function modifiedAt(words: Uint32Array, at: number): number {
  // The high half has a sign: there are times before 1970.
  const seconds = ((words[at + STATX.modified + 1] ?? 0) | 0) * TWO_TO_32 + (words[at + STATX.modified] ?? 0);
  return seconds * 1000 + Math.floor((words[at + STATX.nanoseconds] ?? 0) / 1_000_000);
}
