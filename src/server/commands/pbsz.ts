import { reply } from "../../protocol/reply.ts";
import { parseOffset } from "../../protocol/numbers.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";
import { commonOf } from "../session.ts";

/** The greatest buffer size that RFC 2228 §3 has: 32 bits. */
const LARGEST = 4_294_967_295;

export const pbsz: Command = command({
  verb: "PBSZ",
  access: "anyone",
  feature: (_session, { tls }) => (tls.isOffered ? ["PBSZ"] : []),
  keepsPending: true,
  help: "PBSZ 0 - must come before PROT; TLS needs no buffer size",
  source: "RFC 4217 §8",
  parse(argument) {
    const size = parseOffset(argument.trim());
    if (size === undefined || size > LARGEST) throw new Refusal(501, "PBSZ needs a number; with TLS it is 0.");
    return size;
  },
  run({ session, say }) {
    const { security } = commonOf(session);
    if (security === undefined) throw new Refusal(503, "PBSZ comes after AUTH TLS.");
    // Whatever was asked for: RFC 2228 §3 lets the server answer with a smaller one.
    say(reply(200, "PBSZ=0"));
    return { ...session, security: { ...security, pbsz: true } };
  },
});
