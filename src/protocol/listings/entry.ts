/** What a line of a listing says, in whatever form it came. */
import type { ByteString } from "../../base/bytes.ts";
import { joined } from "../octets.ts";

export type ListedTime = {
  /** Since 1970, read as if the server's clock were UTC. */
  readonly ms: number;
  readonly precision: "second" | "minute" | "day";
  /** "utc": the listing itself says so. "server": in the zone of the server, which LIST does not tell. */
  readonly zone: "utc" | "server";
};

/** "this" and "parent": the folder that is listed and the one above it (cdir and pdir of RFC 3659 §7.5.1, `.` and `..`). */
export type ListedType = "file" | "directory" | "link" | "other" | "this" | "parent";

export type ListedEntry = {
  /** The octets as they stand: nothing has looked yet whether they make a safe name (`unsafeName`). */
  readonly name: ByteString;
  readonly type: ListedType;
  /** Octets of a file; absent where the server counts in something else, and above 2^53-1. */
  readonly size?: number | undefined;
  /** Octets where they are rounded or of something more than the file: for people, never to compare. Absent where `size` is known. */
  readonly roughSize?: number | undefined;
  readonly time?: ListedTime | undefined;
  /** Unix permission bits. */
  readonly mode?: number | undefined;
  readonly owner?: ByteString | undefined;
  readonly group?: ByteString | undefined;
  /** Of a link: where it leads, as the server says it. */
  readonly target?: ByteString | undefined;
  /** The facts `unique` and `perm` (RFC 3659 §7.5). */
  readonly unique?: ByteString | undefined;
  readonly perm?: ByteString | undefined;
};

/** Of VMS: an entry, or without facts a name whose facts stand on the next line. */
export type VmsEntry = {
  readonly versioned: string;
  readonly facts: Omit<ListedEntry, "name" | "type"> | undefined;
};

/** What a format may remember from one line to the next: as much as a line or two, however long the listing. */
export type ListingState = {
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  /** The heading that was seen last, of formats whose lines mean nothing without it. */
  heading?: "datasets" | "members" | "modules" | "jobs" | undefined;
  /** A day above 12 stood first in a date with `/`: so it does in those that could be read both ways. */
  isDayFirst: boolean;
  /** Not given back yet. */
  awaited?: VmsEntry | undefined;
  /** Of VMS: the name before, without its version. */
  unversioned?: string | undefined;
};

/**
 * Reads one line.
 * @returns "ignored" for what belongs to this format and names nothing; undefined for a line that is not of this format.
 */
export type Format = (line: ByteString, state: ListingState) => ListedEntry | "ignored" | undefined;

const OWN_NAMES: ReadonlyMap<string, "this" | "parent"> = new Map([
  [".", "this"],
  ["..", "parent"],
]);

/** @param name with its folder's `/` behind it, if the server writes one. @returns undefined without a name. */
export function listedEntry(
  name: string,
  type: "file" | "directory" | "link" | "other",
  rest: Omit<ListedEntry, "name" | "type"> = {},
): ListedEntry | undefined {
  const isMarked = name.length > 1 && name.endsWith("/") && type === "directory";
  const plain = isMarked ? name.slice(0, -1) : name;
  if (plain === "") return undefined;
  const own = OWN_NAMES.get(plain) ?? type;
  const { size, roughSize, ...more } = rest;
  const isFile = own === "file";
  return {
    ...more,
    name: joined(plain),
    type: own,
    size: isFile ? size : undefined,
    ...(isFile && roughSize !== undefined && { roughSize }),
  };
}
