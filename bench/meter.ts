/**
 * What a server with all its processes costs: CPU seconds and memory. A cgroup (v2) of its own where one can be made, so
 * that processes that lived for a moment count too; else the tree below /proc, with the children that were waited for.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { closeOf, collect } from "./processes.ts";

/** Processes that are read for a sum of memory; with more of them, every so many-th stands for the others. */
const MOST_READ = 48;
/** Milliseconds between two looks at memory while a load runs. */
const LOOK_MS = 400;
/** Clock ticks a second of /proc/PID/stat: the same on every Linux that Node runs on. */
const TICKS = 100;
/** Looks, 10 ms apart, until a killed group must be empty. */
const PATIENCE = 1_000;

/** The peak is there where it was looked for. */
export type Usage = { readonly cpuSeconds: number; readonly peakKib?: number };

export type Meter = {
  readonly child: ChildProcess;
  /** What it said on standard error, the end of it. */
  readonly said: () => string;
  /** KiB of all its processes; what they share is counted once (PSS of proc_pid_smaps(5)). */
  readonly memory: () => number;
  /** Takes the CPU seconds while `work` runs. */
  readonly costs: <Value>(work: () => Promise<Value>) => Promise<readonly [Value, Usage]>;
  /**
   * Takes the most memory too. Each look stops the processes that it is at: up to a fifth of what small files take, so
   * nothing that runs meanwhile may be timed.
   */
  readonly peak: <Value>(work: () => Promise<Value>) => Promise<readonly [Value, Usage]>;
  /** Ends all its processes and waits until they are gone. */
  readonly stop: () => Promise<void>;
};

export type Launch = {
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
};

/** A cgroup of ours for a run, named after its folder; undefined where there is no v2 hierarchy that we may write to. */
export function makeGroup(folder: string): string | undefined {
  const group = groupOf(folder);
  if (group === undefined) return undefined;
  try {
    mkdirSync(group);
    return group;
  } catch {
    return undefined;
  }
}

/** Ends whatever is left in the cgroup of a run, and takes it away. */
export async function removeGroup(folder: string): Promise<void> {
  const group = groupOf(folder);
  if (group !== undefined && existsSync(group)) await emptyGroup(group);
}

function groupOf(folder: string): string | undefined {
  const mount = /^\S+ (\S+) cgroup2 /m.exec(readOrNothing("/proc/self/mounts"))?.[1];
  return mount === undefined ? undefined : join(mount, basename(folder));
}

let groups = 0;

/** Starts a server. @param parent what `makeGroup` gave. */
export function launch({ command, environment, cwd }: Launch, parent: string | undefined): Meter {
  groups += 1;
  const group = parent === undefined ? undefined : join(parent, String(groups));
  if (group !== undefined) mkdirSync(group);
  // The shell moves itself before it becomes the server, so that no child of it escapes.
  const entered =
    group === undefined ? command : ["sh", "-c", 'echo $$ >"$0" && exec "$@"', join(group, "cgroup.procs"), ...command];
  const [program = "", ...args] = entered;
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = collect(child.stderr);
  const closed = closeOf(child).catch(() => {});
  const pids = (): readonly number[] => (group === undefined ? treeOf(child.pid ?? 0) : pidsOf(group));
  const cpuSeconds = (): number => (group === undefined ? cpuOfTree(pids()) : cpuOf(group));
  const memory = (): number => memoryOf(pids());
  const costs = async <Value>(work: () => Promise<Value>): Promise<readonly [Value, Usage]> => {
    const before = cpuSeconds();
    const value = await work();
    return [value, { cpuSeconds: cpuSeconds() - before }];
  };
  const peak = async <Value>(work: () => Promise<Value>): Promise<readonly [Value, Usage]> => {
    let peakKib = memory();
    const look = (): void => {
      peakKib = Math.max(peakKib, memory());
    };
    const timer = setInterval(look, LOOK_MS);
    try {
      const [value, usage] = await costs(work);
      look();
      return [value, { ...usage, peakKib }];
    } finally {
      clearInterval(timer);
    }
  };
  const stop = async (): Promise<void> => {
    if (group !== undefined) await emptyGroup(group);
    else for (const pid of pids().toReversed()) kill(pid);
    await closed;
  };
  return { child, said, memory, costs, peak, stop };
}

/** Kills what is in a group and below, and takes it away as soon as the kernel lets go of it. */
async function emptyGroup(group: string): Promise<void> {
  writeFileSync(join(group, "cgroup.kill"), "1");
  for (let look = 0; look < PATIENCE && !isGone(group); look += 1) await delay(10);
}

function isGone(group: string): boolean {
  if (!existsSync(group)) return true;
  if (!/^populated 0/m.test(readOrNothing(join(group, "cgroup.events")))) return false;
  try {
    for (const each of readdirSync(group, { withFileTypes: true })) {
      if (each.isDirectory()) rmdirSync(join(group, each.name));
    }
    rmdirSync(group);
    return true;
  } catch {
    // EBUSY: somebody in there is not quite dead yet.
    return false;
  }
}

function cpuOf(group: string): number {
  return Number(/^usage_usec (\d+)/m.exec(readOrNothing(join(group, "cpu.stat")))?.[1] ?? 0) / 1e6;
}

function pidsOf(group: string): readonly number[] {
  return readOrNothing(join(group, "cgroup.procs")).split("\n").filter(Boolean).map(Number);
}

/** A process and its descendants, parents first. */
function treeOf(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
    const parent = /^PPid:\s+(\d+)/m.exec(readOrNothing(`/proc/${name}/status`))?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const tree = [pid];
  for (const each of tree) for (const [child, parent] of parents) if (parent === each) tree.push(child);
  return tree;
}

function cpuOfTree(pids: readonly number[]): number {
  // utime, stime, cutime and cstime of proc_pid_stat(5), counted from behind the name, which may hold anything.
  const ticks = pids.flatMap((pid) => {
    const [, after = ""] = /\) (.*)/.exec(readOrNothing(`/proc/${pid}/stat`)) ?? [];
    return after.split(" ").slice(11, 15).map(Number);
  });
  return ticks.reduce((sum, each) => sum + each, 0) / TICKS;
}

function memoryOf(pids: readonly number[]): number {
  const step = Math.max(1, Math.floor(pids.length / MOST_READ));
  // The first ones are the server's own; sessions come after them.
  const first = pids.slice(0, step === 1 ? pids.length : 4);
  const others = pids.slice(first.length).filter((_, at) => at % step === 0);
  const scale = others.length === 0 ? 0 : (pids.length - first.length) / others.length;
  return sumKib(first) + sumKib(others) * scale;
}

function sumKib(pids: readonly number[]): number {
  return pids.reduce((total, pid) => total + proportionalKib(pid), 0);
}

function proportionalKib(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(readOrNothing(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
