/** How names change on their way, and macros, as ftp has them: case, nmap, ntrans, runique, sunique, cr, macdef, $. */
import { printable } from "../../../client/errors.ts";
import type { Call, ShellCommand } from "../command.ts";
import { ShellError, UsageError } from "../errors.ts";
import { MACRO_LINES_MOST, NESTING_MOST } from "../limits.ts";
import { keepMacro, macroText } from "../macros.ts";
import { quoted } from "../words.ts";
import { change, toggle } from "./settings.ts";

export const NAME_COMMANDS: readonly ShellCommand[] = [
  toggle("case", "write names in capitals in small letters here", "names"),
  toggle("runique", "let files here stay, and number new ones (.1, .2 ...)", "names"),
  toggle("sunique", "let files of the server stay, and number new ones", "names"),
  {
    name: "nmap",
    topic: "names",
    usage: "[PATTERN NEW | off]",
    help: "change names of get and put: $1 to $9 are parts of them",
    more: [
      "PATTERN takes a name apart, NEW puts it together; $0 is all of it, [A,B] is A,",
      "or B where A is empty. Alone it shows what is set; off ends it.",
    ],
    examples: ["nmap $1.$2 $1-2026.$2", "nmap $1.$2 [$2,txt]-$1", "nmap off"],
    run: async (call) => await rule(call, "nmap"),
  },
  {
    name: "ntrans",
    topic: "names",
    usage: "[CHARACTERS [NEW] | off]",
    help: "change characters of the names of get and put",
    more: ["Each of CHARACTERS becomes the one at its place in NEW, or goes away."],
    examples: ["ntrans ' :' __", "ntrans off"],
    run: async (call) => await rule(call, "ntrans"),
  },
  {
    name: "cr",
    topic: "names",
    usage: "",
    help: "say what becomes of line ends (there is nothing to set)",
    more: ["ascii gives texts the line ends of the host they go to; binary keeps octets."],
    run: async (call) =>
      await call.line("texts (ascii) get the line ends of this host; binary keeps every octet as it is"),
  },
  {
    name: "macdef",
    topic: "names",
    usage: "NAME",
    help: "let the lines that follow, up to an empty one, be a macro",
    more: [
      "$1 to $9 are the words behind its name, $i each in turn, \\$ a dollar sign.",
      "The macro init in the entry of ~/.netrc runs after the login.",
    ],
    examples: ["macdef up", "  put $1", "  chmod 644 $1", "", "$ up index.html"],
    foreground: true,
    run: macdef,
  },
  {
    name: "macro",
    aliases: ["$"],
    topic: "names",
    usage: "[NAME [WORD...]]",
    help: "run a macro; alone: show them",
    examples: ["$ up index.html", "$up index.html"],
    run: macro,
  },
];

async function rule(call: Call, name: "nmap" | "ntrans"): Promise<void> {
  const { settings } = call.shell;
  if (call.words.length > 0) return await change(call, name, call.words.map(({ text }) => text).join("\t"));
  await call.line(`${name} ${settings.get(name).split("\t").map(quoted).join(" ")}`);
}

async function macdef(call: Call): Promise<void> {
  const [name, ...others] = call.words;
  if (name === undefined || others.length > 0) throw new UsageError("one name");
  const lines: string[] = [];
  if (call.shell.isTerminal) call.say("Its lines, and an empty one at the end:");
  for (let line = await call.nextLine("macdef> "); line !== undefined; line = await call.nextLine("macdef> ")) {
    if (line.trim() === "") break;
    // One more than may be, so that it is told.
    if (lines.length <= MACRO_LINES_MOST) lines.push(line);
  }
  if (call.signal.aborted) return;
  keepMacro(call.shell.macros, { name: name.text, lines });
}

async function macro(call: Call): Promise<void> {
  const [name, ...words] = call.words;
  const { macros } = call.shell;
  if (name === undefined) {
    for (const [each, lines] of macros) {
      await call.line(printable(each));
      for (const line of lines) await call.line(`  ${printable(line)}`);
    }
    return;
  }
  const lines = macros.get(name.text);
  if (lines === undefined) throw new ShellError(`there is no macro "${name.text}": macdef ${name.text} makes one`);
  if (call.depth >= NESTING_MOST) throw new ShellError(`macros are more than ${NESTING_MOST} levels deep`);
  const text = macroText(
    lines,
    words.map((word) => word.text),
  );
  if (!(await call.shell.run(text, { ...call, depth: call.depth + 1 })))
    throw new ShellError("a command of the macro failed");
}
