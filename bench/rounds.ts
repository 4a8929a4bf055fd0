/** The rounds: for each workload A B C, C B A …, so that a busy or warm machine is the same for all, and medians of them. */
import { sweep } from "./ground.ts";
import { type Bench, type Measured, NotOffered, measure, measureRaw } from "./cells.ts";
import type { Peer } from "./peers/peer.ts";
import { ProgramError } from "./processes.ts";
import { RAW, type ReportCell, type ReportRow, median, rounded, shown } from "./report/report.ts";
import { type LoadResult, type Row, type Workload, isWarmedUp, roundsOf } from "./workload.ts";

export type Plan = {
  readonly workloads: readonly Workload[];
  readonly peers: readonly Peer[];
  readonly rounds: number;
  /** Milliseconds for one server in one workload, after which it gets no further round once it had the least. */
  readonly budgetMs: number;
  readonly leastRounds: number;
  /** What a cell takes of the time of a full one. */
  readonly factor: number;
  /** When all should be done, on the clock of performance.now(): on a slow machine later workloads get fewer rounds. */
  readonly deadline: number;
  /** Told of each cell. */
  readonly say: (line: string) => void;
  /** True as soon as nothing more is to be measured. */
  readonly stopped: () => boolean;
};

/** What a round that does not count, and the bare limit, take of the time of a cell. */
const [WARM_UP_COST, RAW_COST] = [0.6, 0.7];

type Entry = {
  readonly name: string;
  readonly once: (isTimed: boolean) => Promise<Measured>;
  readonly drop: () => Promise<void>;
};
/** What was found of a server, and the milliseconds that passed over it. */
type Taken = {
  readonly measured: Measured[];
  spentMs: number;
  peakKib?: number;
  /** Rounds that came to nothing, and why the last one did. */
  faults: number;
  problem?: string;
  /** There is nothing to be tried again. */
  isHopeless: boolean;
};
/** Rounds that may come to nothing before a server gets no further one: some reset a connection now and then. */
const MOST_FAULTS = 2;

/** Of a GiB. */
const MEBIBYTES = 1_024;

export async function runRounds(bench: Bench, plan: Plan): Promise<readonly ReportRow[]> {
  const rows: ReportRow[] = [];
  const started = performance.now();
  const all = estimate(plan);
  for (const [at, work] of plan.workloads.entries()) {
    if (plan.stopped()) break;
    const now = performance.now();
    const ahead = estimate({ ...plan, workloads: plan.workloads.slice(at) });
    const rounds = affordable(plan.rounds, {
      passed: now - started,
      behind: all - ahead,
      ahead,
      left: plan.deadline - now,
      least: plan.leastRounds,
    });
    rows.push(...(await runWorkload(bench, work, { ...plan, rounds })));
  }
  return rows;
}

export type Progress = {
  /** Milliseconds that have passed, and that are left. */
  readonly passed: number;
  readonly left: number;
  /** Seconds that what is done, and what is to come, were estimated to take. */
  readonly behind: number;
  readonly ahead: number;
  /** Rounds that are worth more than the time. */
  readonly least: number;
};

/** As much faster than the estimate as a machine is believed to be. */
const FASTEST = 0.7;

/** Rounds that there is time for on a machine that turned out to be slower or faster than the estimate. */
export function affordable(rounds: number, { passed, left, behind, ahead, least }: Progress): number {
  const slowness = behind > 0 ? Math.max(FASTEST, passed / 1_000 / behind) : 1;
  const needed = ahead * slowness * 1_000;
  return needed <= left ? rounds : Math.min(rounds, Math.max(least, Math.floor((rounds * left) / needed)));
}

/** Seconds that all of it will take: a guess from what the cells took elsewhere. */
export function estimate({ workloads, peers, rounds, budgetMs, factor }: Plan): number {
  const parts = workloads.map((work) => {
    const { seconds, raw } = work;
    const runs = roundsOf(work, rounds) + (isWarmedUp(work) ? WARM_UP_COST : 0);
    const cells = Math.min(runs * seconds * factor, budgetMs / 1_000 + seconds * factor);
    return cells * (peers.length + (raw === undefined ? 0 : RAW_COST));
  });
  return parts.reduce((sum, one) => sum + one, 0);
}

/**
 * Each second round the other way round: what one server leaves behind (freed memory, a disk that still writes) would
 * always meet the same one after it.
 */
export function inTurn<Entrant>(entrants: readonly Entrant[], round: number): readonly Entrant[] {
  return round % 2 === 0 ? entrants.toReversed() : entrants;
}

async function runWorkload(bench: Bench, work: Workload, plan: Plan): Promise<readonly ReportRow[]> {
  const entries: Entry[] = plan.peers.map((peer) => ({
    name: peer.name,
    once: async (isTimed) => await measure(bench, work, { peer, isTimed }),
    drop: async () => await bench.stand.drop(peer),
  }));
  const raw = work.raw?.(bench.ground.sizes, bench.ground.root);
  if (raw !== undefined)
    entries.push({ name: RAW, once: async () => await measureRaw(bench, work, raw), drop: async () => {} });
  const taken = new Map<string, Taken>(
    entries.map(({ name }) => [name, { measured: [], spentMs: 0, faults: 0, isHopeless: false }]),
  );
  const rounds = roundsOf(work, plan.rounds);
  for (let round = isWarmedUp(work) ? 0 : 1; round <= rounds; round += 1) {
    for (const entry of inTurn(entries, round)) {
      const mine = taken.get(entry.name);
      if (mine === undefined || isDone(mine, plan) || (round === 0 && entry.name === RAW)) continue;
      const started = performance.now();
      const { faults } = mine;
      await attempt(entry, mine, { plan, isTimed: round > 0 });
      sweep(bench.ground);
      mine.spentMs += performance.now() - started;
      const isFault = mine.faults > faults;
      if (round > 0 || isFault) plan.say(progress(bench, work, { round, isFault, name: entry.name, mine }));
    }
  }
  const spentMs = [...taken.values()].reduce((sum, mine) => sum + mine.spentMs, 0);
  plan.say(`${work.rows[0]?.id.padEnd(12) ?? ""} ${(spentMs / 1_000).toFixed(1)} s`);
  return work.rows.map((row) => ({
    id: row.id,
    group: work.group,
    title: row.title,
    unit: row.unit,
    better: row.better,
    targets: [...row.targets],
    cells: [...taken].map(([name, mine]) => ({
      ...cell(bench, row, { name, mine }),
      // They belong to the workload, whatever rows it has.
      ...(row === work.rows[0] ? costs(bench, row, mine) : {}),
    })),
  }));
}

/** Whether a server gets no further round of a workload. */
export function isDone(
  { measured, faults, isHopeless, spentMs }: Omit<Taken, "measured"> & { readonly measured: readonly unknown[] },
  { leastRounds, budgetMs, stopped }: Pick<Plan, "leastRounds" | "budgetMs" | "stopped">,
): boolean {
  const hasEnough = measured.length >= leastRounds || faults > 0;
  return stopped() || isHopeless || faults > MOST_FAULTS || (hasEnough && spentMs > budgetMs);
}

type Attempt = { readonly plan: Plan; readonly isTimed: boolean };

async function attempt({ once, drop }: Entry, mine: Taken, { plan, isTimed }: Attempt): Promise<void> {
  try {
    const measured = await once(isTimed);
    if (isTimed) mine.measured.push(measured);
    else if (measured.usage?.peakKib !== undefined) mine.peakKib = measured.usage.peakKib;
  } catch (error) {
    if (plan.stopped()) return;
    const said = error instanceof Error ? error.message : String(error);
    mine.problem = said.split("\n")[0] ?? said;
    mine.faults += 1;
    if (error instanceof NotOffered) mine.isHopeless = true;
    // It may still be busy with what it did not get done.
    else await drop();
    if (!(error instanceof ProgramError || error instanceof NotOffered)) throw error;
  }
}

type Mine = { readonly name: string; readonly mine: Taken };
type Step = Mine & { readonly round: number; readonly isFault: boolean };

function progress({ ground }: Bench, { rows }: Workload, { round, isFault, name, mine }: Step): string {
  const [row] = rows;
  if (row === undefined) return "";
  const last = mine.measured.at(-1);
  const found =
    (isFault ? mine.problem : undefined) ??
    (last === undefined ? "–" : `${shown(row.of(last.result, ground.sizes))} ${row.unit}`);
  return `${row.id.padEnd(12)} ${round} ${name.padEnd(14)} ${found}`;
}

function cell({ ground }: Bench, row: Row, { name, mine }: Mine): ReportCell {
  const values = mine.measured.map(({ result }) => row.of(result, ground.sizes));
  const found: ReportCell = { server: name, values: values.map(rounded) };
  const value = median(values);
  if (Number.isFinite(value)) found.value = rounded(value);
  else found.problem = mine.problem ?? "not measured";
  if (values.length > 0 && mine.faults > 0) found.problem = `failed ${count(mine.faults)}: ${mine.problem ?? "?"}`;
  const { handshakes, resumed } = mine.measured.at(-1)?.result ?? {};
  if (handshakes !== undefined && handshakes > 0) Object.assign(found, { handshakes, resumed: resumed ?? 0 });
  return found;
}

function count(faults: number): string {
  return faults === 1 ? "once" : `${faults} times`;
}

/** Time, CPU seconds and memory. */
function costs({ ground }: Bench, row: Row, { measured, spentMs, peakKib }: Taken): Partial<ReportCell> {
  const { unit } = row;
  const found: Partial<ReportCell> = { spent: rounded(spentMs / 1_000) };
  if (peakKib !== undefined) found.peakMib = rounded(peakKib / 1_024);
  const cpu = (of: (result: LoadResult) => number | undefined): number | undefined => {
    const each = median(measured.flatMap(({ result, usage }) => costOf(of(result), usage?.cpuSeconds) ?? []));
    return Number.isFinite(each) ? rounded(each) : undefined;
  };
  // Of the files, also where fewer go over the wire.
  if (unit === "MiB/s")
    return {
      ...found,
      ...defined({ cpuPerGib: cpu((result) => (row.of(result, ground.sizes) * result.seconds) / MEBIBYTES) }),
    };
  // Beside busy sessions most CPU seconds are theirs, and not those of the NOOPs.
  if (unit === "µs") return found;
  return { ...found, ...defined({ cpuPerThousand: cpu(({ operations = 0 }) => operations / 1_000) }) };
}

function defined(figures: Readonly<Record<string, number | undefined>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(figures).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** Seconds for one of so many; undefined where there were none. */
function costOf(amount: number | undefined, seconds: number | undefined): number | undefined {
  return amount === undefined || amount === 0 || seconds === undefined ? undefined : seconds / amount;
}
