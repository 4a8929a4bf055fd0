import { ROOT } from "../../protocol/path.ts";
import { reply } from "../../protocol/reply.ts";
import { StorageError } from "../../workspace/files.ts";
import { pathArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";

export const rmda: Command = command({
  verb: "RMDA",
  access: "signed-in",
  feature: () => ["RMDA <path>"],
  help: "RMDA <path> - remove a directory and all that is in it",
  source: "common use: FTP Voyager, Gene6",
  parse: pathArgument,
  async *run({ session, argument: path, context }) {
    // Said before all that is in it is gone.
    if (path === ROOT) throw new StorageError("is-root", path);
    await session.workspace.removeTree(path, context.signal);
    yield reply(250, "Directory and its contents removed.");
    return session;
  },
});
