/** docs/performance-client.md, written from the JSON of a run: targets first, met or not, then figures, then what connects. */
import { shown, times } from "../report/report.ts";
import { type Table, markdown } from "../report/tables.ts";
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
  const reasons = [...absences(found), ...problems(found)];
  return [
    "# Performance of the client",
    "",
    "<!-- Written by `npm run bench -- --clients --page` from performance-client.json: do not edit. -->",
    "",
    `\`ferryman get\`, \`put\`, \`mirror\` and \`ls\` beside the clients that people use, from and to the same servers on one machine, on ${found.date.slice(0, 10)}. ${summary(found)}`,
    "",
    "Less is better in all tables. – means that there is no figure, and below is why. How it was measured stands at the end.",
    "",
    "## Targets",
    "",
    "The best rival is the fastest of the same run, whichever it is; 2 × as fast is half of its time.",
    "",
    markdown(targetTable(found).map((line) => line.map((text) => (text === MISSED ? `**${text}**` : text)))),
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
    "## What has no figure, and why",
    "",
    ...(reasons.length === 0 ? ["Everything has one."] : reasons.map((reason) => `- ${reason}`)),
    "",
    ...how(found),
  ].join("\n");
}

export function clientsOf({ clients }: ClientReport): readonly string[] {
  return clients.filter(({ absent }) => absent === undefined).map(({ name }) => name);
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

function roundsOf({ cells }: ClientRow): string {
  const many = cells.map(({ values }) => values.length).filter((count) => count > 0);
  if (many.length === 0) return "–";
  const [fewest, most] = [Math.min(...many), Math.max(...many)];
  return fewest === most ? String(most) : `${fewest} to ${most}`;
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
  if (value !== undefined) return shown(value);
  const problem = row.cells.find((each) => each.client === client)?.problem;
  return problem?.startsWith("not offered") === true ? "not offered" : "–";
}

const MISSED = "missed";

export function targetTable({ rows }: ClientReport): Table {
  const lines = rows.flatMap((row) =>
    row.targets.map((target) => {
      const { aim, found, met } = judge(row, target);
      const verdict = met === undefined ? "not judged" : met ? "met" : MISSED;
      return [row.title, aim, found, verdict, met === false ? (target.remark ?? "") : ""];
    }),
  );
  return [["workload", "target", "found", "", "why"], ...lines];
}

function summary({ rows }: ClientReport): string {
  const verdicts = rows.flatMap((row) => row.targets.map((target) => judge(row, target).met));
  const met = verdicts.filter((each) => each === true).length;
  const missed = verdicts.filter((each) => each === false).length;
  const open = verdicts.length - met - missed;
  return `Of ${verdicts.length} targets ${met} are met and ${missed} are missed${open === 0 ? "" : `; ${open} could not be judged`}.`;
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

function absences({ clients }: ClientReport): readonly string[] {
  return clients.flatMap(({ name, absent }) => (absent === undefined ? [] : [`${name}: ${absent}`]));
}

/** Why there are no figures, once for each reason; what a client does not have is in the tables. */
export function problems({ rows }: ClientReport): readonly string[] {
  const found = new Map<string, string[]>();
  for (const row of rows) {
    for (const { client, problem } of row.cells) {
      if (problem === undefined || problem.startsWith("not offered")) continue;
      const key = `${client}: ${problem}`;
      found.set(key, [...(found.get(key) ?? []), row.title]);
    }
  }
  return [...found].map(([key, titles]) => `${key} (${titles.join("; ")})`);
}

function how({ machine, conditions, clients, rounds, seconds, quick, date }: ClientReport): readonly string[] {
  const command = `npm run bench -- --clients${quick ? " --quick" : ""}`;
  return [
    "## How this was measured",
    "",
    `\`${command}\`, up to ${rounds} rounds (the JSON has each figure of each round), ${Math.round(seconds / 60)} minutes, ended ${date}.`,
    "",
    ...Object.entries(machine).map(([what, text]) => `- ${what}: ${text}`),
    ...conditions.map((text) => `- ${text}`),
    "",
    "### The clients",
    "",
    markdown([["client", "version", "set-up"], ...clients.map(({ name, version, setup }) => [name, version, setup])]),
    "",
    "### To repeat it",
    "",
    "```sh",
    "sudo npm run bench -- --clients         # all of it, in 15 minutes; without root only from our own server",
    "npm run bench -- --clients --quick      # a part of it, in 2 minutes",
    "npm run bench -- --clients --only a,e   # groups or rows",
    "```",
    "",
  ];
}
