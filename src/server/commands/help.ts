import { reply } from "../../protocol/reply.ts";
import { splitWord, word } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { siteHelp } from "./site/help.ts";

/** Verbs on a line of HELP: eight of up to four letters fill the 80 columns of a terminal. */
const PER_LINE = 8;

export const help: Command = command({
  verb: "HELP",
  access: "anyone",
  keepsPending: true,
  help: "HELP [command] - list the commands, or tell of one",
  source: "RFC 959 §4.1.3",
  parse: word,
  run({ session, argument: asked, context, say }) {
    if (asked !== "") {
      const [verb, subcommand] = splitWord(asked);
      if (asked === "SITE") {
        say(siteHelp(context));
        return session;
      }
      const found = verb === "SITE" ? context.siteCommands.get(subcommand) : context.commands.get(asked);
      // The name that was asked for is not repeated (attack 12).
      if (found === undefined) say(reply(502, "No such command; HELP lists them all."));
      else say(reply(214, `Syntax: ${found.help}`));
      return session;
    }
    const verbs = [...new Set([...context.commands.values()].map(({ verb }) => verb.padEnd(8)))].toSorted();
    const lines: string[] = [];
    for (let at = 0; at < verbs.length; at += PER_LINE)
      lines.push(` ${verbs.slice(at, at + PER_LINE).join("")}`.trimEnd());
    say(reply(214, "Commands known here:", ...lines, "HELP <command> tells of one; HELP SITE of its subcommands."));
    return session;
  },
});
