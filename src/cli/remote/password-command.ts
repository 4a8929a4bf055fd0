/** A password that another program keeps: a keyring, a password store. It is run without a shell, and its first line counts. */
import { spawn } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { CliError, EXIT } from "../exit.ts";
import { nextToken } from "../shell/words.ts";

/** Milliseconds that it may take: somebody may have to find and type the passphrase of his keyring first. */
const COMMAND_MS = 120_000;
/** Octets of its output: a password, and what some stores write in the lines below. */
const OUTPUT_MOST = 65_536;

/**
 * @param command a program and its arguments, with quotes as in a shell; no pipes, variables or globs.
 * @returns the first line of its output. Its errors are written where ours are, and it may ask on the terminal.
 * @throws {CliError} where there is no such program, or it fails, says nothing, or takes too long.
 */
export async function passwordFrom(
  command: string,
  { ms = COMMAND_MS, signal }: { readonly ms?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<string> {
  const [program = "", ...rest] = wordsOf(command);
  const child = spawn(program, rest, { stdio: ["inherit", "pipe", "inherit"], windowsHide: true });
  const end = new AbortController();
  const limit = AbortSignal.any([end.signal, AbortSignal.timeout(ms), ...(signal === undefined ? [] : [signal])]);
  const kill = (): void => void child.kill();
  limit.addEventListener("abort", kill, { once: true });
  const ended = new Promise<string>((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => reject(cannot(command, startFault(error, program))));
    child.once("close", (code, by) =>
      resolve(code === 0 ? "" : code === null ? `was ended by ${by}` : `ended with ${code}`),
    );
  });
  ended.catch(() => {});
  try {
    let output = "";
    for await (const chunk of child.stdout.setEncoding("utf8")) {
      if (output.length < OUTPUT_MOST) output += String(chunk);
    }
    const problem = await ended;
    signal?.throwIfAborted();
    if (limit.aborted) throw cannot(command, `it has not ended after ${ms / 1000} s`);
    if (problem !== "") throw cannot(command, `it ${problem}`);
    const [line = ""] = output.split(/\r?\n/, 1);
    if (line === "") throw cannot(command, "the first line of its output is empty");
    return line;
  } finally {
    limit.removeEventListener("abort", kill);
    end.abort();
  }
}

function startFault({ code, message }: NodeJS.ErrnoException, program: string): string {
  if (code === "ENOENT") return `there is no program ${program} (on the PATH, or at that place)`;
  return code === "EACCES" ? `${program} is no program that you may run` : message;
}

/** @throws {CliError} for what only a shell understands. */
function wordsOf(command: string): readonly string[] {
  const words: string[] = [];
  for (let at = 0; ;) {
    const token = nextToken(command, at);
    if (token === undefined) break;
    if (token.kind === "operator") {
      const shown = token.operator === "\n" ? "A line end" : `"${token.operator}"`;
      throw new CliError(
        `${shown} in a password command: it is run without a shell. Quote it, or write: sh -c '…'`,
        EXIT.usage,
      );
    }
    if (token.word.open !== "") throw new CliError("A quote in the password command is not closed.", EXIT.usage);
    const { text, isHome, end } = token.word;
    at = end;
    words.push(isHome && (text === "~" || text.startsWith("~/")) ? join(homedir(), text.slice(1)) : text);
  }
  if (words.length > 0) return words;
  throw new CliError("The password command is empty: write, for example, 'pass show ftp/ann'.", EXIT.usage);
}

function cannot(command: string, why: string): CliError {
  return new CliError(
    `No password from the command: ${command}\nReason: ${why}. Run it by hand: its first line must be the password.`,
    EXIT.failed,
  );
}
