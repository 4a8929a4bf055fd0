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
  async run({ session, context, say }) {
    context.data.clear();
    await context.leaveWorkspace();
    const { security } = commonOf(session);
    say(reply(220, "Ready for a new user."));
    // RFC 4217 §13: TLS ends too. Where the port itself means TLS there is nothing to go back to.
    const stays = context.tls.isImplicit && security !== undefined;
    if (security !== undefined && !stays) context.tls.end(security.control === "cleared");
    return {
      step: "greeted",
      ...(stays ? { security: { control: "private", pbsz: true, prot: "private" } as const } : {}),
    };
  },
});
