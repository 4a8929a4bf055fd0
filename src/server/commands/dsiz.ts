import { reply } from "../../protocol/reply.ts";
import { optionalPath } from "../arguments.ts";
import { type Command, command } from "../command.ts";

export const dsiz: Command = command({
  verb: "DSIZ",
  access: "signed-in",
  feature: () => ["DSIZ"],
  help: "DSIZ [path] - how many octets the files of a directory have, its subdirectories' too",
  source: "common use: Titan, FTP Voyager",
  parse: optionalPath,
  async *run({ session, argument: path, context }) {
    yield reply(213, `${await session.workspace.sizeOfTree(path, context.signal)}`);
    return session;
  },
});
