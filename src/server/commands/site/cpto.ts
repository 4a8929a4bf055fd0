import { reply } from "../../../protocol/reply.ts";
import { pathArgument } from "../../arguments.ts";
import { type Command, command } from "../../command.ts";
import { Refusal } from "../../errors.ts";
import { longWork } from "../../long-work.ts";

export const cpto: Command = command({
  verb: "CPTO",
  access: "signed-in",
  help: "SITE CPTO <path> - copy SITE CPFR's file to this path",
  source: "SITE CPTO as in ProFTPD mod_copy",
  parse(argument, session) {
    if (session.pending?.copy === undefined) throw new Refusal(503, "SITE CPFR comes first.");
    return { from: session.pending.copy, to: pathArgument(argument, session) };
  },
  async run({ session, argument: { from, to }, context, say }) {
    await longWork(context, to, async (signal) => session.workspace.copy(from, to, signal));
    say(reply(250, "Copied."));
    return session;
  },
});
