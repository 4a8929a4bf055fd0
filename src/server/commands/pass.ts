import { reply } from "../../protocol/reply.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";
import { signIn } from "../sign-in.ts";

export const pass: Command = command({
  verb: "PASS",
  access: "anyone",
  secret: true,
  help: "PASS <password> - sign in",
  source: "RFC 959 §4.1.1",
  parse: (argument) => argument,
  async run({ session, argument: password, context, say }) {
    if (session.step === "signed-in") {
      say(reply(202, "Already signed in; USER starts another login."));
      return session;
    }
    if (session.step !== "named") throw new Refusal(503, "USER comes first.");
    return signIn(session, { kind: "password", password }, { context, say });
  },
});
