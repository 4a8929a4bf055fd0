/** The rounds: for each workload A B C, C B A …, so that a busy or warm machine is the same for all clients. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { sweep } from "../ground.ts";
import { heldPath } from "../long-haul.ts";
import { readOnce } from "../page-cache.ts";
import type { Peer } from "../peers/peer.ts";
import { ProgramError } from "../processes.ts";
import { median, rounded, shown } from "../report/report.ts";
import { inTurn } from "../rounds.ts";
import type { Stand } from "../stand.ts";
import type { ClientGround } from "./ground.ts";
import type { Rival, Where } from "./job.ts";
import type { ClientCell, ClientRow } from "./report.ts";
import type { ServerName, Task } from "./tasks.ts";
import { costOf } from "./usage.ts";

/** Small files that the slowest are asked for. */
const FEWEST = 10;

export type ClientPlan = {
  readonly tasks: readonly Task[];
  readonly rivals: readonly Rival[];
  readonly servers: Readonly<Partial<Record<ServerName, Peer>>>;
  readonly rounds: number;
  /** Milliseconds for one client in one workload, after which it gets no further round. */
  readonly budgetMs: number;
  /** On the clock of performance.now(): from then on there is one round of each. */
  readonly deadline: number;
  /** From then on no workload begins. */
  readonly end: number;
  /** Milliseconds that one run may take. */
  readonly limitMs: number;
  readonly say: (line: string) => void;
  readonly stopped: () => boolean;
};

export type ClientBench = {
  readonly ground: ClientGround;
  readonly stand: Stand;
  /** A folder for what clients keep of their own. */
  readonly state: string;
};

type Taken = {
  readonly client: string;
  readonly values: number[];
  readonly cpu: number[];
  readonly peakMib: number[];
  spentMs: number;
  problem?: string;
};

export async function runClients(bench: ClientBench, plan: ClientPlan): Promise<readonly ClientRow[]> {
  const rows: ClientRow[] = [];
  for (const task of plan.tasks) {
    if (plan.stopped()) break;
    if (performance.now() > plan.end) {
      plan.say(`${task.id} is left out: the time is up`);
      continue;
    }
    rows.push(await runTask(bench, task, plan));
  }
  return rows;
}

async function runTask(bench: ClientBench, task: Task, plan: ClientPlan): Promise<ClientRow> {
  const all = plan.rivals.map((rival) => ({ rival, mine: untaken(rival.name) }));
  for (let round = 1; round <= plan.rounds; round += 1) {
    if (round > 1 && performance.now() > plan.deadline) break;
    for (const { rival, mine } of inTurn(all, round)) {
      if (plan.stopped() || mine.problem !== undefined || mine.spentMs > plan.budgetMs) continue;
      const started = performance.now();
      await attempt(bench, { task, rival, mine }, plan);
      mine.spentMs += performance.now() - started;
      const last = mine.values.at(-1);
      plan.say(
        `${task.id.padEnd(22)} ${round} ${rival.name.padEnd(10)} ${mine.problem ?? `${shown(last ?? NaN)} ${task.unit}, CPU ${shown(mine.cpu.at(-1) ?? NaN)} s, ${shown(mine.peakMib.at(-1) ?? NaN)} MiB`}`,
      );
    }
  }
  return {
    id: task.id,
    group: task.group,
    title: task.title,
    unit: task.unit,
    cpuUnit: task.count === undefined ? "CPU s" : "CPU s per 1,000",
    targets: [...task.targets],
    cells: all.map(({ mine }) => cellOf(mine)),
  };
}

function untaken(client: string): Taken {
  return { client, values: [], cpu: [], peakMib: [], spentMs: 0 };
}

function cellOf({ client, values, cpu, peakMib, problem }: Taken): ClientCell {
  const figures = { values: values.map(rounded), cpu: cpu.map(rounded), peakMib: peakMib.map(rounded) };
  if (problem !== undefined) return { client, ...figures, problem };
  return Number.isFinite(median(values)) ? { client, ...figures } : { client, ...figures, problem: "not measured" };
}

type Turn = { readonly task: Task; readonly rival: Rival; readonly mine: Taken };

async function attempt(bench: ClientBench, { task, rival, mine }: Turn, plan: ClientPlan): Promise<void> {
  try {
    await once(bench, { task, rival, mine }, plan);
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    if (!plan.stopped()) mine.problem = gistOf(error.message);
  } finally {
    sweep(bench.ground.ground);
  }
}

/** Characters of an error that the page shows. */
const SHOWN = 160;

/** On one line, without what differs from run to run: the time in front, and ports. */
function gistOf(message: string): string {
  const text = message.replaceAll(/\s+/g, " ").replace(/^[\d/]+ [\d:]+ /, "");
  return text
    .replaceAll(/127\.0\.0\.1:\d+/g, "the server")
    .trim()
    .slice(0, SHOWN);
}

async function once(bench: ClientBench, { task, rival, mine }: Turn, plan: ClientPlan): Promise<void> {
  const peer = plan.servers[task.server];
  if (peer === undefined) throw new ProgramError(`${task.server} is not there`);
  const { ground } = bench.ground;
  const { user, password } = peer.logins(ground).files;
  const { port } = await bench.stand.kept(peer);
  const count = countOf(task, rival, bench.ground);
  const { job, check } = task.prepare(bench.ground, count);
  await using path = task.held === undefined ? undefined : await heldPath(port, task.held);
  const where: Where = { port: path?.port ?? port, user, password, secure: task.secure, state: bench.state };
  const words = rival.words(job, where);
  if ("missing" in words) throw new ProgramError(words.missing);
  if (task.group === "a") readOnce(ground.root, ["/big.bin"]);
  const file = join(bench.state, "usage.json");
  rmSync(file, { force: true });
  const environment = rival.environment?.(where) ?? {};
  const cost = await costOf(words, { file, cwd: bench.state, environment, limit: plan.limitMs });
  check();
  mine.values.push(cost.seconds * task.perSecond(bench.ground.sizes, count));
  mine.cpu.push(task.count === undefined ? cost.cpuSeconds : (cost.cpuSeconds * 1_000) / count);
  mine.peakMib.push(cost.peakMib);
}

/** Small files that a client is asked for: a few at least, and those of the long way all. */
function countOf({ count, held, connections = 1, secure }: Task, { share }: Rival, { sizes }: ClientGround): number {
  const all = count?.(sizes) ?? 1;
  const part = held === undefined ? (share?.(connections, secure) ?? 1) : 1;
  return Math.min(all, Math.max(FEWEST, Math.ceil(all * part)));
}
