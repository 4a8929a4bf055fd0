/** The commands of before: kept in the state folder, bounded, readable for their owner alone, and without passwords. */
import { appendFile, open, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { makeFolders } from "../../base/make-folders.ts";
import { HISTORY_MOST } from "./limits.ts";
import { parseCommands } from "./parse.ts";
import type { CommandTable } from "./table.ts";

/** Octets of the file's end that are read: lines of a thousand characters each. */
const READ_MOST = 1_048_576;

export class History {
  readonly #path: string | undefined;
  /** The newest first, as readline has it. */
  #lines: readonly string[] = [];

  /** @param path undefined: only for this run. */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** A file that cannot be read is as one that is not there. */
  async load(): Promise<void> {
    if (this.#path === undefined) return;
    const { lines, isLong } = await readEnd(this.#path).catch(() => ({ lines: [], isLong: false }));
    this.#lines = lines.slice(-HISTORY_MOST).toReversed();
    if (isLong || lines.length > 2 * HISTORY_MOST) await this.#write();
  }

  /** A home that cannot be written to has no history: that is no reason to disturb anybody. */
  async add(line: string): Promise<void> {
    if (line === this.#lines[0]) return;
    this.#lines = [line, ...this.#lines].slice(0, HISTORY_MOST);
    if (this.#path === undefined) return;
    try {
      await makeFolders(dirname(this.#path), 0o700);
      await appendFile(this.#path, `${line}\n`, { mode: 0o600 });
    } catch {
      // See above.
    }
  }

  async #write(): Promise<void> {
    if (this.#path === undefined) return;
    const text = this.#lines.toReversed().map((line) => `${line}\n`);
    await writeFile(this.#path, text.join(""), { mode: 0o600 }).catch(() => {});
  }
}

async function readEnd(path: string): Promise<{ readonly lines: readonly string[]; readonly isLong: boolean }> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  const start = Math.max(0, size - READ_MOST);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
  const lines = buffer
    .toString("utf8", 0, bytesRead)
    .split("\n")
    .filter((line) => line !== "");
  // The first line of a part may be cut.
  return { lines: start === 0 ? lines : lines.slice(1), isLong: start > 0 };
}

/** @returns the line as it may be kept; undefined: not at all, as it is empty, begins with a blank, or holds a secret. */
export function keptLine(line: string, table: CommandTable): string | undefined {
  if (line.trim() === "" || line.startsWith(" ")) return undefined;
  if (/\b(?:pass|acct|adat|pswd)\b/i.test(line)) return undefined;
  const parsed = parseCommands(line);
  if (!parsed.ok) return undefined;
  for (const { steps } of parsed.chains) {
    for (const step of steps) {
      if (step.kind !== "command") continue;
      const [first, ...words] = step.words.map(({ text }) => text);
      const found = table.find(first ?? "");
      if (found.ok && holdsSecret(found.command.name, words)) return undefined;
    }
  }
  // What aliases, macros and the queue are given may hold such a line.
  if (/\b(?:user|login)\s+\S+\s+\S|\bacc(?:oun)?t\s+\S/i.test(line)) return undefined;
  return line.replace(/([a-z][a-z\d+.-]*:\/\/[^\s/@:]*):[^\s@]*@/gi, "$1@");
}

/** Commands that take passwords as words. */
function holdsSecret(name: string, words: readonly string[]): boolean {
  if (name === "user") return words.length > 1;
  if (name === "account") return words.length > 0;
  return (
    name === "open" && words.some((word, at) => /^-u.*,/.test(word) || (words[at - 1] === "-u" && word.includes(",")))
  );
}

/** `$XDG_STATE_HOME/ferryman/history` (XDG Base Directory Specification: a relative value counts as none). */
export function historyPath(environment: NodeJS.ProcessEnv): string {
  return join(folderOf(environment["XDG_STATE_HOME"], join(homedir(), ".local", "state")), "ferryman", "history");
}

/** `$XDG_CONFIG_HOME/ferryman/shellrc`. */
export function startFilePath(environment: NodeJS.ProcessEnv): string {
  return join(folderOf(environment["XDG_CONFIG_HOME"], join(homedir(), ".config")), "ferryman", "shellrc");
}

function folderOf(given: string | undefined, otherwise: string): string {
  return given !== undefined && isAbsolute(given) ? given : otherwise;
}
