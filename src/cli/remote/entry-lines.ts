/** Entries of a server for people and programs. */
import { styleText } from "node:util";
import type { Entry } from "../../client/types.ts";
import { printable } from "../columns.ts";
import { shownSize } from "../progress/figures.ts";

/** As `ls -l` begins a line. */
export const TYPE_LETTERS: Readonly<Record<Entry["type"], string>> = {
  file: "-",
  directory: "d",
  link: "l",
  other: "?",
};

/** As JSON lines have it: stable names, times in RFC 3339. */
export function entryJson({
  name,
  path,
  type,
  size,
  roughSize,
  modified,
  mode,
  owner,
  group,
  target,
}: Entry): Record<string, unknown> {
  return {
    v: 1,
    path,
    name,
    type,
    size: size ?? null,
    roughSize: roughSize ?? null,
    modified: modified === undefined ? null : new Date(modified.ms).toISOString(),
    precision: modified?.precision ?? null,
    zone: modified?.zone ?? null,
    mode: mode === undefined ? null : mode.toString(8).padStart(4, "0"),
    owner: owner ?? null,
    group: group ?? null,
    target: target ?? null,
  };
}

/** A name for a terminal: folders end in `/`, links in `@`. */
export function shownEntry({ name, type }: Entry, stream: NodeJS.WritableStream): string {
  const text = printable(name);
  if (type === "directory") return `${styleText("blue", text, { stream })}/`;
  return type === "link" ? `${styleText("cyan", text, { stream })}@` : text;
}

/** `-rw-r--r-- ann users 1.20 MiB 2026-01-31 12:00 name`, as far as the server says it. */
export function longCells(entry: Entry, stream: NodeJS.WritableStream): readonly string[] {
  const { type, mode, owner = "", group = "", target } = entry;
  const bits = mode === undefined ? "?????????" : bitsOf(mode);
  const link = target === undefined ? "" : ` -> ${printable(target)}`;
  return [
    `${TYPE_LETTERS[type]}${bits}`,
    printable(owner),
    printable(group),
    sizeOf(entry),
    shownTime(entry),
    `${shownEntry(entry, stream)}${link}`,
  ];
}

/** `~` marks what is rounded by the server. */
function sizeOf({ size, roughSize }: Entry): string {
  if (size !== undefined) return shownSize(size);
  return roughSize === undefined ? "" : `~${shownSize(roughSize)}`;
}

/** Octets for sums and orders, where it need not be exact. */
export function aboutSize({ size, roughSize }: Entry): number | undefined {
  return size ?? roughSize;
}

/** `rw-r--r--` */
export function bitsOf(mode: number): string {
  return Array.from("rwxrwxrwx", (letter, at) => ((mode >> (8 - at)) & 1 ? letter : "-")).join("");
}

/** In UTC to the precision that the server gives; `~` where its time zone was not known. */
export function shownTime({ modified }: Pick<Entry, "modified">): string {
  if (modified === undefined) return "";
  const text = new Date(modified.ms).toISOString();
  const mark = modified.zone === "utc" ? "" : "~";
  if (modified.precision === "day") return `${text.slice(0, 10)}${mark}`;
  return `${text.slice(0, 16).replace("T", " ")}${mark}`;
}
