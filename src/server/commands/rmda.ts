import { reply } from "../../protocol/reply.ts";
import { pathArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { longWork } from "../long-work.ts";

export const rmda: Command = command({
  verb: "RMDA",
  access: "signed-in",
  feature: () => ["RMDA <path>"],
  help: "RMDA <path> - remove a directory and all that is in it",
  source: "common use: FTP Voyager, Gene6",
  parse: pathArgument,
  async run({ session, argument: path, context, say }) {
    await longWork(context, path, async (signal) => session.workspace.removeTree(path, signal));
    say(reply(250, "Directory and its contents removed."));
    return session;
  },
});
