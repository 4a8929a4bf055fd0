/** The table of commands: found by name, by alias, or by a beginning that only one has. */
import { didYouMean } from "../../base/nearest.ts";
import type { ShellCommand } from "./command.ts";

export type Found =
  | { readonly ok: true; readonly command: ShellCommand }
  | { readonly ok: false; readonly problem: string };

export class CommandTable {
  readonly all: readonly ShellCommand[];
  readonly #byName = new Map<string, ShellCommand>();

  /** @throws {Error} when a name stands for two of them: a mistake of ours. */
  constructor(commands: readonly ShellCommand[]) {
    this.all = commands;
    for (const command of commands) {
      for (const name of [command.name, ...(command.aliases ?? [])]) {
        if (this.#byName.has(name)) throw new Error(`two commands are called "${name}"`);
        this.#byName.set(name, command);
      }
    }
  }

  /** In upper or lower case: fingers that know ftp.exe write both. */
  find(given: string): Found {
    const name = given.toLowerCase();
    const exact = this.#byName.get(name);
    if (exact !== undefined) return { ok: true, command: exact };
    const likely = this.beginningWith(name);
    const commands = new Set(likely.map((each) => this.#byName.get(each)));
    const [only] = commands;
    if (only !== undefined && commands.size === 1) return { ok: true, command: only };
    const which = commands.size > 1 ? ` It could be ${likely.slice(0, 6).join(", ")}.` : didYouMean(name, this.names());
    return { ok: false, problem: `there is no command "${given}".${which} See: help` };
  }

  names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  beginningWith(start: string): readonly string[] {
    return this.names().filter((name) => start !== "" && name.startsWith(start));
  }
}
