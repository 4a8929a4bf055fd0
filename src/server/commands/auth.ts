import { reply } from "../../protocol/reply.ts";
import { word } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";
import { type Session, commonOf } from "../session.ts";

/** Names for TLS, old drafts' among them; with SSL and TLS-P data connections are private from the start. */
const MECHANISMS: ReadonlyMap<string, "clear" | "private"> = new Map([
  ["TLS", "clear"],
  ["TLS-C", "clear"],
  ["SSL", "private"],
  ["TLS-P", "private"],
]);

export const auth: Command = command({
  verb: "AUTH",
  access: "anyone",
  feature: (_session, { tls }) => (tls.isOffered ? ["AUTH TLS"] : []),
  help: "AUTH TLS - begin TLS on this connection",
  source: "RFC 4217 §4",
  parse(argument) {
    const asked = word(argument);
    if (asked === "") throw new Refusal(501, "AUTH needs a mechanism: TLS.");
    return asked;
  },
  async run({ session, argument: asked, context, say }): Promise<Session> {
    const { tls, data, signal } = context;
    if (!tls.isOffered) throw new Refusal(502, "TLS is not offered on this port.");
    const prot = MECHANISMS.get(asked);
    if (prot === undefined) throw new Refusal(504, "That security mechanism is not known here; TLS is.");
    const common = commonOf(session);
    if (common.security !== undefined) throw new Refusal(503, "TLS was begun on this connection already.");
    // RFC 4217 §4 would have the login begin anew; refused, as what was said in clear must not weigh inside (attack 10).
    if (session.step === "signed-in") throw new Refusal(503, "AUTH comes before the login.");
    data.clear();
    tls.hold();
    say(reply(234, "TLS starts now."));
    await tls.start({ hostName: common.host, signal });
    return { ...common, step: "greeted", security: { control: "private", pbsz: false, prot } };
  },
});
