/**
 * Which names of two folders belong together. Names that differ in Unicode form alone (NFC, NFD) are the same to people
 * and to some file systems, and so are names that differ in case to others (complaint 25 of clients.md).
 */
import type { Item } from "./side.ts";

/** What stands under one name, on both sides. */
export type Pair = {
  readonly source: Item | undefined;
  readonly there: Item | undefined;
  /** More of the source that fall together with it: only one can be there. */
  readonly sourceTwins: readonly Item[];
  /** More at the other side; they are left alone. */
  readonly twinsThere: readonly Item[];
};

/** What equal names have in common. */
function keyOf(name: string, ignoreCase: boolean): string {
  const text = isAscii(name) ? name : name.normalize("NFC");
  return ignoreCase ? text.toLowerCase() : text;
}

function isAscii(name: string): boolean {
  // oxlint-disable-next-line no-control-regex -- ASCII is what is meant
  return /^[\0-\x7f]*$/.test(name);
}

type Keyed = { readonly key: string; readonly item: Item };

/** Walks two folders side by side, in the order of names. Sorts copies of the lists, which it holds while it walks. */
export function* pairsOf(source: readonly Item[], there: readonly Item[], ignoreCase: boolean): Generator<Pair> {
  const ours = sorted(source, ignoreCase);
  const theirs = sorted(there, ignoreCase);
  let our = 0;
  let their = 0;
  while (our < ours.length || their < theirs.length) {
    const key = smaller(ours[our]?.key, theirs[their]?.key);
    const ourEnd = endOf(ours, our, key);
    const theirEnd = endOf(theirs, their, key);
    yield pairOf(itemsOf(ours, our, ourEnd), itemsOf(theirs, their, theirEnd));
    our = ourEnd;
    their = theirEnd;
  }
}

function sorted(items: readonly Item[], ignoreCase: boolean): readonly Keyed[] {
  const keyed = items.map((item) => ({ key: keyOf(item.name, ignoreCase), item }));
  // oxlint-disable-next-line unicorn/no-array-sort -- the array is new, and another copy of a million names is not needed
  keyed.sort((one, other) => compare(one.key, other.key) || compare(one.item.name, other.item.name));
  return keyed;
}

/** By UTF-16 units: any order does as long as both sides have the same. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function smaller(one: string | undefined, other: string | undefined): string {
  if (one === undefined || other === undefined) return one ?? other ?? "";
  return one < other ? one : other;
}

function endOf(items: readonly Keyed[], start: number, key: string): number {
  let end = start;
  while (items[end]?.key === key) end++;
  return end;
}

function itemsOf(items: readonly Keyed[], start: number, end: number): readonly Item[] {
  return items.slice(start, end).map(({ item }) => item);
}

/** The one that is spelt alike on both sides comes first. */
function pairOf(ours: readonly Item[], theirs: readonly Item[]): Pair {
  if (ours.length < 2 && theirs.length < 2) {
    return { source: ours[0], there: theirs[0], sourceTwins: NONE, twinsThere: NONE };
  }
  const names = new Set(theirs.map(({ name }) => name));
  const source = ours.find(({ name }) => names.has(name)) ?? ours[0];
  const there = theirs.find(({ name }) => name === source?.name) ?? theirs[0];
  return {
    source,
    there,
    sourceTwins: ours.filter((item) => item !== source),
    twinsThere: theirs.filter((item) => item !== there),
  };
}

const NONE: readonly Item[] = [];
