/** Programs in C that the benchmark compiles on first use, and keeps. */
import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** Milliseconds that the compiler may take; it takes three seconds. */
const TIME_LIMIT_MS = 120_000;

type Outcome = { readonly done: boolean; readonly said: string };

export function gcc(args: readonly string[]): Outcome {
  const ran = spawnSync("gcc", args, { encoding: "utf8", timeout: TIME_LIMIT_MS, stdio: ["ignore", "pipe", "pipe"] });
  return { done: ran.status === 0, said: ran.stderr ?? "" };
}

/** To a name of its own first: another process may compile or run it at the same time. */
export function compile(program: string, args: readonly string[]): Outcome {
  mkdirSync(dirname(program), { recursive: true });
  const fresh = `${program}.${process.pid}`;
  const outcome = gcc(["-O2", "-Wall", "-Wextra", "-o", fresh, ...args]);
  if (outcome.done) renameSync(fresh, program);
  rmSync(fresh, { force: true });
  return outcome;
}

/** Whether a program is there, and none of its sources is younger. */
export function isFresh(program: string, sources: readonly string[]): boolean {
  return Math.max(...sources.map(changedAt)) <= changedAt(program);
}

/** 0 where there is none. */
function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
