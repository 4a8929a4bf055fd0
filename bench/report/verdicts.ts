/** Targets, met or missed, and figures that are missing, as the pages of servers and of clients tell them. */
import { type Table, markdown } from "./tables.ts";

export type Verdict = { readonly aim: string; readonly found: string; readonly met: boolean | undefined };

type Aimed<Aim> = { readonly targets: readonly Aim[] };
type Remarked = { readonly remark?: string | undefined };

const MISSED = "missed";

/** A line for each target. */
export function verdictTable<Aim extends Remarked, Row extends Aimed<Aim> & { readonly title: string }>(
  rows: readonly Row[],
  judge: (row: Row, aim: Aim) => Verdict,
): Table {
  const lines = rows.flatMap((row) =>
    row.targets.map((target) => {
      const { aim, found, met } = judge(row, target);
      const verdict = met === undefined ? "not judged" : met ? "met" : MISSED;
      return [row.title, aim, found, verdict, met === false ? (target.remark ?? "") : ""];
    }),
  );
  return [["workload", "target", "found", "", "why"], ...lines];
}

/** The same for the page, where what was missed stands out. */
export function boldMissed(targets: Table): string {
  return markdown(targets.map((line) => line.map((text) => (text === MISSED ? `**${text}**` : text))));
}

export function verdictSummary<Aim, Row extends Aimed<Aim>>(
  rows: readonly Row[],
  judge: (row: Row, aim: Aim) => Verdict,
): string {
  const verdicts = rows.flatMap((row) => row.targets.map((target) => judge(row, target).met));
  const met = verdicts.filter((each) => each === true).length;
  const missed = verdicts.filter((each) => each === false).length;
  const open = verdicts.length - met - missed;
  return `Of ${verdicts.length} targets ${met} are met and ${missed} are missed${open === 0 ? "" : `; ${open} could not be judged`}.`;
}

/** A run with the remarks of today: they are written when its figures are known. */
export function remarked<
  Aim extends Remarked,
  Found extends { readonly rows: readonly (Aimed<Aim> & { readonly id: string })[] },
>(found: Found, remarkOf: (id: string, aim: Aim) => string | undefined): Found {
  const rows = found.rows.map((row) => {
    const targets = row.targets.map((aim) => {
      const remark = remarkOf(row.id, aim);
      return remark === undefined ? aim : { ...aim, remark };
    });
    return { ...row, targets };
  });
  return { ...found, rows };
}

type Entrant = {
  readonly name: string;
  readonly version: string;
  readonly setup: string;
  readonly absent?: string | undefined;
};

/** The section of the page about those who are absent, and figures that are. */
export function gaps(entrants: readonly Entrant[], problems: readonly string[]): readonly string[] {
  const absences = entrants.flatMap(({ name, absent }) => (absent === undefined ? [] : [`${name}: ${absent}`]));
  const reasons = [...absences, ...problems];
  return [
    "## What has no figure, and why",
    "",
    ...(reasons.length === 0 ? ["Everything has one."] : reasons.map((reason) => `- ${reason}`)),
    "",
  ];
}

type About = {
  readonly machine: Readonly<Record<string, string>>;
  readonly conditions: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly date: string;
};
type Way = {
  readonly command: string;
  /** Those who were measured, in one word. */
  readonly who: "server" | "client";
  readonly entrants: readonly Entrant[];
  /** Lines for a shell. */
  readonly again: readonly string[];
};

/** The end of the page: how it came about, and how it does again. */
export function howMeasured(
  { machine, conditions, rounds, seconds, date }: About,
  { command, who, entrants, again }: Way,
): readonly string[] {
  return [
    "## How this was measured",
    "",
    `\`${command}\`, up to ${rounds} rounds (the JSON has each figure of each round), ${Math.round(seconds / 60)} minutes, ended ${date}.`,
    "",
    ...Object.entries(machine).map(([what, text]) => `- ${what}: ${text}`),
    ...conditions.map((text) => `- ${text}`),
    "",
    `### The ${who}s`,
    "",
    markdown([[who, "version", "set-up"], ...entrants.map(({ name, version, setup }) => [name, version, setup])]),
    "",
    "### To repeat it",
    "",
    "```sh",
    ...again,
    "```",
    "",
  ];
}
