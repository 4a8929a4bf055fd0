/** What one run of a client costs: seconds on the clock, CPU seconds of all its processes, and the most memory of one. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ProgramError, run } from "../processes.ts";

const CACHE = join(import.meta.dirname, "..", ".cache");
const SOURCE = join(import.meta.dirname, "usage.c");
const PROGRAM = join(CACHE, "usage");

const told = z.object({ seconds: z.number(), user: z.number(), system: z.number(), peakKib: z.number() });

export type Cost = { readonly seconds: number; readonly cpuSeconds: number; readonly peakMib: number };

/** Compiles what measures. @throws {ProgramError} where there is no compiler. */
export function buildUsage(): void {
  if ((changedAt(PROGRAM) ?? 0) >= (changedAt(SOURCE) ?? 0)) return;
  mkdirSync(CACHE, { recursive: true });
  const fresh = `${PROGRAM}.${process.pid}`;
  const ran = spawnSync("gcc", ["-O2", "-Wall", "-Wextra", "-o", fresh, SOURCE], { encoding: "utf8" });
  if (ran.status !== 0) {
    throw new ProgramError(
      `bench/clients/usage.c needs gcc, without which nothing can be measured: ${ran.stderr ?? ""}`,
    );
  }
  renameSync(fresh, PROGRAM);
}

function changedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

export type Spending = {
  /** Where the figures may lie for a moment. */
  readonly file: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Milliseconds, after which it is killed. */
  readonly limit: number;
};

/** Runs a client to its end. @throws {ProgramError} where it ends ill or late. */
export async function costOf(command: readonly string[], { file, cwd, environment, limit }: Spending): Promise<Cost> {
  await run(PROGRAM, [file, ...command], { cwd, environment, limit });
  const { seconds, user, system, peakKib } = told.parse(JSON.parse(readFileSync(file, "utf8")));
  return { seconds, cpuSeconds: user + system, peakMib: peakKib / 1_024 };
}
