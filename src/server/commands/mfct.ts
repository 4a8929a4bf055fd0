import { reply } from "../../protocol/reply.ts";
import { type Command, command } from "../command.ts";
import { timeArgument, timeReply } from "../set-time.ts";

export const mfct: Command = command({
  verb: "MFCT",
  access: "signed-in",
  // Not in FEAT: no storage of ours keeps a time of creation yet, and draft-somers §4 asks that it be listed only where it works.
  help: "MFCT <YYYYMMDDHHMMSS> <path> - set the time of creation, where the storage keeps one",
  source: "draft-somers-ftp-mfxx-03 §4",
  parse: timeArgument,
  async run({ session, argument: order, say }) {
    await session.workspace.setTimes(order.path, { created: order.time });
    say(reply(213, timeReply("Create", order)));
    return session;
  },
});
