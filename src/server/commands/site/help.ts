import { type Reply, reply } from "../../../protocol/reply.ts";
import { noArgument } from "../../arguments.ts";
import { type Command, command } from "../../command.ts";
import type { Context } from "../../context.ts";

export const help: Command = command({
  verb: "HELP",
  access: "signed-in",
  help: "SITE HELP - list the SITE subcommands",
  source: "SITE HELP as in wu-ftpd",
  parse: noArgument,
  run({ session, context, say }) {
    say(siteHelp(context));
    return session;
  },
});

/** The answer to SITE HELP and HELP SITE. */
export function siteHelp({ siteCommands }: Context): Reply {
  const lines = [...siteCommands.values()].map((each) => ` ${each.help}`);
  return reply(214, "SITE subcommands:", ...lines, "End");
}
