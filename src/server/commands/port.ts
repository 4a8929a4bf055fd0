import { parsePort } from "../../protocol/host-port.ts";
import { reply } from "../../protocol/reply.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

export const port: Command = command({
  verb: "PORT",
  access: "signed-in",
  data: "active",
  keepsPending: true,
  help: "PORT <h1,h2,h3,h4,p1,p2> - the server connects to this address for data",
  source: "RFC 959 §4.1.2",
  parse(argument) {
    const remote = parsePort(argument);
    if (remote === undefined) throw new Refusal(501, "PORT needs six numbers: h1,h2,h3,h4,p1,p2.");
    return remote;
  },
  run({ session, argument: remote, context, say }) {
    context.data.planActive(remote);
    say(reply(200, "PORT command successful; EPSV or PASV pass more firewalls."));
    return session;
  },
});
