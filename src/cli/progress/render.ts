/** The lines of progress as text, and how a terminal replaces the ones before: pure functions of figures and sizes. */
import { widthOf } from "../columns.ts";
import { padded, shownName, shownRate, shownSize, shownTime } from "./figures.ts";

/** Columns from which a line has a bar, and from which it has rate and time at all. */
const BAR_FROM = 64;
const RATE_FROM = 44;
/** Columns of a bar, brackets left out. */
const BAR_LEAST = 10;
const BAR_MOST = 40;
/** Columns of "12.3 MiB/s" and of "23:59:59". */
const RATE_COLUMNS = 10;
const TIME_COLUMNS = 8;
/** Columns that "100%" or "12.3 MiB" take. */
const DONE_COLUMNS = 8;
const GAP = "  ";
/** Rows of a terminal that are left for what stands above. */
const ROWS_LEFT = 2;

export type ShownFile = {
  readonly name: string;
  /** Octets of this call, those that were there before left out. */
  readonly bytes: number;
  readonly resumedAt: number;
  readonly total: number | undefined;
  /** Octets per second. */
  readonly rate: number | undefined;
};

/** All of a run together. */
export type ShownTotals = {
  /** Files that have ended, and those that there will be where it is known. */
  readonly ended: number;
  readonly files: number | undefined;
  readonly failed: number;
  /** Octets moved, and all that there are where it is known. */
  readonly bytes: number;
  readonly total: number | undefined;
  readonly rate: number | undefined;
};

export type Screen = { readonly columns: number; readonly rows: number };

/** One active file: `report.pdf  [#####-----]  50%  12.3 MiB/s  0:42`. At most `width` columns. */
export function fileLine(file: ShownFile, width: number): string {
  const there = file.resumedAt + file.bytes;
  return line({ label: file.name, there, total: file.total, left: secondsLeft(file), rate: file.rate }, width);
}

/** All files together: `Total 3/40 files, 1 failed  [##---]  20%  12.3 MiB/s  0:42`. At most `width` columns. */
export function totalLine(totals: ShownTotals, width: number): string {
  const { ended, files, failed, bytes, total, rate } = totals;
  const count = files === undefined ? `${ended} done` : `${ended}/${files} files`;
  const label = `Total ${count}${failed === 0 ? "" : `, ${failed} failed`}`;
  return line({ label, there: bytes, total, left: secondsLeft({ bytes, total, rate, resumedAt: 0 }), rate }, width);
}

type Columns = {
  readonly label: string;
  readonly there: number;
  readonly total: number | undefined;
  readonly left: number | undefined;
  readonly rate: number | undefined;
};

function line({ label, there, total, left, rate }: Columns, width: number): string {
  const part = total === undefined ? undefined : total === 0 ? 1 : Math.min(1, there / total);
  // 100 % is said when it is all there, not when it is nearly.
  const done = part === undefined ? shownSize(there) : `${Math.floor(part * 100)}%`;
  let right = GAP + done.padStart(DONE_COLUMNS);
  if (width >= RATE_FROM) {
    right += GAP + shownRate(rate).padStart(RATE_COLUMNS) + GAP + shownTime(left).padStart(TIME_COLUMNS);
  }
  if (width >= BAR_FROM) right = GAP + bar(part, width) + right;
  const room = width - right.length;
  if (room < 1) return done.slice(0, Math.max(0, width));
  return padded(shownName(label, room), room) + right;
}

function bar(part: number | undefined, width: number): string {
  const columns = Math.min(BAR_MOST, Math.max(BAR_LEAST, Math.floor(width / 5)));
  const full = part === undefined ? 0 : Math.floor(part * columns);
  return `[${"#".repeat(full)}${(part === undefined ? " " : "-").repeat(columns - full)}]`;
}

function secondsLeft({ bytes, resumedAt, total, rate }: Omit<ShownFile, "name">): number | undefined {
  if (total === undefined || rate === undefined) return undefined;
  const missing = total - resumedAt - bytes;
  if (missing <= 0) return 0;
  return rate > 0 ? missing / rate : undefined;
}

/** A file that has ended well: `report.pdf  1.20 GiB in 0:12, 102 MiB/s`. @param ms for this call. */
export function doneLine(file: ShownFile & { readonly ms: number }, width = Infinity): string {
  const rate = file.ms > 0 ? (file.bytes / file.ms) * 1_000 : undefined;
  const resumed = file.resumedAt > 0 ? `, resumed at ${shownSize(file.resumedAt)}` : "";
  const took = file.ms < 1_000 ? `${Math.round(file.ms)} ms` : shownTime(file.ms / 1_000);
  const facts = `${GAP}${shownSize(file.bytes)} in ${took}, ${shownRate(rate)}${resumed}`;
  // The facts are whole also where that takes two rows: this line scrolls up and is not drawn again.
  return shownName(file.name, Math.max(BAR_LEAST, width - facts.length)) + facts;
}

/** A file that has failed. @param message for people, without control characters. */
export function failedLine(file: ShownFile, message: string): string {
  const moved = file.bytes > 0 ? ` after ${shownSize(file.bytes)}` : "";
  return `${shownName(file.name, Infinity)}${GAP}failed${moved}: ${message}`;
}

/** A long transfer where there is no terminal: `report.pdf  50% of 2.40 GiB, 102 MiB/s, 0:12 left`. */
export function plainLine(file: ShownFile): string {
  const there = file.resumedAt + file.bytes;
  const done =
    file.total === undefined || file.total === 0
      ? shownSize(there)
      : `${Math.floor(Math.min(1, there / file.total) * 100)}% of ${shownSize(file.total)}`;
  const left = secondsLeft(file);
  const time = left === undefined ? "" : `, ${shownTime(left)} left`;
  return `${shownName(file.name, Infinity)}${GAP}${done}, ${shownRate(file.rate)}${time}`;
}

/** The block of active lines: at most the screen's rows less two, each narrower than the screen. */
export function activeLines(
  files: readonly ShownFile[],
  totals: ShownTotals,
  { columns, rows }: Screen,
): readonly string[] {
  if (files.length === 0) return [];
  // A letter in the last column makes some terminals go to the next row.
  const width = Math.max(1, columns - 1);
  const most = Math.max(1, rows - ROWS_LEFT);
  const hasTotal = files.length > 1 || (totals.files ?? 0) > 1;
  if (!hasTotal) return files.map((file) => fileLine(file, width));
  const total = totalLine(totals, width);
  if (most === 1) return [total];
  if (files.length + 1 <= most) return [...files.map((file) => fileLine(file, width)), total];
  const shown = files.slice(0, Math.max(0, most - 2));
  const more = shownName(`and ${files.length - shown.length} more`, width);
  return [...shown.map((file) => fileLine(file, width)), more, total];
}

/**
 * What goes to the terminal so that `lines` stand where `before` stood, with `above` written over them for good. The
 * cursor stays behind the last line.
 * @param columns now: a terminal that became narrower has broken the lines before into several rows.
 */
export function redrawn(
  { before, above, lines }: Record<"before" | "above" | "lines", readonly string[]>,
  columns: number,
): string {
  const rows = before.reduce((sum, each) => sum + Math.max(1, Math.ceil(widthOf(each) / Math.max(1, columns))), 0);
  const up = rows > 1 ? `\x1b[${rows - 1}A` : "";
  const cleared = rows > 0 ? `\r${up}\x1b[J` : "";
  return cleared + above.map((each) => `${each}\n`).join("") + lines.join("\n");
}
