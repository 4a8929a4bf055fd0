/** What a run of the clients has found, as its JSON file holds it, and what follows from that. */
import { z } from "zod";
import { OURS, about, entrant, line, median, shown, times } from "../report/report.ts";
import type { Verdict } from "../report/verdicts.ts";

const aim = { remark: z.string().optional() };
const clientTarget = z.discriminatedUnion("kind", [
  /** Times as fast as a rival, or as the best of them. */
  z.object({ kind: z.literal("wall"), least: z.number(), rival: z.string().optional(), ...aim }),
  /** At most so many times the CPU seconds of a rival. */
  z.object({ kind: z.literal("cpu"), most: z.number(), rival: z.string(), ...aim }),
  /** MiB of the process that held most. */
  z.object({ kind: z.literal("memory"), most: z.number(), ...aim }),
  /** At most so much, in the row's unit. */
  z.object({ kind: z.literal("most"), most: z.number(), ...aim }),
]);
export type ClientTarget = z.infer<typeof clientTarget>;

const cell = z.object({
  client: z.string(),
  /** One figure a round, in the row's unit. */
  values: z.array(z.number()),
  /** CPU seconds of each round, with those of its start; of 1,000 files where the row is about many. */
  cpu: z.array(z.number()),
  /** MiB of the process that held most, in each round. */
  peakMib: z.array(z.number()),
  /** Why there is no figure. */
  problem: z.string().optional(),
});
const row = z.object({
  ...line,
  cpuUnit: z.string(),
  targets: z.array(clientTarget),
  cells: z.array(cell),
});
const connection = z.object({
  server: z.string(),
  security: z.string(),
  /** By data mode: "yes", or why not. */
  modes: z.record(z.string(), z.string()),
});
export const clientReport = z.object({
  ...about,
  clients: z.array(entrant),
  rows: z.array(row),
  connections: z.array(connection),
});
export type ClientReport = z.infer<typeof clientReport>;
export type ClientRow = z.infer<typeof row>;
export type ClientCell = z.infer<typeof cell>;
export type Connection = z.infer<typeof connection>;

export type Figure = "values" | "cpu" | "peakMib";

/** The median of what a client has of a figure; undefined where it has none. */
export function figureOf({ cells }: ClientRow, client: string, figure: Figure = "values"): number | undefined {
  const found = median(cells.find((each) => each.client === client)?.[figure] ?? []);
  return Number.isFinite(found) ? found : undefined;
}

/** The rival with the least of a figure. */
export function bestRival(found: ClientRow, figure: Figure = "values"): { name: string; value: number } | undefined {
  return found.cells
    .flatMap(({ client }) => {
      const value = figureOf(found, client, figure);
      return client === OURS || value === undefined ? [] : [{ name: client, value }];
    })
    .toSorted((one, other) => one.value - other.value)[0];
}

/** How many times as fast ours is as the best rival. */
export function ratioToBest(found: ClientRow): number | undefined {
  const [ours, best] = [figureOf(found, OURS), bestRival(found)?.value];
  return ours === undefined || best === undefined ? undefined : best / ours;
}

/** Whether a target is met; undefined where it cannot be said. */
export function judge(found: ClientRow, target: ClientTarget): Verdict {
  switch (target.kind) {
    case "wall": {
      const { least, rival } = target;
      const ours = figureOf(found, OURS);
      const other = rival === undefined ? bestRival(found)?.value : figureOf(found, rival);
      const ratio = ours === undefined || other === undefined ? undefined : other / ours;
      const met = ratio === undefined ? undefined : ratio >= least;
      return { aim: `≥ ${least} × as fast as ${rival ?? "the best rival"}`, found: times(ratio), met };
    }
    case "cpu": {
      const { most, rival } = target;
      const [ours, other] = [figureOf(found, OURS, "cpu"), figureOf(found, rival, "cpu")];
      const ratio = ours === undefined || other === undefined ? undefined : ours / other;
      const met = ratio === undefined ? undefined : ratio <= most;
      return { aim: `CPU ≤ ${most} × ${rival}`, found: times(ratio), met };
    }
    case "memory":
      return within(figureOf(found, OURS, "peakMib"), { most: target.most, unit: "MiB of memory" });
    default:
      return within(figureOf(found, OURS), { most: target.most, unit: found.unit });
  }
}

function within(value: number | undefined, { most, unit }: { readonly most: number; readonly unit: string }): Verdict {
  return {
    aim: `≤ ${most} ${unit}`,
    found: value === undefined ? "–" : shown(value),
    met: value === undefined ? undefined : value <= most,
  };
}
