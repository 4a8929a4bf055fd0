/** Entries of the server as lines for people. */
import { printable } from "../../client/errors.ts";
import type { Entry, EntryTime } from "../../client/types.ts";
import { twoDigits } from "../../protocol/calendar.ts";
import { alignment } from "../columns.ts";
import { shownSize } from "../progress/figures.ts";
import { TYPE_LETTERS, bitsOf } from "../remote/entry-lines.ts";

/** `drwxr-xr-x  ann  staff  4096  2026-01-02 03:04  name`: times in the zone of this host. */
export function longLines(entries: readonly Entry[], { isHuman }: { readonly isHuman: boolean }): readonly string[] {
  const rows = entries.map((entry) => [
    letters(entry),
    printable(entry.owner ?? ""),
    printable(entry.group ?? ""),
    entry.size === undefined ? "" : isHuman ? shownSize(entry.size) : String(entry.size),
    shownModified(entry.modified),
    shownEntry(entry),
  ]);
  // Figures are read from their last digit.
  const widest = Math.max(0, ...rows.map((row) => row[3]?.length ?? 0));
  const aligned = rows.map((row) => row.map((cell, at) => (at === 3 ? cell.padStart(widest) : cell)));
  // A column that is empty everywhere is none.
  const used = [0, 1, 2, 3, 4, 5].filter((at) => aligned.some((row) => (row[at] ?? "").trim() !== ""));
  const cells = aligned.map((row) => used.map((at) => row[at] ?? ""));
  return cells.map(alignment(cells));
}

/** As `ls -F` marks folders and links, with where a link points. */
export function shownEntry({ name, type, target }: Entry): string {
  const shown = printable(name);
  if (type === "directory") return `${shown}/`;
  return type === "link" && target !== undefined ? `${shown} -> ${printable(target)}` : shown;
}

/** Local time, as precise as the server said it. */
export function shownModified(modified: EntryTime | undefined): string {
  if (modified === undefined) return "";
  const at = new Date(modified.ms);
  const day = `${at.getFullYear()}-${twoDigits(at.getMonth() + 1)}-${twoDigits(at.getDate())}`;
  return modified.precision === "day" ? day : `${day} ${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}`;
}

function letters({ type, mode }: Entry): string {
  return TYPE_LETTERS[type] + (mode === undefined ? "" : bitsOf(mode));
}

/** Names in as many columns as fit, read downwards. @param width columns of the terminal. */
export function columnLines(
  names: readonly string[],
  width: number,
  widthOf: (text: string) => number,
): readonly string[] {
  const widest = Math.max(1, ...names.map(widthOf)) + 2;
  const columns = Math.max(1, Math.floor(width / widest));
  const rows = Math.ceil(names.length / columns);
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_unused, column) => names[column * rows + row])
      .filter((name) => name !== undefined)
      .map((name) => name + " ".repeat(widest - widthOf(name)))
      .join("")
      .trimEnd(),
  );
}
