/** Lines of LIST in the form of `ls -l`, which every client can read (RFC 959 §4.1.3 leaves the form open). */
import { type ByteString, bytesOfText } from "../base/bytes.ts";
import { calendarTime, twoDigits } from "./calendar.ts";
import { AHEAD_MS, OWNER_CACHE, RECENT_MS } from "./limits.ts";
import { joined } from "./octets.ts";

/** What a line is made of: an `Entry` of a storage is one. */
export type ListedFile = {
  readonly name: ByteString;
  readonly kind: "file" | "directory" | "link" | "other";
  /** Octets. */
  readonly size: number | bigint;
  /** Milliseconds since 1970 UTC. */
  readonly modified: number;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  /** Text; sent in UTF-8. */
  readonly owner: string;
  readonly group: string;
  readonly links: number;
  /** What a link points at. */
  readonly target?: ByteString;
};

/** `p`, a pipe, stands for everything that is neither file nor folder: a device's line would need its numbers. */
const KIND_LETTER = { file: "-", directory: "d", link: "l", other: "p" } as const;
/** One of each 4096 sets of permission bits, worked out when it is first met. */
const modes: string[] = [];
const owners = new Map<string, string>();
/** `hh:mm` of each minute of a day, worked out when it is first met. */
const clocks: string[] = [];

/** What entries of one folder mostly share: the columns before the size, and what they were made of. */
type Columns = Pick<ListedFile, "kind" | "mode" | "links" | "owner" | "group"> & { readonly text: string };
const NO_COLUMNS: Columns = { kind: "other", mode: -1, links: 0, owner: "", group: "", text: "" };
/** Those of the entry before, of folders and of everything else, as these take turns. */
let folderColumns = NO_COLUMNS;
let otherColumns = NO_COLUMNS;

/**
 * `-rw-r--r--   1 ann      staff        1234 Jan 31 12:34 name`, without line end; times in UTC, with the year instead of
 * the hour when older than half a year or more than a day ahead. Always one line: CR, LF and NUL in names become `?`;
 * every other octet stays, as clients send names back.
 * @param now milliseconds since 1970 UTC.
 */
export function formatListLine(file: ListedFile, now: number): ByteString {
  const { kind, size, modified } = file;
  const target = kind === "link" && file.target !== undefined ? ` -> ${oneLine(file.target)}` : "";
  return joined(
    `${columnsOf(file)}${`${size}`.padStart(8)} ${dateColumn(modified, now)} ${oneLine(file.name)}${target}`,
  );
}

function columnsOf(file: ListedFile): string {
  const { kind } = file;
  const last = kind === "directory" ? folderColumns : otherColumns;
  if (isLike(file, last)) return last.text;
  const { mode, links, owner, group } = file;
  const columns = { kind, mode, links, owner, group, text: columnsText(file) };
  if (kind === "directory") folderColumns = columns;
  else otherColumns = columns;
  return columns.text;
}

/** The columns of a line that stand before the size, with the space after them. */
export function columnsText({ kind, mode, links, owner, group }: Omit<Columns, "text">): string {
  const start = `${KIND_LETTER[kind]}${modeText(mode)} ${`${links}`.padStart(3)}`;
  return `${start} ${ownerColumn(owner)} ${ownerColumn(group)} `;
}

function isLike(file: ListedFile, { kind, mode, links, owner, group }: Columns): boolean {
  return (
    file.mode === mode && file.links === links && file.kind === kind && file.owner === owner && file.group === group
  );
}

function modeText(mode: number): string {
  return (modes[mode & 0o7777] ??=
    triad(mode >> 6, mode & 0o4000, "sS") + triad(mode >> 3, mode & 0o2000, "sS") + triad(mode, mode & 0o1000, "tT"));
}

/** @param letters for the special bit with and without the right to execute. */
function triad(bits: number, special: number, letters: "sS" | "tT"): string {
  const execute = (bits & 1) !== 0;
  const plain = execute ? "x" : "-";
  return `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${special === 0 ? plain : letters.charAt(execute ? 0 : 1)}`;
}

/** One word, as clients count columns. */
function ownerColumn(owner: string): string {
  const known = owners.get(owner);
  if (known !== undefined) return known;
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  const word = bytesOfText(owner).replace(/[\0- \x7f]/g, "_");
  const column = (word === "" ? "-" : word).padEnd(8);
  if (owners.size >= OWNER_CACHE) owners.clear();
  owners.set(owner, column);
  return column;
}

/** `Jan 31 12:34`, or `Jan 31  2024`: 12 octets. @param modified and `now`: milliseconds since 1970 UTC. */
export function dateColumn(modified: number, now: number): string {
  const { date, hours, minutes } = calendarTime(modified);
  const age = now - modified;
  const recent = age <= RECENT_MS && age >= -AHEAD_MS;
  if (!recent) return `${date.short} ${`${date.year}`.padStart(5)}`;
  return `${date.short} ${(clocks[hours * 60 + minutes] ??= `${twoDigits(hours)}:${twoDigits(minutes)}`)}`;
}

/** A name or text on one line. */
export function oneLine(name: ByteString): ByteString {
  // oxlint-disable-next-line no-control-regex -- the octets that end a line or a string (attack 57)
  return joined(name.replace(/[\0\r\n]/g, "?"));
}
