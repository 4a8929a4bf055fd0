/** What a run has found, as the JSON file holds it, and the ratios that follow from it. */
import { z } from "zod";
import { type Target, target } from "../workload.ts";
import type { Verdict } from "./verdicts.ts";

const cell = z.object({
  server: z.string(),
  /** One figure a round, in the row's unit. */
  values: z.array(z.number()),
  /** Their median. */
  value: z.number().optional(),
  /** Medians of the server's CPU seconds, with those of the logins before the clock. */
  cpuPerGib: z.number().optional(),
  cpuPerThousand: z.number().optional(),
  peakMib: z.number().optional(),
  /** Seconds that passed over all its rounds, with what is not timed. */
  spent: z.number().optional(),
  /** TLS handshakes of the last round, and how many of them resumed a session. */
  handshakes: z.number().optional(),
  resumed: z.number().optional(),
  /** Why there is no figure. */
  problem: z.string().optional(),
});
/** What is said of every row. */
export const line = {
  id: z.string(),
  group: z.string(),
  title: z.string(),
  unit: z.string(),
};
const row = z.object({
  ...line,
  better: z.enum(["higher", "lower"]),
  targets: z.array(target),
  cells: z.array(cell),
});
/** Who is measured: how it was set up, or why it is not there. */
export const entrant = z.object({
  name: z.string(),
  version: z.string(),
  setup: z.string(),
  absent: z.string().optional(),
});
/** What is said of every run, of servers as of clients. */
export const about = {
  format: z.literal(1),
  date: z.string(),
  quick: z.boolean(),
  rounds: z.number(),
  seconds: z.number(),
  machine: z.record(z.string(), z.string()),
  conditions: z.array(z.string()),
};
export const report = z.object({
  ...about,
  servers: z.array(entrant.extend({ ours: z.boolean() })),
  rows: z.array(row),
});
export type Report = z.infer<typeof report>;
export type ReportRow = z.infer<typeof row>;
export type ReportCell = z.infer<typeof cell>;

/** The name of the cell with the bare limit of the machine. */
export const RAW = "raw";
/** The server that the ratios are about. */
export const OURS = "ferryman";
const OUR_NAMES: ReadonlySet<string> = new Set([OURS, "ferryman-1"]);

/** The middle one, or the mean of the two in the middle. NaN of nothing. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? NaN : (low + high) / 2;
}

export function cellOf({ cells }: ReportRow, name: string): ReportCell | undefined {
  return cells.find((each) => each.server === name);
}

/** The peer with the best figure. */
export function bestPeer({ cells, better }: ReportRow): (ReportCell & { readonly value: number }) | undefined {
  const sign = better === "higher" ? -1 : 1;
  return cells
    .filter(({ server: name }) => !OUR_NAMES.has(name) && name !== RAW)
    .flatMap((each) => (each.value === undefined ? [] : [{ ...each, value: each.value }]))
    .toSorted((one, other) => sign * (one.value - other.value))[0];
}

/** How many times as good ours is: above 1 is better, whatever the unit. Undefined where one of them has no figure. */
export function ratioTo(found: ReportRow, other: ReportCell | undefined): number | undefined {
  const ours = cellOf(found, OURS)?.value;
  if (ours === undefined || other?.value === undefined) return undefined;
  const ratio = found.better === "higher" ? ours / other.value : other.value / ours;
  return Number.isFinite(ratio) ? ratio : undefined;
}

export function ratioToBest(found: ReportRow): number | undefined {
  return ratioTo(found, bestPeer(found));
}

/** CPU seconds per GiB, or per 1,000 operations. */
export function cpuOf({ cpuPerGib, cpuPerThousand }: ReportCell): number | undefined {
  return cpuPerGib ?? cpuPerThousand;
}

/** Ours as a part of the CPU seconds that the thriftiest peer needs. */
export function cpuRatio({ cells }: ReportRow): number | undefined {
  const ours = cells.filter(({ server: name }) => name === OURS).map(cpuOf)[0];
  const peers = cells
    .filter(({ server: name, value }) => !OUR_NAMES.has(name) && name !== RAW && value !== undefined)
    .flatMap((each) => cpuOf(each) ?? []);
  return ours === undefined || peers.length === 0 ? undefined : ours / Math.min(...peers);
}

/** Whether a target is met; undefined where it cannot be said. */
export function judge(found: ReportRow, aim: Target): Verdict {
  if (aim.kind === "ratio") {
    const peer = aim.peer === undefined ? bestPeer(found) : cellOf(found, aim.peer);
    const ratio = ratioTo(found, peer);
    const name = aim.peer ?? "best peer";
    return {
      aim: `≥ ${aim.least} × ${name}`,
      found: times(ratio),
      met: ratio === undefined ? undefined : ratio >= aim.least,
    };
  }
  if (aim.kind === "cpu") {
    const ratio = cpuRatio(found);
    return {
      aim: `CPU ≤ ${aim.most} × the thriftiest peer`,
      found: times(ratio),
      met: ratio === undefined ? undefined : ratio <= aim.most,
    };
  }
  const value = cellOf(found, OURS)?.value;
  return {
    aim: `≤ ${aim.most} ${found.unit}`,
    found: value === undefined ? "–" : `${shown(value)} ${found.unit}`,
    met: value === undefined ? undefined : value <= aim.most,
  };
}

export function times(ratio: number | undefined): string {
  return ratio === undefined ? "–" : `${ratio.toFixed(2)} ×`;
}

/** Four digits that matter: what a run can tell. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** Three digits that matter. */
export function shown(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en");
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
