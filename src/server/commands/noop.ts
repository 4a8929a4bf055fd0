import { reply } from "../../protocol/reply.ts";
import { noArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";

export const noop: Command = command({
  verb: "NOOP",
  access: "anyone",
  urgent: "in-turn",
  keepsPending: true,
  help: "NOOP - do nothing, successfully",
  source: "RFC 959 §4.1.3",
  parse: noArgument,
  run({ session, say }) {
    say(reply(200, "NOOP done."));
    return session;
  },
});
