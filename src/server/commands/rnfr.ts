import { reply } from "../../protocol/reply.ts";
import { pathArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";

export const rnfr: Command = command({
  verb: "RNFR",
  access: "signed-in",
  help: "RNFR <path> - name the file that RNTO renames",
  source: "RFC 959 §4.1.3",
  parse: pathArgument,
  async run({ session, argument: path, say }) {
    await session.workspace.statForRename(path);
    say(reply(350, "Ready for RNTO."));
    return { ...session, pending: { rename: path } };
  },
});
