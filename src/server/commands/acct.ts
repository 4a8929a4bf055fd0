import { reply } from "../../protocol/reply.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

export const acct: Command = command({
  verb: "ACCT",
  access: "anyone",
  secret: true,
  help: "ACCT <account> - not needed here",
  source: "RFC 959 §4.1.1",
  parse: (argument) => argument,
  run({ session, say }) {
    if (session.step !== "signed-in") throw new Refusal(503, "USER and PASS come first; no account is needed.");
    say(reply(202, "No account is needed on this server."));
    return session;
  },
});
