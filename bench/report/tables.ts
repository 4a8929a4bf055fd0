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

/** Medians, the ratio of ours to the best peer, and to the bare limit. */
export function mainTable(servers: readonly string[], rows: readonly ReportRow[]): Table {
  const head = ["workload", "unit", ...servers, "best peer", "to it", "raw", "to it"];
  const lines = rows.map((row) => {
    const raw = cellOf(row, RAW);
    const figures = servers.map((name) => figureOf(cellOf(row, name)));
    return [
      row.title,
      row.unit,
      ...figures,
      bestPeer(row)?.server ?? "–",
      times(ratioToBest(row)),
      figureOf(raw),
      times(ratioTo(row, raw)),
    ];
  });
  return [head, ...lines];
}

/** CPU seconds of the servers per GiB, or per 1,000 operations. */
export function cpuTable(servers: readonly string[], rows: readonly ReportRow[]): Table {
  const head = ["workload", "CPU s per", ...servers, "to the thriftiest"];
  const lines = rows.flatMap((row) => {
    if (row.cells.every((cell) => cpuOf(cell) === undefined)) return [];
    const unit = row.cells.some(({ cpuPerGib }) => cpuPerGib !== undefined) ? "GiB" : "1,000";
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
  const found = new Map<string, string[]>();
  for (const row of rows) {
    for (const { server, problem } of row.cells) {
      if (problem === undefined) continue;
      const key = `${server}: ${problem}`;
      found.set(key, [...(found.get(key) ?? []), row.title]);
    }
  }
  return [...found].map(([key, titles]) => `${key} (${titles.join("; ")})`);
}

/** All servers with figures, ours first. */
export function serversOf({ servers }: Report): readonly string[] {
  return servers.filter(({ absent }) => absent === undefined).map(({ name }) => name);
}

function figureOf(cell: ReportCell | undefined): string {
  if (cell?.value !== undefined) return shown(cell.value);
  return cell?.problem?.startsWith("not offered") === true ? "not offered" : "–";
}

/** Columns as wide as their widest cell; the first one to the left, figures to the right. */
export function plain(table: Table): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0))).join("  ");
  return table.map(line).join("\n");
}

/** A figure, or why there is none. */
const FIGURE = /^(?:[\d.,]+(?: ×)?|–|not offered|)$/;

/** A table of Markdown: columns of figures to the right; the column that is ours stands out. */
export function markdown([head = [], ...lines]: Table): string {
  const bold = head.map((name) => (name === OURS ? `**${name}**` : name));
  const rule = head.map((_, at) => (lines.every((line) => FIGURE.test(line[at] ?? "")) ? "---:" : "---"));
  return [markdownRow(bold), markdownRow(rule), ...lines.map(markdownRow)].join("\n");
}

function markdownRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
