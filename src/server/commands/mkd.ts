import { quotePath, reply } from "../../protocol/reply.ts";
import { pathArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";

export const mkd: Command = command({
  verb: "MKD",
  aliases: ["XMKD"],
  access: "signed-in",
  help: "MKD <path> - make a directory",
  source: "RFC 959 §4.1.3",
  parse: pathArgument,
  async run({ session, argument: path, say }) {
    await session.workspace.makeDirectory(path);
    say(reply(257, `${quotePath(path)} created.`));
    return session;
  },
});
