import { reply } from "../../protocol/reply.ts";
import { pathArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";

export const rmd: Command = command({
  verb: "RMD",
  aliases: ["XRMD"],
  access: "signed-in",
  help: "RMD <path> - remove an empty directory",
  source: "RFC 959 §4.1.3",
  parse: pathArgument,
  async run({ session, argument: path, say }) {
    await session.workspace.removeDirectory(path);
    say(reply(250, "Directory removed."));
    return session;
  },
});
