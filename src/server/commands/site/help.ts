import { reply } from "../../../protocol/reply.ts";
import { noArgument } from "../../arguments.ts";
import { type Command, command } from "../../command.ts";

export const help: Command = command({
  verb: "HELP",
  access: "signed-in",
  help: "SITE HELP - list the SITE subcommands",
  source: "SITE HELP as in wu-ftpd",
  parse: noArgument,
  async *run({ session, context }) {
    const lines = [...context.siteCommands.values()].map((each) => ` ${each.help}`);
    yield reply(214, "SITE subcommands:", ...lines, "End");
    return session;
  },
});
