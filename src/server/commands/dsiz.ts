import { reply } from "../../protocol/reply.ts";
import { optionalPath } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { longWork } from "../long-work.ts";

export const dsiz: Command = command({
  verb: "DSIZ",
  access: "signed-in",
  feature: () => ["DSIZ"],
  help: "DSIZ [path] - how many octets the files of a directory have, its subdirectories' too",
  source: "common use: Titan, FTP Voyager",
  parse: optionalPath,
  async run({ session, argument: path, context, say }) {
    const size = await longWork(context, path, async (signal) => session.workspace.sizeOfTree(path, signal));
    say(reply(213, `${size}`));
    return session;
  },
});
