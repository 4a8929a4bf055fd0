import { textOf } from "../../base/bytes.ts";
import { reply } from "../../protocol/reply.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

/** A name, an IPv4 address, or an IPv6 one in brackets (RFC 7151 §3.1). */
const HOST_NAME = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]{2,45}\])$/;

export const host: Command = command({
  verb: "HOST",
  access: "anyone",
  feature: () => ["HOST"],
  help: "HOST <name> - choose a virtual host, before USER",
  source: "RFC 7151 §3",
  parse(argument) {
    const name = textOf(argument).trim();
    if (!HOST_NAME.test(name)) throw new Refusal(501, "HOST needs a host name or an address.");
    return name.toLowerCase().replace(/\.$/, "");
  },
  run({ session, argument: name, context, say }) {
    // RFC 7151 §3.3: after a login, or between USER and PASS, it is too late.
    if (session.step !== "greeted") throw new Refusal(503, "HOST comes before USER.");
    const known = context.settings.hosts.map((each) => each.toLowerCase());
    if (known.length > 0 && !known.includes(name)) throw new Refusal(504, "Unknown virtual host.");
    say(reply(220, "Host accepted."));
    return { ...session, host: name };
  },
});
