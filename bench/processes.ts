/** Programs that the benchmark runs: to their end with their output, or as a server until they are ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Folders of daemons, where an ordinary PATH does not look. */
const MORE_FOLDERS = ["/usr/sbin", "/sbin", "/usr/local/sbin"];
/** Characters of what a program says that are kept for an error. */
const TOLD = 4_000;

/** A program that ended ill, with what it said. */
export class ProgramError extends Error {}

export type RunOptions = {
  /** Milliseconds, after which it is killed. */
  readonly limit?: number;
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
};

/** Runs a program to its end. @returns standard output. @throws {ProgramError} */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { limit = 120_000, cwd, environment } = options;
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, LC_ALL: "C.UTF-8", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: limit,
    killSignal: "SIGKILL",
  });
  const output = collect(child.stdout);
  const errors = collect(child.stderr);
  const [code, signal] = await closeOf(child);
  if (code === 0) return output();
  throw new ProgramError(signal === null ? errors().trim() || `exit ${code}` : `stopped after ${limit / 1000} s`);
}

/** Its exit code and signal, when it has ended and its output is read. @throws {ProgramError} where there is no such program. */
export async function closeOf(child: ChildProcess): Promise<readonly [number | null, string | null]> {
  return await new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new ProgramError(error.message)));
    child.once("close", (code, signal) => resolve([code, signal]));
  });
}

/** Keeps what comes, up to some megabytes on standard output. @returns a function that gives what has come so far. */
export function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = "";
  stream?.setEncoding("utf8");
  stream?.on("data", (chunk: string) => {
    text = `${text}${chunk}`.slice(-TOLD * 100);
  });
  return () => text;
}

/** The first of these programs that this machine has, with its folder. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...MORE_FOLDERS];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Ends a child that has no cgroup of its own, and waits until it is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, "exit");
  child.kill(signal);
  await gone;
}

/** The line of a program's error that says most: not a warning, if there is another one. */
export function gist(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).split("\n").filter(Boolean);
  return lines.find((line) => !/^(?:W:|npm warn)/.test(line)) ?? lines[0] ?? "it said nothing";
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}
