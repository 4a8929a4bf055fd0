/** The figures of a run as tables of text: rows of cells, which the terminal and the page print in their own way. */
import {
  OURS,
  RAW,
  type Report,
  type ReportCell,
  type ReportRow,
  bestPeer,
  cellOf,
  cpuOf,
  cpuRatio,
  ratioTo,
  ratioToBest,
  shown,
  times,
} from "./report.ts";

export type Table = readonly (readonly string[])[];

const GROUPS: Readonly<Record<string, string>> = {
  a: "Download of large files",
  b: "Upload of large files",
  c: "Large files over TLS 1.3, resumed",
  "c-small": "Small files over TLS 1.3, resumed",
  d: "Small files, one EPSV each",
  e: "Logins",
  f: "Listings",
  g: "Memory of idle sessions",
  h: "Answers while others are there",
  i: "A long way: 100 ms",
  j: "Start",
  k: "Conversions and digests",
};

/** @returns the groups of a run with their headings and rows, in order. */
export function groupsOf({
  rows,
}: Report): readonly { readonly heading: string; readonly rows: readonly ReportRow[] }[] {
  const names = [...new Set(rows.map(({ group }) => group))].toSorted();
  return names.map((name) => ({ heading: GROUPS[name] ?? name, rows: rows.filter(({ group }) => group === name) }));
}

/** Medians, the ratio of ours to the best peer, and, where one of the rows has it, to the bare limit. */
export function mainTable(servers: readonly string[], rows: readonly ReportRow[]): Table {
  const hasRaw = rows.some((row) => cellOf(row, RAW) !== undefined);
  const head = ["workload", "unit", "rounds", ...servers, "best peer", "to best", ...(hasRaw ? [RAW, "to raw"] : [])];
  const lines = rows.map((row) => {
    const raw = cellOf(row, RAW);
    const figures = servers.map((name) => figureOf(cellOf(row, name)));
    const best = [bestPeer(row)?.server ?? "–", times(ratioToBest(row))];
    return [
      row.title,
      row.unit,
      roundsOf(row),
      ...figures,
      ...best,
      ...(hasRaw ? [figureOf(raw), times(ratioTo(row, raw))] : []),
    ];
  });
  return [head, ...lines];
}

/** How many figures a median is of: the fewest and the most of all servers that have one. */
export function roundsOf({ cells }: { readonly cells: readonly { readonly values: readonly number[] }[] }): string {
  const many = cells.map(({ values }) => values.length).filter((count) => count > 0);
  if (many.length === 0) return "–";
  const [fewest, most] = [Math.min(...many), Math.max(...many)];
  return fewest === most ? String(most) : `${fewest} to ${most}`;
}

/** What is counted in a group. */
const OPERATIONS: Readonly<Record<string, string>> = {
  "c-small": "files",
  d: "files",
  e: "logins",
  f: "listings",
  i: "files",
};

/** CPU seconds of the servers per GiB, or per 1,000 operations. */
export function cpuTable(servers: readonly string[], rows: readonly ReportRow[]): Table {
  const head = ["workload", "CPU s per", ...servers, "to the thriftiest"];
  const lines = rows.flatMap((row) => {
    if (row.cells.every((cell) => cpuOf(cell) === undefined)) return [];
    const isBulk = row.cells.some(({ cpuPerGib }) => cpuPerGib !== undefined);
    const unit = isBulk ? "GiB" : `1,000 ${OPERATIONS[row.group] ?? "operations"}`;
    const each = servers.map((name) => {
      const cell = cellOf(row, name);
      const seconds = cell === undefined ? undefined : cpuOf(cell);
      return seconds === undefined ? "–" : seconds.toFixed(3);
    });
    return [[row.title, unit, ...each, times(cpuRatio(row))]];
  });
  return lines.length === 0 ? [] : [head, ...lines];
}

/** The most memory that was seen while a workload ran. */
export function memoryTable(servers: readonly string[], rows: readonly ReportRow[]): Table {
  const head = ["workload", ...servers];
  const lines = rows.flatMap((row) => {
    if (row.cells.every(({ peakMib }) => peakMib === undefined)) return [];
    const each = servers.map((name) => cellOf(row, name)?.peakMib?.toFixed(0) ?? "–");
    return [[row.title, ...each]];
  });
  return lines.length === 0 ? [] : [head, ...lines];
}

/** How many of a server's TLS handshakes resumed a session, in percent. Logins begin sessions: they are left out. */
export function resumptions(servers: readonly string[], rows: readonly ReportRow[]): string | undefined {
  const shares = servers.flatMap((name) => {
    const transfers = rows.filter(({ group }) => group !== "e");
    const cells = transfers.flatMap((row) => cellOf(row, name) ?? []).filter(({ handshakes = 0 }) => handshakes > 0);
    const sum = (of: (cell: ReportCell) => number | undefined): number =>
      cells.reduce((total, cell) => total + (of(cell) ?? 0), 0);
    const all = sum(({ handshakes }) => handshakes);
    return all === 0 ? [] : [`${name} ${((100 * sum(({ resumed }) => resumed)) / all).toFixed(0)} %`];
  });
  return shares.length === 0 ? undefined : `Data connections that resumed the session: ${shares.join(", ")}.`;
}

/** Why there are no figures, once for each reason. */
export function problems({ rows }: Report): readonly string[] {
  return reasonsOf(
    rows.flatMap(({ title, cells }) => cells.map(({ server, problem }) => ({ who: server, title, problem }))),
  );
}

type Gap = { readonly who: string; readonly title: string; readonly problem?: string | undefined };

/** Why there are no figures, once for each reason. */
export function reasonsOf(cells: readonly Gap[]): readonly string[] {
  const found = new Map<string, string[]>();
  for (const { who, title, problem } of cells) {
    if (problem === undefined) continue;
    const key = `${who}: ${problem}`;
    found.set(key, [...(found.get(key) ?? []), title]);
  }
  return [...found].map(([key, titles]) => `${key} (${titles.join("; ")})`);
}

/** All servers with figures, ours first. */
export function serversOf({ servers }: Report): readonly string[] {
  return present(servers);
}

/** The names of those that were there. */
export function present(
  entrants: readonly { readonly name: string; readonly absent?: string | undefined }[],
): readonly string[] {
  return entrants.filter(({ absent }) => absent === undefined).map(({ name }) => name);
}

function figureOf(cell: ReportCell | undefined): string {
  return cell?.value === undefined ? noFigure(cell?.problem) : shown(cell.value);
}

/** In the place of a figure. */
export function noFigure(problem: string | undefined): string {
  return isNotOffered(problem) ? "not offered" : "–";
}

/** Whether there is no figure because a server or client has no such thing. */
export function isNotOffered(problem: string | undefined): boolean {
  return problem?.startsWith("not offered") === true;
}

/** A figure, or why there is none. */
const FIGURE = /^(?:[\d.,]+(?: ×| to \d+)?|–|not offered)$/;

/** For each column, whether it is one of figures alone, which stand to the right. */
function figureColumns([head = [], ...lines]: Table): readonly boolean[] {
  return head.map((_, at) => lines.every((line) => FIGURE.test(line[at] ?? "")));
}

/** Columns as wide as their widest cell. */
export function plain(table: Table): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const isFigure = figureColumns(table);
  const cell = (text: string, at: number): string => {
    const width = widths[at] ?? 0;
    return isFigure[at] === true ? text.padStart(width) : text.padEnd(width);
  };
  return table.map((row) => row.map(cell).join("  ").trimEnd()).join("\n");
}

/** A table of Markdown: columns of figures to the right; the column that is ours stands out. */
export function markdown(table: Table): string {
  const [head = [], ...lines] = table;
  const bold = head.map((name) => (name === OURS ? `**${name}**` : name));
  const rule = figureColumns(table).map((isFigure) => (isFigure ? "---:" : "---"));
  return [markdownRow(bold), markdownRow(rule), ...lines.map(markdownRow)].join("\n");
}

function markdownRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
