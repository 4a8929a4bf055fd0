/** The shell itself: help, source, history, echo, cache. */
import { readFile, stat } from "node:fs/promises";
import { printable } from "../../../client/errors.ts";
import { alignment } from "../../columns.ts";
import { type Call, type ShellCommand, TOPICS } from "../command.ts";
import { ShellError, UsageError } from "../errors.ts";
import { NESTING_MOST, SCRIPT_MOST } from "../limits.ts";
import { localPath } from "../place.ts";

export const MORE_COMMANDS: readonly ShellCommand[] = [
  {
    name: "help",
    aliases: ["?"],
    topic: "more",
    usage: "[COMMAND]",
    help: "show all commands, or how one is used",
    completes: "command",
    run: help,
  },
  {
    name: "source",
    aliases: ["."],
    topic: "more",
    usage: "FILE",
    help: "run the commands of a file",
    completes: "local",
    run: source,
  },
  {
    name: "history",
    topic: "more",
    usage: "[COUNT]",
    help: "show the last commands",
    run: async (call) => {
      const count = Number(call.words[0]?.text ?? "20");
      const lines = call.shell.history();
      for (const line of lines.slice(0, Number.isSafeInteger(count) && count > 0 ? count : 20).toReversed()) {
        await call.line(printable(line));
      }
    },
  },
  {
    name: "echo",
    topic: "more",
    usage: "TEXT...",
    help: "show a text",
    run: async (call) => await call.line(call.words.map(({ text }) => text).join(" ")),
  },
  {
    name: "cache",
    aliases: ["rehash"],
    topic: "more",
    usage: "",
    help: "forget the names that completion remembers",
    run: async (call) => call.shell.names.clear(),
  },
];

const OUTRO = [
  "",
  "A beginning that only one command has is enough. ; && || & # are as in sh, > >> write to a file here,",
  "| hands on to a program here, !COMMAND runs one. Ctrl-C ends what runs, Ctrl-Z sends it to the background,",
  "Ctrl-D ends the shell. help COMMAND says more.",
];

async function help(call: Call): Promise<void> {
  const [name] = call.words;
  const { table } = call.shell;
  if (name !== undefined) {
    const found = table.find(name.text);
    if (!found.ok) throw new ShellError(found.problem);
    const { command } = found;
    await call.line(`${command.name} ${command.usage}`.trimEnd());
    await call.line(`  ${command.help}`);
    for (const line of command.more ?? []) await call.line(`  ${line}`);
    const { aliases = [] } = command;
    if (aliases.length > 0) await call.line(`  also: ${aliases.join(", ")}`);
    return;
  }
  const rows = table.all.map(({ name: each, help: text }) => [`  ${each}`, text] as const);
  const line = alignment(rows);
  for (const topic of TOPICS) {
    await call.line(`${topic}:`);
    for (const command of table.all) {
      if (command.topic === topic) await call.line(line([`  ${command.name}`, command.help]));
    }
  }
  for (const each of OUTRO) await call.line(each);
}

async function source(call: Call): Promise<void> {
  const [word] = call.words;
  if (word === undefined) throw new UsageError("which file?");
  if (call.depth >= NESTING_MOST) throw new ShellError(`files are read by files more than ${NESTING_MOST} levels deep`);
  const text = await readCommands(localPath(call.place, word));
  if (!(await call.shell.run(text, { ...call, depth: call.depth + 1 })))
    throw new ShellError("a command of the file failed");
}

/** @throws {ShellError} for a file that is too large to be one of commands. */
export async function readCommands(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > SCRIPT_MOST) throw new ShellError(`${path} has more than ${SCRIPT_MOST} octets`);
  return await readFile(path, "utf8");
}
