/** Switches: type, passive, verbose, debug, hash, prompt and their like, `set` and `alias`. */
import { alignment } from "../../columns.ts";
import { printable } from "../../../client/errors.ts";
import type { Call, ShellCommand, Topic } from "../command.ts";
import { ShellError, UsageError } from "../errors.ts";
import { ALIASES_MOST } from "../limits.ts";
import { type SettingName, settingName } from "../settings.ts";
import { renewed } from "./connection.ts";
import { quoted } from "../words.ts";

export const SETTING_COMMANDS: readonly ShellCommand[] = [
  {
    name: "set",
    topic: "settings",
    usage: "[NAME [VALUE]]",
    help: "show what can be set, or set it",
    examples: ["set", "set parallel 8", "set rate 500KiB"],
    completes: "set",
    run: set,
  },
  {
    name: "binary",
    aliases: ["image", "bin"],
    topic: "settings",
    usage: "",
    help: "move octets as they are (so it is from the start)",
    run: async (call) => await change(call, "type", "binary"),
  },
  {
    name: "ascii",
    topic: "settings",
    usage: "",
    help: "move texts, with the line ends of this host",
    run: async (call) => await change(call, "type", "ascii"),
  },
  {
    name: "type",
    topic: "settings",
    usage: "[binary | ascii]",
    help: "show or set what files are taken for",
    run: async (call) => {
      const [word] = call.words;
      if (word === undefined) return await call.line(call.shell.settings.get("type"));
      const text = word.text.toLowerCase();
      const value = { a: "ascii", i: "binary", image: "binary", l: "binary" }[text] ?? text;
      await change(call, "type", value);
    },
  },
  {
    name: "passive",
    topic: "settings",
    usage: "[on | off]",
    help: "connect to the server for data (EPSV, PASV); off: as active",
    run: async (call) => {
      const value = call.words[0]?.text ?? (call.shell.settings.modes()?.includes("epsv") === true ? "off" : "on");
      await change(call, "modes", value === "off" ? "eprt,port" : "epsv,pasv");
    },
  },
  {
    name: "active",
    topic: "settings",
    usage: "",
    help: "let the server connect to this host for data (EPRT, PORT)",
    run: async (call) => await change(call, "modes", "eprt,port"),
  },
  {
    name: "epsv",
    aliases: ["epsv4"],
    topic: "settings",
    usage: "[on | off]",
    help: "whether EPSV is used before PASV",
    run: async (call) => {
      const isOn = call.shell.settings.modes()?.includes("epsv") ?? true;
      const value = call.words[0]?.text ?? (isOn ? "off" : "on");
      await change(call, "modes", value === "off" ? "pasv,eprt,port" : "auto");
    },
  },
  toggle("verbose", "show the replies of the server"),
  {
    name: "debug",
    topic: "settings",
    usage: "[LEVEL | on | off]",
    help: "show what goes to and fro, passwords masked; alone: on, or off",
    more: ["0 nothing, 1 refusals, 2 replies, 3 (on) commands too, 4 and more: times too."],
    examples: ["debug 2", "debug off"],
    run: async (call) => {
      const { settings } = call.shell;
      await change(call, "debug", call.words[0]?.text ?? (settings.get("debug") === "0" ? "on" : "off"));
      if (call.shell.isTerminal) call.say(`debug is ${settings.get("debug")}`);
    },
  },
  toggle("prompt", "ask about each file of mget, mput and mdelete"),
  toggle("glob", "understand * and ? in names"),
  toggle("bell", "ring after each command that moved files"),
  { ...toggle("progress", "show how far transfers have come"), aliases: ["hash", "tick"] },
  {
    name: "alias",
    topic: "settings",
    usage: "[NAME [COMMANDS]]",
    help: "show what names stand for, or let one stand for commands",
    more: ["Quotes keep commands together. An empty text takes the name away."],
    examples: ["alias up 'put -c *.log; ls'", "unalias up"],
    run: alias,
  },
  {
    name: "unalias",
    topic: "settings",
    usage: "NAME...",
    help: "let names stand for nothing",
    run: async (call) => {
      for (const { text } of call.words) {
        if (!call.shell.aliases.delete(text)) throw new ShellError(`"${text}" stands for nothing`);
      }
    },
  },
];

/** Without a word the other way round, as ftp has it. */
export function toggle(name: SettingName, help: string, topic: Topic = "settings"): ShellCommand {
  return {
    name,
    topic,
    usage: "[on | off]",
    help: `${help}, or not`,
    run: async (call) => {
      const value = call.words[0]?.text ?? (call.shell.settings.isOn(name) ? "off" : "on");
      await change(call, name, value);
      if (call.shell.isTerminal) call.say(`${name} is ${call.shell.settings.get(name)}`);
    },
  };
}

async function set(call: Call): Promise<void> {
  const [name, ...values] = call.words;
  const { settings } = call.shell;
  if (name === undefined) {
    const rows = settings.rows();
    const line = alignment(rows);
    for (const row of rows) await call.line(line(row));
    return;
  }
  const [left = "", ...right] = name.text.split("=");
  const value = [...(right.length === 0 ? [] : [right.join("=")]), ...values.map(({ text }) => text)].join(" ");
  if (value === "")
    return await call.line(`${settingName(left)} ${settings.get(settingName(left)).replace("\t", " ")}`);
  await change(call, left, value);
}

/** What a connection is opened with holds for one that is open, too: it is opened anew, in the same folder. */
export async function change(call: Call, name: string, value: string): Promise<void> {
  const { settings, connection } = call.shell;
  const known = settingName(name);
  const before = settings.get(known);
  if (!settings.set(known, value) || connection.client === undefined) return;
  try {
    await renewed(call, {});
  } catch (error) {
    settings.set(known, before);
    throw error;
  }
}

async function alias(call: Call): Promise<void> {
  const { aliases } = call.shell;
  const [name, ...rest] = call.words;
  if (name === undefined) {
    for (const [each, text] of aliases) await call.line(`alias ${printable(each)} ${quoted(text)}`);
    return;
  }
  if (!/^[\w.?-]{1,64}$/.test(name.text)) throw new UsageError("a name of letters, digits, - and _");
  const text = rest.map((word) => word.text).join(" ");
  if (rest.length === 0) {
    const known = aliases.get(name.text);
    if (known === undefined) throw new ShellError(`"${name.text}" stands for nothing`);
    await call.line(known);
  } else if (text === "") aliases.delete(name.text);
  else if (aliases.size >= ALIASES_MOST) throw new ShellError(`there are ${ALIASES_MOST} aliases already`);
  else aliases.set(name.text, text);
}
