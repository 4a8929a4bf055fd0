import { reply } from "../../protocol/reply.ts";
import { type Command, command } from "../command.ts";

export const smnt: Command = command({
  verb: "SMNT",
  access: "signed-in",
  help: "SMNT <path> - not implemented",
  source: "RFC 959 §4.1.1",
  parse: (argument) => argument,
  run({ session, say }) {
    say(reply(502, "SMNT is not implemented: there is one file system here."));
    return session;
  },
});
