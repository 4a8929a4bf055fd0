/**
 * `ls -l` and what imitates it: Unix with all its variants, NetWare, NetPresenz and other servers of the Macintosh,
 * Connect:Enterprise, and servers on Windows that write as Unix does. The date tells where the name begins.
 */
import { joined } from "../octets.ts";
import { type FoundDate, unixDate } from "./dates.ts";
import { type Format, type ListedEntry, listedEntry } from "./entry.ts";
import { type Word, afterWord, exactNumber, isNumber, safe, textAt, wordsOf } from "./words.ts";

type Kind = "file" | "directory" | "link" | "other";
type Rights = {
  readonly kind: Kind;
  readonly mode: number | undefined;
  /** Whether the name stands in a column of its own, behind more than one space. */
  readonly isPadded: boolean;
  /** The word after the rights. */
  readonly next: number;
};
type Columns = Pick<ListedEntry, "size" | "roughSize" | "owner" | "group">;

/** Nine letters, then a mark of an ACL or the like, and the link count if it is wide. */
const RIGHTS = /^([-dlbcpsDnCmw?])([-rwxXsStTlLCE]{9})(?:[+.@*]?\d{0,9}|FTP)$/;
const NETWARE = /^([-d])(?:\[[-A-Z]{7,10}\])?$/;
const NETWARE_RIGHTS = /^\[[-A-Z]{7,10}\]$/;
/** `st_mode`, as some servers write it: two digits for the kind, four for the rights. */
const OCTAL = /^0?(0[1246]|1[024])([0-7]{4})$/;
const OCTAL_KINDS: Readonly<Record<string, Kind>> = { "04": "directory", "10": "file", "12": "link" };

const KINDS: Readonly<Record<string, Kind>> = { "-": "file", d: "directory", l: "link" };

/** The first line: how many blocks there are, in the languages of `ls`. */
const TOTAL =
  /^(?:total|insgesamt|totale|totaal|totalt|samtals|yhteens\S{1,4}|celkem|razem|spolu|suma|summa|toplam|\S{0,8}sszesen|[\x80-\xff]{4,30}[:\x20-\x7e]?)(?: of)? \d[\d.,]*[KMGT]?(?: files?.?)?$/i;

export const unixFormat: Format = (line, { now }) => {
  const words = wordsOf(line);
  const rights = rightsOf(words);
  if (rights === undefined) {
    if (line.length < 64 && TOTAL.test(line.trim())) return "ignored";
    return numericEntry(line, words);
  }
  const date = dateOf(words, rights.next, now);
  const last = words[(date?.next ?? 0) - 1];
  if (date === undefined || last === undefined) return undefined;
  const rest = afterWord(line, last);
  const name = rights.isPadded ? rest.trimStart() : rest.slice(date.gap);
  const columns = columnsOf(line, words.slice(rights.next, date.at), rights.kind);
  const { target, name: own } = rights.kind === "link" ? linkOf(name, columns.size) : { name, target: undefined };
  return listedEntry(own, rights.kind, { ...columns, time: date.time, mode: rights.mode, target });
};

/** Rights stand first, or after the number and the blocks of `ls -is`. */
function rightsOf(words: readonly Word[]): Rights | undefined {
  for (let at = 0; at < 3; at++) {
    const text = textAt(words, at);
    const found = RIGHTS.exec(text);
    if (found !== null) {
      const [, letter = "", letters = ""] = found;
      return { kind: KINDS[letter] ?? "other", mode: modeOf(letters), isPadded: false, next: at + 1 };
    }
    if (!isNumber(text)) break;
  }
  const [first, second] = [textAt(words, 0), textAt(words, 1)];
  const letter = NETWARE.exec(first)?.[1];
  const isApart = first.length === 1;
  if (letter === undefined || (isApart && !NETWARE_RIGHTS.test(second))) return undefined;
  return { kind: letter === "d" ? "directory" : "file", mode: undefined, isPadded: true, next: isApart ? 2 : 1 };
}

/** @returns undefined for letters that mean something else than on Unix. */
function modeOf(letters: string): number | undefined {
  if (/[CEXlL]/.test(letters)) return undefined;
  let mode = 0;
  for (let at = 0; at < 9; at++) {
    const letter = letters.charAt(at);
    const isSpecial = at % 3 === 2 && /[sStT]/.test(letter);
    if (letter !== "-" && letter !== "S" && letter !== "T") mode |= 0o400 >> at;
    if (isSpecial) mode |= 0o4000 >> ((at - 2) / 3);
  }
  return mode;
}

type PlacedDate = FoundDate & { readonly at: number };

/** The first date with a size before it; else the first date, for servers that leave the size out. */
function dateOf(words: readonly Word[], from: number, now: number): PlacedDate | undefined {
  return firstDate(words, from + 1, { now, isSized: true }) ?? firstDate(words, from, { now, isSized: false });
}

function firstDate(
  words: readonly Word[],
  from: number,
  { now, isSized }: { readonly now: number; readonly isSized: boolean },
): PlacedDate | undefined {
  for (let at = from; at < words.length; at++) {
    if (isSized && !isSize(textAt(words, at - 1))) continue;
    const date = unixDate(words, at, now);
    if (date !== undefined) return { ...date, at };
  }
  return undefined;
}

/** `1234`, `4.0K`, and the `8,0` of a device. */
function isSize(text: string): boolean {
  return text.length <= 40 && /^\d+(?:[.,]\d+)?[KMGTP]?i?B?$/i.test(text);
}

/** @param words between the rights and the date: link count, owner, group, size, and of a device two numbers. */
function columnsOf(line: string, words: readonly Word[], kind: Kind): Columns {
  const last = textAt(words, words.length - 1);
  const hasSize = isSize(last);
  const size = hasSize && kind !== "other" ? exactNumber(last) : undefined;
  const sizes = size === undefined && hasSize && kind === "file" ? { size, roughSize: shortened(last) } : { size };
  const isDevice = textAt(words, words.length - 2).endsWith(",");
  const owners = words.slice(0, words.length - (hasSize ? 1 : 0) - (isDevice ? 1 : 0));
  // NetPresenz of the Macintosh writes this in place of an owner.
  if (textAt(owners, 0) === "folder" || owners.length === 0) return sizes;
  if (areForks(owners, size)) return { size: undefined, roughSize: size };
  const hasLinks = isNumber(textAt(owners, 0)) && owners.length > 1;
  return { ...sizes, ...ownersOf(line, hasLinks ? owners.slice(1) : owners) };
}

/** Octets of the head of a resource fork: fewer are links to the file. */
const FORK_LEAST = 256;

/** NetPresenz tells the octets of both forks of a file and their sum: the data fork alone is what is sent. */
function areForks(owners: readonly Word[], sum: number | undefined): boolean {
  const forks = owners.map(({ text }) => exactNumber(text));
  const [resource, data] = forks;
  return forks.length === 2 && resource !== undefined && resource >= FORK_LEAST && sum === resource + (data ?? 0);
}

/** `4.0K`, `33,5k`: octets as `ls -h` rounds them. */
function shortened(text: string): number | undefined {
  const [, count = "", unit = ""] = /^([\d.,]{1,20})([KMGTP])/i.exec(text) ?? [];
  const octets = Number(count.replace(",", ".")) * 1024 ** ("kmgtp".indexOf(unit.toLowerCase()) + 1);
  return count === "" ? undefined : safe(Math.round(octets));
}

/** Two words are owner and group. More are two columns only where more than one space parts them once. */
function ownersOf(line: string, words: readonly Word[]): Pick<ListedEntry, "owner" | "group"> {
  const wide = words.flatMap(({ start }, index) => (index > 0 && line.charAt(start - 2) === " " ? [index] : []));
  const cut = words.length === 2 ? 1 : wide.length === 1 ? wide[0] : undefined;
  const between = (from: number, to: number): ListedEntry["owner"] =>
    joined(line.slice(words[from]?.start, words[to - 1]?.end));
  if (cut === undefined) return { owner: between(0, words.length) };
  return { owner: between(0, cut), group: between(cut, words.length) };
}

/** `name -> target`. Both may hold an arrow: then the size of a link, which is the length of its target, tells them apart. */
function linkOf(
  text: string,
  size: number | undefined,
): { readonly name: string; readonly target: ListedEntry["target"] } {
  const byLength = text.length - (size ?? 0) - ARROW.length;
  const isThere = size !== undefined && byLength > 0 && text.startsWith(ARROW, byLength);
  const at = isThere ? byLength : text.indexOf(ARROW);
  if (at < 1) return { name: text, target: undefined };
  return { name: text.slice(0, at), target: joined(text.slice(at + ARROW.length)) };
}

const ARROW = " -> ";

/** `0100644   500  101   12345    1706702400   name`: mode, owner, group, size and seconds since 1970 as numbers. */
function numericEntry(line: string, words: readonly Word[]): ListedEntry | undefined {
  const [mode = "", owner = "", group = "", size = "", seconds = ""] = words.slice(0, 5).map(({ text }) => text);
  const [, kind = "", bits] = OCTAL.exec(mode) ?? [];
  const last = words[4];
  if (bits === undefined || last === undefined || !/^\d{6,12}$/.test(seconds)) return undefined;
  if (![owner, group, size].every(isNumber)) return undefined;
  return listedEntry(afterWord(line, last).trimStart(), OCTAL_KINDS[kind] ?? "other", {
    size: exactNumber(size),
    time: { ms: Number(seconds) * 1000, precision: "second", zone: "utc" },
    mode: Number.parseInt(bits, 8),
    owner: joined(owner),
    group: joined(group),
  });
}
