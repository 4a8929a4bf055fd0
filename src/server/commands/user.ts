import type { ByteString } from "../../base/bytes.ts";
import { reply } from "../../protocol/reply.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";
import { type Session, commonOf } from "../session.ts";
import { certificateSuffices, signIn } from "../sign-in.ts";
import { demandPrivateLogin } from "../tls-policy.ts";

/** Octets of a user name; account/ holds its own, stricter rules for names that it makes. */
const USER_LIMIT = 256;

export const user: Command = command({
  verb: "USER",
  access: "anyone",
  help: "USER <name> - begin to sign in",
  source: "RFC 959 §4.1.1",
  parse(argument): ByteString {
    if (argument === "") throw new Refusal(501, "A user name is needed.");
    if (argument.length > USER_LIMIT) throw new Refusal(501, `User name too long: the limit is ${USER_LIMIT} octets.`);
    return argument;
  },
  async run({ session, argument, context, say }): Promise<Session> {
    // Before the client sends a password that everybody could read.
    demandPrivateLogin(session, argument, context);
    // RFC 959 §4.1.1: a new USER ends the login before it; what it had asked for must not be left to the next one.
    await context.leaveWorkspace();
    context.data.clear();
    const named = { ...commonOf(session), step: "named", user: argument } as const;
    if (certificateSuffices(argument, context)) return signIn(named, { kind: "certificate" }, { context, say });
    // One text for every name, or the reply would tell which ones exist (attack 36).
    say(reply(331, "Password required; anonymous users give their e-mail address."));
    return named;
  },
});
