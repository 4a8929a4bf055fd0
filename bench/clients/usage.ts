/** What one run of a client costs: seconds on the clock, CPU seconds of all its processes, and the most memory of one. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { compile, isFresh } from "../compile.ts";
import { ProgramError, run } from "../processes.ts";

const SOURCE = join(import.meta.dirname, "usage.c");
const PROGRAM = join(import.meta.dirname, "..", ".cache", "usage");

const told = z.object({ seconds: z.number(), user: z.number(), system: z.number(), peakKib: z.number() });

export type Cost = { readonly seconds: number; readonly cpuSeconds: number; readonly peakMib: number };

/** Compiles what measures. @throws {ProgramError} where there is no compiler. */
export function buildUsage(): void {
  if (isFresh(PROGRAM, [SOURCE])) return;
  const { done, said } = compile(PROGRAM, [SOURCE]);
  if (!done) {
    throw new ProgramError(`bench/clients/usage.c needs gcc, without which nothing can be measured: ${said}`);
  }
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
