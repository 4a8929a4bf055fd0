/** The form of a workload: what the load generator is told, what is read from its answer, and what we aim at. */
import { z } from "zod";
import type { Sizes } from "./ground.ts";
import type { Logins } from "./peers/peer.ts";

const figure = z.number().optional();
/** What the load generator says at its end; what makes no sense for a mode is absent. */
export const loadResult = z.object({
  mode: z.string(),
  seconds: z.number(),
  sessions: figure,
  bytes: figure,
  operations: figure,
  lines: figure,
  clientCpuSeconds: figure,
  p50us: figure,
  p99us: figure,
  maxus: figure,
  handshakes: figure,
  resumed: figure,
});
export type LoadResult = z.infer<typeof loadResult>;

/** Why it was missed, in a few words, where that was found out. */
const remark = z.string().optional();
/** What we aim at, in terms of the fastest peer of the same run unless something else is said. */
export const target = z.discriminatedUnion("kind", [
  /** Times as fast as the best peer, or as the one that is named. */
  z.object({ kind: z.literal("ratio"), least: z.number(), peer: z.string().optional(), remark }),
  /** CPU seconds as a part of those of the peer that needs least. */
  z.object({ kind: z.literal("cpu"), most: z.number(), remark }),
  /** The figure itself. */
  z.object({ kind: z.literal("value"), most: z.number(), remark }),
]);
export type Target = z.infer<typeof target>;

/** One line of the tables. */
export type Row = {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
  readonly of: (result: LoadResult, sizes: Sizes) => number;
  readonly targets: readonly Target[];
};

/** What a cell is: a run of the load generator, one through a long path, one beside a fresh server, or a start. */
export type Kind = "load" | "haul" | "idle" | "start";

/**
 * Whether every server does it once before it counts: what is to be measured is a server in service, whose code and pages
 * are warm, and not its first second, which `j-start` is for. Then its memory is looked at.
 */
export function isWarmedUp({ kind }: { readonly kind: Kind }): boolean {
  return kind === "load";
}

export type Workload = {
  readonly kind: Kind;
  readonly group: string;
  readonly login: keyof Logins;
  /** Mode and arguments of the load generator. @param share the part of the operations that a slow server is asked for. */
  readonly load: (sizes: Sizes, share: number) => readonly string[];
  readonly rows: readonly Row[];
  /** Of the load generator, for the bare limit; paths are those of the machine. */
  readonly raw?: (sizes: Sizes, root: string) => readonly string[];
  /** The files and folders below the root that it reads: they are in memory when the clock starts. */
  readonly reads?: (sizes: Sizes, share: number) => readonly string[];
  /** The folder below the root where it writes, and how much: memory for that is at hand when the clock starts. */
  readonly fills?: (sizes: Sizes) => { readonly folder: string; readonly octets: number };
  /** What is wrong with an answer that is no fault: a server that left something out would look fast. */
  readonly complaint?: (result: LoadResult, sizes: Sizes) => string | undefined;
  /** Part of `--quick`. */
  readonly quick: boolean;
  /** Seconds of one cell with an ordinary server, for the estimate. */
  readonly seconds: number;
};

/** Rounds of what takes long or has no target: as few as a median needs. */
const FEW_ROUNDS = 3;

/** Rounds of a workload, of those that are asked for: 10,000 sessions take long, and what they hold hardly differs. */
export function roundsOf({ kind, rows }: Workload, wanted: number): number {
  const hasTarget = rows.some(({ targets }) => targets.length > 0);
  return hasTarget && kind !== "idle" ? wanted : Math.min(wanted, FEW_ROUNDS);
}
