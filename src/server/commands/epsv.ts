import { familyOf } from "../../net/addresses.ts";
import { format229 } from "../../protocol/host-port.ts";
import { reply } from "../../protocol/reply.ts";
import { word } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

/** Numbers of the network protocols (RFC 2428 §2, the address families of RFC 1700). */
const FAMILY_NUMBER = { IPv4: "1", IPv6: "2" } as const;

export const epsv: Command = command({
  verb: "EPSV",
  access: "signed-in",
  feature: () => ["EPSV"],
  data: "extended-passive",
  keepsPending: true,
  help: "EPSV [1|2|ALL] - the server opens a port for data; ALL: no other way will be used",
  source: "RFC 2428 §3",
  parse(argument) {
    const asked = word(argument);
    if (asked !== "" && asked !== "ALL" && !/^\d{1,5}$/.test(asked)) {
      throw new Refusal(501, "EPSV takes no argument, 1 (IPv4), 2 (IPv6) or ALL.");
    }
    return asked;
  },
  run({ session, argument: asked, context, say }) {
    if (asked === "ALL") {
      say(reply(200, "EPSV ALL is in force."));
      return { ...session, epsvAll: true };
    }
    const ours = FAMILY_NUMBER[familyOf(context.local.address)];
    // The client has no address for another family than the one it reached us on (RFC 2428 §3).
    if (asked !== "" && asked !== ours) throw new Refusal(522, `Network protocol not supported, use (${ours}).`);
    const planned = (port: number): typeof session => {
      say(reply(229, format229(port)));
      return session;
    };
    const port = context.data.planPassive();
    return port instanceof Promise ? port.then(planned) : planned(port);
  },
});
