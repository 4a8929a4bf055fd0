/**
 * Sorts names where getdents64 put them: by a number for each, made of four octets and the place, which a typed array
 * sorts without a call of JavaScript. A comparing function would be called ten times a name.
 */
import { bytesOf } from "../base/bytes.ts";

/** Octets that one number compares. */
const KEY_OCTETS = 4;
/** Times that all octets have this factor, so that 2^32 of them and PLACES places are one exact number. */
const PLACES = 2 ** 20;
/** Names up to which comparing one by one costs less. */
const FEW = 8;
/** Rounds after which names that are still alike are compared one by one: no folder makes this take long. */
const MOST_ROUNDS = 8;

/** Names that end in NUL and begin at `offsets`; at most 2^20 of them. @returns the offsets in the order of octets. */
export function inNameOrder(buffer: Buffer, offsets: Uint32Array): Uint32Array {
  const order = offsets.slice();
  sortRange(buffer, order, 0, 0);
  return order;
}

/** @param skip octets at the front that all these names share. */
function sortRange(buffer: Buffer, names: Uint32Array, skip: number, round: number): void {
  if (names.length <= FEW || round === MOST_ROUNDS) {
    sortByComparing(buffer, names);
    return;
  }
  const from = sharedOctets(buffer, names, skip);
  const keys = new Float64Array(names.length);
  for (let place = 0; place < names.length; place++) {
    keys[place] = keyAt(buffer, (names[place] ?? 0) + from) * PLACES + place;
  }
  keys.sort();
  const before = names.slice();
  let start = 0;
  let last = -1;
  for (let place = 0; place <= keys.length; place++) {
    const value = keys[place] ?? Infinity;
    const key = Math.floor(value / PLACES);
    if (key !== last) {
      // Those that end within these octets are the same name, which a broken folder may have twice.
      if (place - start > 1 && last % 256 !== 0) {
        sortRange(buffer, names.subarray(start, place), from + KEY_OCTETS, round + 1);
      }
      start = place;
      last = key;
    }
    if (place < keys.length) names[place] = before[value - key * PLACES] ?? 0;
  }
}

/** The four octets from `at` on; 0 for those after the end, so that a shorter name comes first. */
function keyAt(buffer: Buffer, at: number): number {
  let key = 0;
  let isOver = false;
  for (let place = 0; place < KEY_OCTETS; place++) {
    const octet: number = isOver ? 0 : (buffer[at + place] ?? 0);
    isOver = octet === 0;
    key = key * 256 + octet;
  }
  return key;
}

function sharedOctets(buffer: Buffer, names: Uint32Array, skip: number): number {
  const first = names[0] ?? 0;
  let shared = skip;
  while (buffer[first + shared] !== 0) shared++;
  for (let place = 1; place < names.length && shared > skip; place++) {
    const start = names[place] ?? 0;
    let same = skip;
    while (same < shared && buffer[start + same] === buffer[first + same]) same++;
    shared = same;
  }
  return shared;
}

function sortByComparing(buffer: Buffer, names: Uint32Array): void {
  const texts = Array.from(names, (start) => ({ start, text: bytesOf(buffer, start, buffer.indexOf(0, start)) }));
  texts.sort((one, other) => (one.text < other.text ? -1 : 1));
  for (const [place, { start }] of texts.entries()) names[place] = start;
}
