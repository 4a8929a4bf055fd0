import { joined } from "../../protocol/octets.ts";
import { splitWord } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";
import type { Session } from "../session.ts";
import { SITE_COMMANDS } from "./site/index.ts";

/** Only finds the subcommand: each has its own access, rights and rules, like any other command (attack 17). */
export const site: Command = command({
  verb: "SITE",
  access: "signed-in",
  feature: () => [...SITE_COMMANDS.values()].flatMap((each) => (each.verb === "HELP" ? [] : [`SITE ${each.verb}`])),
  // What a subcommand sets for the next one (CPFR) it says by itself; `dispatch` compares.
  help: "SITE <subcommand> - what FTP has no verb for; SITE HELP lists them",
  source: "RFC 959 §4.1.3",
  parse(argument) {
    const [name, rest] = splitWord(argument);
    if (name === "") throw new Refusal(501, "SITE needs a subcommand; SITE HELP lists them.");
    const found = SITE_COMMANDS.get(name.toUpperCase());
    if (found === undefined) throw new Refusal(504, "Unknown SITE subcommand; SITE HELP lists them.");
    return { found, rest: joined(rest) };
  },
  async run({ session, argument: { found, rest }, context, say }): Promise<Session> {
    return found.execute({ session, argument: rest, context, say });
  },
});
