import { familyOf } from "../../net/addresses.ts";
import { format227 } from "../../protocol/host-port.ts";
import { reply } from "../../protocol/reply.ts";
import { noArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

export const pasv: Command = command({
  verb: "PASV",
  access: "signed-in",
  feature: () => ["PASV"],
  data: "passive",
  keepsPending: true,
  help: "PASV - the server opens a port for data",
  source: "RFC 959 §4.1.2",
  parse: noArgument,
  async run({ session, context, say }) {
    if (familyOf(context.local.address) === "IPv6") {
      throw new Refusal(425, "PASV can name IPv4 addresses alone and this connection is IPv6: use EPSV.", "pasv.ipv6");
    }
    const leased = await context.data.planPassive();
    const address = context.settings.advertise ?? context.local.address;
    say(reply(227, format227({ family: "IPv4", address, port: leased })));
    return session;
  },
});
