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
import { boldMissed, gaps, howMeasured, verdictSummary, verdictTable } from "./verdicts.ts";

export function page(found: Report): string {
  const servers = serversOf(found);
  const sections = groupsOf(found).map(({ heading, rows }) => {
    const cpu = cpuTable(servers, rows);
    const more = cpu.length === 0 ? [] : ["", markdown(cpu)];
    const tls = resumptions(servers, rows);
    if (tls !== undefined) more.push("", tls);
    return [`### ${heading}`, "", markdown(mainTable(servers, rows)), ...more, ""].join("\n");
  });
  return [
    "# Performance",
    "",
    `<!-- Written by \`npm run bench -- --page\` from performance.json: do not edit. -->`,
    "",
    `Ferryman beside the servers that people use, on one machine, on ${found.date.slice(0, 10)}. ${verdictSummary(found.rows, judge)}`,
    "",
    "`ferryman` is as it comes, with one worker for each processor; `ferryman-1` has one worker; `raw` is a bare sender or receiver in C without FTP, for a measure and no ceiling: other buffers can be faster; – means that there is no figure, and below is why. How it was measured stands at the end.",
    "",
    "![Bars for each server: the longer, the better](performance.svg)",
    "",
    "## Targets",
    "",
    "Against the best peer of the same run, whichever it is. 2 × is twice as good as that peer, whatever the unit; only of CPU seconds less is better.",
    "",
    boldMissed(targetTable(found)),
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
    ...gaps(found.servers, problems(found)),
    ...how(found),
  ].join("\n");
}

/** A row for each target. */
export function targetTable({ rows }: Report): Table {
  return verdictTable(rows, judge);
}

function how(found: Report): readonly string[] {
  return howMeasured(found, {
    command: `npm run bench${found.quick ? " -- --quick" : ""}`,
    who: "server",
    entrants: found.servers,
    again: [
      "sudo npm run bench                 # all of it; without root the servers that need it are left out",
      "npm run bench -- --quick           # a part of it, in 2 minutes",
      "npm run bench -- --only a,d-retr-1 # groups or rows",
      "npm run bench -- --check           # fails when a ratio is more than 20 % below the one on this page",
    ],
  });
}
