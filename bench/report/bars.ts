/** A picture of a run: for each of some workloads a bar for each server, as long as it is good. */
import { OURS, type Report, type ReportRow, cellOf, shown } from "./report.ts";
import { serversOf } from "./tables.ts";

/** The rows that say most; those that a run has not are left out. */
const SHOWN = ["a-1", "a-4", "b-disk-1", "c-retr-1", "d-retr-1", "d-stor-16", "e-64", "f-list-many", "g-10000"];
/** Pixels. */
const [COLUMNS, CELL_WIDTH, GAP, LINE, NAME_WIDTH, FIGURE_WIDTH] = [3, 300, 24, 15, 88, 56];
/** Pixels above the first chart, from a chart's title to its unit, and to its first bar. */
const [TOP, UNIT, HEADING] = [64, 16, 38];
const [OUR_COLOUR, PEER_COLOUR, TEXT] = ["#0b6bcb", "#9aa5b1", "#1f2933"];

const LEGEND =
  "Blue: Ferryman as it comes, and with one worker. Where less is better, a bar of half the length is a figure of twice the size.";

export function bars(found: Report): string {
  const rows = SHOWN.flatMap((id) => found.rows.find((row) => row.id === id) ?? []);
  const servers = serversOf(found);
  const height = HEADING + servers.length * LINE + GAP;
  const width = COLUMNS * (CELL_WIDTH + GAP) + GAP;
  const whole = TOP + Math.ceil(rows.length / COLUMNS) * height;
  const title = `Ferryman beside other FTP servers, ${found.date.slice(0, 10)}: the longer the bar, the better`;
  const charts = rows.map((row, at) => {
    const [x, y] = [GAP + (at % COLUMNS) * (CELL_WIDTH + GAP), TOP + Math.floor(at / COLUMNS) * height];
    return `<g transform="translate(${x} ${y})">${chart(row, servers)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${whole}" viewBox="0 0 ${width} ${whole}" font-family="sans-serif" font-size="11" fill="${TEXT}">`,
    `<title>${title}</title>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text font-size="14" x="${GAP}" y="24">${title}</text>`,
    `<text x="${GAP}" y="41">${LEGEND}</text>`,
    ...charts,
    "</svg>",
    "",
  ].join("\n");
}

function chart(row: ReportRow, servers: readonly string[]): string {
  const goodness = (value: number): number => (row.better === "higher" ? value : 1 / value);
  const values = servers.map((name) => cellOf(row, name)?.value);
  const best = Math.max(...values.map((value) => (value === undefined ? 0 : goodness(value))));
  const room = CELL_WIDTH - NAME_WIDTH - FIGURE_WIDTH;
  const lines = servers.map((name, at) => {
    const value = values[at];
    const y = HEADING + at * LINE;
    const length = value === undefined || best === 0 ? 0 : Math.max(1, (goodness(value) / best) * room);
    const colour = name.startsWith(OURS) ? OUR_COLOUR : PEER_COLOUR;
    const bar = `<rect x="${NAME_WIDTH}" y="${y - 9}" width="${length.toFixed(1)}" height="11" fill="${colour}"/>`;
    const figure = value === undefined ? "–" : shown(value);
    return `<text x="${NAME_WIDTH - 5}" y="${y}" text-anchor="end">${escaped(name)}</text>${bar}<text x="${(NAME_WIDTH + length + 4).toFixed(1)}" y="${y}">${figure}</text>`;
  });
  const unit = row.better === "higher" ? row.unit : `${row.unit}: less is better`;
  return `<text font-weight="bold" y="6">${escaped(row.title)}</text><text y="${6 + UNIT}">${unit}</text>${lines.join("")}`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
