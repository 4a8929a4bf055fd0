import { reply } from "../../protocol/reply.ts";
import { noArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { commonOf } from "../session.ts";

export const rein: Command = command({
  verb: "REIN",
  access: "anyone",
  help: "REIN - begin anew, as after the greeting",
  source: "RFC 959 §4.1.1",
  parse: noArgument,
  async *run({ session, context }) {
    context.data.clear();
    await context.leaveWorkspace();
    yield reply(220, "Ready for a new user.");
    const { failures } = commonOf(session);
    return { step: "greeted", ...(failures === undefined ? {} : { failures }) };
  },
});
