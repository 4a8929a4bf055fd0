import { reply } from "../../../protocol/reply.ts";
import { pathArgument } from "../../arguments.ts";
import { type Command, command } from "../../command.ts";

export const mkdir: Command = command({
  verb: "MKDIR",
  access: "signed-in",
  help: "SITE MKDIR <path> - make a directory",
  source: "SITE MKDIR as in ProFTPD mod_site_misc",
  parse: pathArgument,
  async run({ session, argument: path, say }) {
    await session.workspace.makeDirectory(path);
    say(reply(200, "SITE MKDIR done."));
    return session;
  },
});
