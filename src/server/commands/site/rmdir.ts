import { reply } from "../../../protocol/reply.ts";
import { pathArgument } from "../../arguments.ts";
import { type Command, command } from "../../command.ts";

export const rmdir: Command = command({
  verb: "RMDIR",
  access: "signed-in",
  help: "SITE RMDIR <path> - remove an empty directory",
  source: "SITE RMDIR as in ProFTPD mod_site_misc",
  parse: pathArgument,
  async run({ session, argument: path, say }) {
    await session.workspace.removeDirectory(path);
    say(reply(200, "SITE RMDIR done."));
    return session;
  },
});
