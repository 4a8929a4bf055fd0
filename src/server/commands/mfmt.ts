import { reply } from "../../protocol/reply.ts";
import { type Command, command } from "../command.ts";
import { timeArgument, timeReply } from "../set-time.ts";

export const mfmt: Command = command({
  verb: "MFMT",
  access: "signed-in",
  feature: () => ["MFMT"],
  help: "MFMT <YYYYMMDDHHMMSS> <path> - set the time of the last change, in UTC",
  source: "draft-somers-ftp-mfxx-03 §3",
  parse: timeArgument,
  async run({ session, argument: order, say }) {
    await session.workspace.setTimes(order.path, { modified: order.time });
    say(reply(213, timeReply("Modify", order)));
    return session;
  },
});
