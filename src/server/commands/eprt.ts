import { parseEprt } from "../../protocol/host-port.ts";
import { reply } from "../../protocol/reply.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

export const eprt: Command = command({
  verb: "EPRT",
  access: "signed-in",
  feature: () => ["EPRT"],
  data: "active",
  keepsPending: true,
  help: "EPRT <|family|address|port|> - the server connects to this address for data",
  source: "RFC 2428 §2",
  parse(argument) {
    const found = parseEprt(argument);
    if (found === undefined) throw new Refusal(501, "EPRT needs |1|IPv4 address|port| or |2|IPv6 address|port|.");
    if (found.kind === "other-family") throw new Refusal(522, "Network protocol not supported, use (1,2).");
    return found.hostPort;
  },
  run({ session, argument: remote, context, say }) {
    context.data.planActive(remote);
    say(reply(200, "EPRT command successful; EPSV passes more firewalls."));
    return session;
  },
});
