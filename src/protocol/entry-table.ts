/**
 * Entries of a folder as columns: what a storage tells of many entries without an object or a text for each, and what
 * `list-octets.ts` and `facts-octets.ts` write lines from. An entry is its place in each column.
 */
import type { ByteString } from "../base/bytes.ts";

/** The type of a folder in `st_mode`, shifted down. */
export const FOLDER_TYPE = 4;
/** Neighbours are often of one minute: the text of one is kept. */
export const MINUTE_MS = 60_000;

/** The octets of names, CR, LF and all; an entry's name goes from `starts` up to, not with, `ends`. */
export type NameTable = {
  readonly count: number;
  readonly names: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
};

/** As `Entry` of a storage otherwise. Numbers of 64 bits are two columns. */
export type EntryTable = NameTable & {
  /** File type and permission bits, as `st_mode`. */
  readonly modes: Uint32Array;
  readonly links: Uint32Array;
  /** Numbers that `ownerOf` and `groupOf` have names for. */
  readonly uids: Uint32Array;
  readonly gids: Uint32Array;
  /** Octets; 0 for anything but a file. */
  readonly sizesLow: Uint32Array;
  readonly sizesHigh: Uint32Array;
  /** Whole milliseconds since 1970 UTC. */
  readonly modified: Float64Array;
  /** The fact `unique`: `deviceText` of the one, and the other in hexadecimal after it. */
  readonly devices: Float64Array;
  readonly inodesLow: Uint32Array;
  readonly inodesHigh: Uint32Array;
  ownerOf(uid: number): string;
  groupOf(gid: number): string;
  /** ASCII without `;` and space. */
  deviceText(device: number): string;
  /** The text of a link, undefined if it is gone. */
  target(index: number): ByteString | undefined;
};

/** Lines on their way into a buffer. */
export type OctetLines = { octets: Buffer; length: number };

/** Writes the lines of entries from `from` on, as far as there is room. @returns the first that did not fit, `count` if all did. */
export type TableWriter<Table extends NameTable> = (table: Table, from: number, lines: OctetLines) => number;

const TYPE_BITS = 0o170000;
const FILE_BITS = 0o100000;
const FOLDER_BITS = 0o040000;
const LINK_BITS = 0o120000;

/** The kind that `st_mode` tells. */
export function kindOfMode(mode: number): "file" | "directory" | "link" | "other" {
  const type = mode & TYPE_BITS;
  if (type === FILE_BITS) return "file";
  if (type === FOLDER_BITS) return "directory";
  return type === LINK_BITS ? "link" : "other";
}

/** Octets that a number of 64 bits has at most, in decimal. */
export const NUMBER_OCTETS = 20;
/** The same in hexadecimal. */
export const HEX_OCTETS = 16;
const ZERO = 48;
const LETTER_A = 97;
const CR = 13;
const LF = 10;
const SPACE = 32;
const QUESTION = 63;

/** A number of 64 bits in decimal: rare ones, beyond 2^32. */
function wideText(low: number, high: number): string {
  return `${(BigInt(high) << 32n) | BigInt(low)}`;
}

/** Writes a number of 64 bits in decimal, spaces before it to `width` octets. @returns the position after it. */
export function putNumber(into: Uint8Array, at: number, low: number, high: number, width: number): number {
  if (high !== 0) return putText(into, at, wideText(low, high).padStart(width));
  let start = at;
  for (let digits = digitsOf(low); digits < width; digits++) into[start++] = SPACE;
  return putUint32(into, start, low);
}

/** Writes a number of 32 bits in decimal. @returns the position after it. */
function putUint32(into: Uint8Array, at: number, number: number): number {
  const end = at + digitsOf(number);
  let rest = number;
  for (let place = end - 1; place >= at; place--) {
    const next = (rest / 10) >>> 0;
    into[place] = ZERO + rest - next * 10;
    rest = next;
  }
  return end;
}

/** Decimal digits of a number of 32 bits. */
function digitsOf(number: number): number {
  let digits = 1;
  for (let limit = 10; number >= limit; limit *= 10) digits++;
  return digits;
}

/** Writes a number of 64 bits in hexadecimal. @returns the position after it. */
export function putHex(into: Uint8Array, at: number, low: number, high: number): number {
  if (high !== 0) return putText(into, at, ((BigInt(high) << 32n) | BigInt(low)).toString(16));
  let digits = 1;
  while (digits < 8 && low >>> (digits * 4) !== 0) digits++;
  let rest = low;
  for (let place = at + digits - 1; place >= at; place--) {
    const digit = rest & 15;
    into[place] = digit + (digit < 10 ? ZERO : LETTER_A - 10);
    rest >>>= 4;
  }
  return at + digits;
}

/** Writes octets that were made before. @returns the position after them. */
export function putOctets(into: Uint8Array, at: number, octets: Uint8Array): number {
  into.set(octets, at);
  return at + octets.length;
}

/** Writes ASCII or octets of a byte string. @returns the position after it. */
export function putText(into: Uint8Array, at: number, text: string): number {
  for (let place = 0; place < text.length; place++) into[at + place] = text.charCodeAt(place);
  return at + text.length;
}

/** Writes the name of an entry, on one line: CR, LF and NUL become `?` (attack 57). @returns the position after it. */
export function putName(into: Uint8Array, at: number, table: NameTable, index: number): number {
  const { names } = table;
  const end = table.ends[index] ?? 0;
  let to = at;
  for (let from = table.starts[index] ?? 0; from < end; from++) {
    const octet = names[from] ?? 0;
    into[to++] = octet === CR || octet === LF || octet === 0 ? QUESTION : octet;
  }
  return to;
}

/** Ends a line. @returns the position after it. */
export function putLineEnd(into: Uint8Array, at: number): number {
  into[at] = CR;
  into[at + 1] = LF;
  return at + 2;
}

/** Lines of names alone, for NLST. @param prefix before each name. */
export function nameLines(prefix: ByteString): TableWriter<NameTable> {
  return (table, from, lines) => {
    const { octets } = lines;
    const { starts, ends, count } = table;
    let at = lines.length;
    let index = from;
    for (; index < count; index++) {
      const length = (ends[index] ?? 0) - (starts[index] ?? 0);
      if (at + prefix.length + length + 2 > octets.length) break;
      at = putText(octets, at, prefix);
      at = putLineEnd(octets, putName(octets, at, table, index));
    }
    lines.length = at;
    return index;
  };
}

/** @param text of octets. */
export function octetsOfText(text: string): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(text.length);
  putText(octets, 0, text);
  return octets;
}
