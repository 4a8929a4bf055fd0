/** Programs that tests run: output kept, time bounded, absence told. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Milliseconds; no client of the tests needs a tenth of it. */
const TIME_LIMIT_MS = 60_000;

export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export async function run(
  program: string,
  args: readonly string[],
  options: { input?: string; cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, LC_ALL: "C.UTF-8", ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), TIME_LIMIT_MS);
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const [stdout, stderr, code] = await Promise.all([textOf(child.stdout), textOf(child.stderr), exitOf(child)]);
  clearTimeout(timer);
  return { code, stdout, stderr };
}

/** Fails unless it ends well. @returns standard output. */
export async function ok(running: Promise<Ran>): Promise<string> {
  const { code, stdout, stderr } = await running;
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Fails unless it ends with `code` and these words on standard error. */
export async function fails(running: Promise<Ran>, code: number, words: RegExp): Promise<void> {
  const ran = await running;
  assert.equal(ran.code, code, ran.stderr);
  assert.match(ran.stderr, words);
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code));
  });
}

/** For `skip`: false where the program is on the PATH, else the reason. */
export function missing(program: string): string | false {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return false;
    } catch {
      // Not in this folder.
    }
  }
  return `${program} is not installed (apt-get install ${program})`;
}
