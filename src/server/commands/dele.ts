import { reply } from "../../protocol/reply.ts";
import { pathArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";

export const dele: Command = command({
  verb: "DELE",
  access: "signed-in",
  help: "DELE <path> - delete a file",
  source: "RFC 959 §4.1.3",
  parse: pathArgument,
  async run({ session, argument: path, say }) {
    await session.workspace.remove(path);
    say(reply(250, "Deleted."));
    return session;
  },
});
