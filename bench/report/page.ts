/** docs/performance.md, written from the JSON of a run: targets first, met or not, then all figures and how they came about. */
import { type Report, judge } from "./report.ts";
import {
  type Table,
  cpuTable,
  groupsOf,
  mainTable,
  markdown,
  memoryTable,
  problems,
  resumptions,
  serversOf,
} from "./tables.ts";

export function page(found: Report): string {
  const servers = serversOf(found);
  const sections = groupsOf(found).map(({ heading, rows }) => {
    const cpu = cpuTable(servers, rows);
    const more = cpu.length === 0 ? [] : ["", markdown(cpu)];
    const tls = resumptions(servers, rows);
    if (tls !== undefined) more.push("", tls);
    return [`### ${heading}`, "", markdown(mainTable(servers, rows)), ...more, ""].join("\n");
  });
  const reasons = [...absences(found), ...problems(found)];
  return [
    "# Performance",
    "",
    `<!-- Written by \`npm run bench -- --page\` from performance.json: do not edit. -->`,
    "",
    `Ferryman beside the servers that people use, on one machine, on ${found.date.slice(0, 10)}. ${summary(found)}`,
    "",
    "`ferryman` is as it comes, with one worker for each processor; `ferryman-1` has one worker; `raw` is a bare sender or receiver in C without FTP, for a measure and no ceiling: other buffers can be faster; – means that there is no figure, and below is why. How it was measured stands at the end.",
    "",
    "![Bars for each server: the longer, the better](performance.svg)",
    "",
    "## Targets",
    "",
    "Against the best peer of the same run, whichever it is. 2 × is twice as good as that peer, whatever the unit; only of CPU seconds less is better.",
    "",
    markdown(targetTable(found).map((line) => line.map((text) => (text === MISSED ? `**${text}**` : text)))),
    "",
    "## Figures",
    "",
    'Medians of all rounds. "To best" and "to raw" say how many times as good `ferryman` is. CPU seconds are those of all processes of a server, user and system, with their logins.',
    "",
    ...sections,
    "### Memory while they work",
    "",
    "The most that was seen, in MiB, in a round of its own before those that are timed, as looking takes time of the server; what processes share is counted once (PSS). Buffers of sockets are the kernel's and not in it.",
    "",
    markdown(memoryTable(servers, found.rows)),
    "",
    "## What has no figure, and why",
    "",
    ...(reasons.length === 0 ? ["Everything has one."] : reasons.map((reason) => `- ${reason}`)),
    "",
    ...how(found),
  ].join("\n");
}

function summary({ rows }: Report): string {
  const verdicts = rows.flatMap((row) => row.targets.map((aim) => judge(row, aim).met));
  const met = verdicts.filter((each) => each === true).length;
  const missed = verdicts.filter((each) => each === false).length;
  const open = verdicts.length - met - missed;
  return `Of ${verdicts.length} targets ${met} are met and ${missed} are missed${open === 0 ? "" : `; ${open} could not be judged`}.`;
}

const MISSED = "missed";

/** A row for each target. */
export function targetTable({ rows }: Report): Table {
  const lines = rows.flatMap((row) =>
    row.targets.map((aim) => {
      const { aim: wanted, found, met } = judge(row, aim);
      const verdict = met === undefined ? "not judged" : met ? "met" : MISSED;
      return [row.title, wanted, found, verdict, met === false ? (aim.remark ?? "") : ""];
    }),
  );
  return [["workload", "target", "found", "", "why"], ...lines];
}

function absences({ servers }: Report): readonly string[] {
  return servers.flatMap(({ name, absent }) => (absent === undefined ? [] : [`${name}: ${absent}`]));
}

function how({ machine, conditions, servers, rounds, seconds, quick, date }: Report): readonly string[] {
  return [
    "## How this was measured",
    "",
    `${quick ? "`npm run bench -- --quick`" : "`npm run bench`"}, up to ${rounds} rounds (the JSON has each figure of each round), ${Math.round(seconds / 60)} minutes, ended ${date}.`,
    "",
    ...Object.entries(machine).map(([what, text]) => `- ${what}: ${text}`),
    ...conditions.map((text) => `- ${text}`),
    "",
    "### The servers",
    "",
    markdown([["server", "version", "set-up"], ...servers.map(({ name, version, setup }) => [name, version, setup])]),
    "",
    "### To repeat it",
    "",
    "```sh",
    "sudo npm run bench                 # all of it; without root the servers that need it are left out",
    "npm run bench -- --quick           # a part of it, in 2 minutes",
    "npm run bench -- --only a,d-retr-1 # groups or rows",
    "npm run bench -- --check           # fails when a ratio is more than 20 % below the one on this page",
    "```",
    "",
  ];
}
