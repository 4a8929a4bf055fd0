import { reply } from "../../protocol/reply.ts";
import { noArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";
import { isPrivate } from "../session.ts";

export const ccc: Command = command({
  verb: "CCC",
  access: "signed-in",
  feature: (_session, { tls }) => (tls.isOffered && tls.settings.ccc ? ["CCC"] : []),
  keepsPending: true,
  help: "CCC - commands in clear from here on, so that a firewall can read them",
  source: "RFC 4217 §5",
  parse: noArgument,
  run({ session, context, say }) {
    if (!isPrivate(session) || session.security === undefined) {
      throw new Refusal(533, "There is no TLS on this control connection.");
    }
    if (!context.tls.settings.ccc) throw new Refusal(534, "CCC is switched off on this server.", "tls.ccc");
    say(reply(200, "The control connection is in clear from here on."));
    context.tls.clearControl();
    return { ...session, security: { ...session.security, control: "cleared" } };
  },
});
