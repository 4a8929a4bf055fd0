import { reply } from "../../protocol/reply.ts";
import { pathArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

export const rnto: Command = command({
  verb: "RNTO",
  access: "signed-in",
  help: "RNTO <path> - the new name for RNFR's file",
  source: "RFC 959 §4.1.3",
  parse(argument, session) {
    if (session.pending?.rename === undefined) throw new Refusal(503, "RNFR comes first.");
    return { from: session.pending.rename, to: pathArgument(argument, session) };
  },
  async run({ session, argument: { from, to }, say }) {
    await session.workspace.rename(from, to);
    say(reply(250, "Renamed."));
    return session;
  },
});
