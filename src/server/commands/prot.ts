import { reply } from "../../protocol/reply.ts";
import { word } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";
import { commonOf } from "../session.ts";
import { levelOfSession } from "../tls-policy.ts";

export const prot: Command = command({
  verb: "PROT",
  access: "anyone",
  feature: (_session, { tls }) => (tls.isOffered ? ["PROT"] : []),
  keepsPending: true,
  help: "PROT C|P - data connections in clear, or private by TLS",
  source: "RFC 4217 §9",
  parse: word,
  run({ session, argument: asked, context, say }) {
    const { security } = commonOf(session);
    if (security?.pbsz !== true) throw new Refusal(503, "PROT comes after AUTH TLS and PBSZ 0.");
    if (asked === "S" || asked === "E")
      throw new Refusal(536, "With TLS there is PROT C (clear) and PROT P (private).");
    if (asked !== "C" && asked !== "P") throw new Refusal(504, "PROT takes C (clear) or P (private).");
    if (asked === "C" && levelOfSession(session, context) === "require-data") {
      throw new Refusal(534, "Data connections need TLS here: only PROT P.", "tls.data-required");
    }
    say(reply(200, asked === "P" ? "Data connections are private now." : "Data connections are in clear now."));
    return { ...session, security: { ...security, prot: asked === "P" ? "private" : "clear" } };
  },
});
