/** The shell itself: help, source, local, history, echo, cache. */
import { readFile, stat } from "node:fs/promises";
import { printable } from "../../../client/errors.ts";
import { alignment } from "../../columns.ts";
import { shellWord } from "../../../net/tls/credential-file.ts";
import { type Call, type ShellCommand, TOPICS } from "../command.ts";
import { ShellError, UsageError } from "../errors.ts";
import { NESTING_MOST, SCRIPT_MOST } from "../limits.ts";
import { localPath } from "../place.ts";
import { quoted } from "../words.ts";

export const MORE_COMMANDS: readonly ShellCommand[] = [
  {
    name: "help",
    aliases: ["?"],
    topic: "shell",
    usage: "[COMMAND | GROUP | all]",
    help: "show all commands, or how one is used",
    examples: ["help get", "help transfers", "help all | less"],
    completes: "command",
    run: help,
  },
  {
    name: "source",
    aliases: ["."],
    topic: "shell",
    usage: "FILE",
    help: "run the commands of a file",
    completes: "local",
    run: source,
  },
  {
    name: "local",
    topic: "shell",
    usage: "COMMAND...",
    help: "run a command for this host: cd, pwd, ls, mkdir, or a program",
    examples: ["local pwd", "local mv a.txt b.txt"],
    foreground: true,
    run: local,
  },
  {
    name: "history",
    topic: "shell",
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
    topic: "shell",
    usage: "TEXT...",
    help: "show a text",
    run: async (call) => await call.line(call.words.map(({ text }) => text).join(" ")),
  },
  {
    name: "cache",
    aliases: ["rehash"],
    topic: "shell",
    usage: "",
    help: "forget the names that completion remembers",
    run: async (call) => call.shell.names.clear(),
  },
];

const OUTRO = [
  "A beginning that only one has will do, in capitals too. As in sh: ; && || & #",
  "> FILE, | PROGRAM; !PROGRAM runs here. Ctrl-C ends it, Ctrl-Z puts it beside.",
  "  get -c a.iso &    mput *.csv    mirror -R site /www    ls -t | less    cd -",
  "help COMMAND says more, help GROUP what each of it does, help all all of them.",
];
/** Columns of a line of help: one less than those of any terminal. */
const HELP_COLUMNS = 79;

async function help(call: Call): Promise<void> {
  const [word] = call.words;
  const { table } = call.shell;
  if (word === undefined) {
    for (const line of overview(table.all)) await call.line(line);
    return;
  }
  const text = word.text.toLowerCase();
  const topics = TOPICS.filter((topic) => text === "all" || topic === text);
  const found = table.find(text);
  if (topics.length === 0 && !found.ok) throw new ShellError(found.problem);
  if (found.ok && (topics.length === 0 || found.command.name === text)) {
    for (const line of described(found.command)) await call.line(line);
  }
  const line = alignment(table.all.map(({ name }) => [`  ${name}`]));
  for (const topic of topics) {
    await call.line(`${topic}:`);
    for (const command of table.all) {
      if (command.topic === topic) await call.line(line([`  ${command.name}`, command.help]));
    }
  }
}

/** All names, group by group. */
function overview(commands: readonly ShellCommand[]): readonly string[] {
  const indent = Math.max(...TOPICS.map((topic) => topic.length)) + 2;
  const lines = TOPICS.flatMap((topic) => {
    const words = commands
      .filter((each) => each.topic === topic)
      .flatMap(({ name, aliases = [] }) => [name, ...aliases]);
    return wrapped(words, HELP_COLUMNS - indent).map((line, at) => (at === 0 ? topic : "").padEnd(indent) + line);
  });
  return [...lines, ...OUTRO];
}

/** @param width columns of a line. */
function wrapped(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function described({
  name,
  usage,
  help: text,
  more = [],
  examples = [],
  aliases = [],
}: ShellCommand): readonly string[] {
  return [
    `${name} ${usage}`.trimEnd(),
    `  ${text}`,
    ...more.map((line) => `  ${line}`),
    ...(aliases.length === 0 ? [] : [`  also: ${aliases.join(", ")}`]),
    ...(examples.length === 0 ? [] : ["examples:", ...examples.map((line) => `  ${line}`.trimEnd())]),
  ];
}

/** What has a command of ours is that, so that `local cd` changes our folder and not that of a program. */
async function local(call: Call): Promise<void> {
  const [first, ...rest] = call.words;
  if (first === undefined) throw new UsageError("which command?");
  const own = { cd: "lcd", pwd: "lpwd", ls: "lls", dir: "lls", mkdir: "lmkdir" }[first.text.toLowerCase()];
  if (own !== undefined) {
    const words = rest.map((word) => (word.isGlob || word.isHome ? word.pattern : quoted(word.text)));
    if (!(await call.shell.run([own, ...words].join(" "), call))) throw new ShellError("it failed");
    return;
  }
  const words = [first, ...rest].map((word) => (word.isGlob ? word.text : shellWord(word.text)));
  if (!(await call.shell.program(words.join(" "), call))) throw new ShellError(`${printable(first.text)} failed`);
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
