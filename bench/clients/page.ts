/** docs/performance-client.md, written from the JSON of a run: targets first, met or not, then figures, then what connects. */
import { shown, times } from "../report/report.ts";
import { type Table, isNotOffered, markdown, noFigure, present, reasonsOf, roundsOf } from "../report/tables.ts";
import { boldMissed, gaps, howMeasured, verdictSummary, verdictTable } from "../report/verdicts.ts";
import {
  type ClientReport,
  type ClientRow,
  type Connection,
  type Figure,
  bestRival,
  figureOf,
  judge,
  ratioToBest,
} from "./report.ts";
import { GROUPS } from "./tasks.ts";

export function clientPage(found: ClientReport): string {
  const clients = clientsOf(found);
  const sections = groupsOf(found).flatMap(({ heading, rows }) => [
    `### ${heading}`,
    "",
    markdown(wallTable(clients, rows)),
    "",
    markdown(costTable(clients, rows, "cpu")),
    "",
    markdown(costTable(clients, rows, "peakMib")),
    "",
  ]);
  return [
    "# Performance of the client",
    "",
    "<!-- Written by `npm run bench -- --clients --page` from performance-client.json: do not edit. -->",
    "",
    `\`ferryman get\`, \`put\`, \`mirror\` and \`ls\` beside the clients that people use, from and to the same servers on one machine, on ${found.date.slice(0, 10)}. ${verdictSummary(found.rows, judge)}`,
    "",
    "Less is better in all tables. – means that there is no figure, and below is why. How it was measured stands at the end.",
    "",
    "## Targets",
    "",
    "The best rival is the fastest of the same run, whichever it is; 2 × as fast is half of its time.",
    "",
    boldMissed(targetTable(found)),
    "",
    "## Figures",
    "",
    "Medians of all rounds, of whole runs of the command: with its start, its login and its end. CPU seconds are user and system, of all its processes; memory is the most that one of them held.",
    "",
    ...sections,
    "## What connects",
    "",
    "The client lists, downloads and uploads, each twice and whole, by one data mode alone. What the command line does by itself is to try the next mode when one fails.",
    "",
    markdown(connectionTable(found.connections)),
    "",
    ...gaps(found.clients, problems(found)),
    ...how(found),
  ].join("\n");
}

export function clientsOf({ clients }: ClientReport): readonly string[] {
  return present(clients);
}

export function groupsOf({ rows }: ClientReport): readonly { heading: string; rows: readonly ClientRow[] }[] {
  return Object.entries(GROUPS)
    .map(([name, heading]) => ({ heading, rows: rows.filter(({ group }) => group === name) }))
    .filter((group) => group.rows.length > 0);
}

/** Medians on the clock, and the ratio of ours to the best rival. */
export function wallTable(clients: readonly string[], rows: readonly ClientRow[]): Table {
  const lines = rows.map((row) => {
    const figures = clients.map((name) => figure(row, name, "values"));
    return [row.title, row.unit, roundsOf(row), ...figures, bestRival(row)?.name ?? "–", times(ratioToBest(row))];
  });
  return [["workload", "unit", "rounds", ...clients, "best rival", "to best"], ...lines];
}

export function costTable(clients: readonly string[], rows: readonly ClientRow[], which: "cpu" | "peakMib"): Table {
  const lines = rows.map((row) => [
    row.title,
    which === "cpu" ? row.cpuUnit : "MiB of memory",
    ...clients.map((name) => figure(row, name, which)),
  ]);
  return [["workload", "unit", ...clients], ...lines];
}

function figure(row: ClientRow, client: string, which: Figure): string {
  const value = figureOf(row, client, which);
  return value === undefined ? noFigure(row.cells.find((each) => each.client === client)?.problem) : shown(value);
}

export function targetTable({ rows }: ClientReport): Table {
  return verdictTable(rows, judge);
}

export function connectionTable(connections: readonly Connection[]): Table {
  const modes = Object.keys(connections[0]?.modes ?? {});
  const lines = connections.map((each) => [
    each.server,
    each.security,
    ...modes.map((mode) => each.modes[mode] ?? "–"),
  ]);
  return [["server", "security", ...modes.map((mode) => mode.toUpperCase())], ...lines];
}

/** Why there are no figures, once for each reason; what a client does not have is in the tables. */
export function problems({ rows }: ClientReport): readonly string[] {
  const cells = rows.flatMap((row) =>
    row.cells.map(({ client, problem }) => ({ who: client, title: row.title, problem })),
  );
  return reasonsOf(cells.filter(({ problem }) => !isNotOffered(problem)));
}

function how(found: ClientReport): readonly string[] {
  return howMeasured(found, {
    command: `npm run bench -- --clients${found.quick ? " --quick" : ""}`,
    who: "client",
    entrants: found.clients,
    again: [
      "sudo npm run bench -- --clients         # all of it, in 15 minutes; without root only from our own server",
      "npm run bench -- --clients --quick      # a part of it, in 2 minutes",
      "npm run bench -- --clients --only a,e   # groups or rows",
    ],
  });
}
