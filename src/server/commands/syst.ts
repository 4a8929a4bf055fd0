import { reply } from "../../protocol/reply.ts";
import { noArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";

export const syst: Command = command({
  verb: "SYST",
  access: "anyone",
  help: "SYST - name the kind of system",
  source: "RFC 959 §4.1.3",
  parse: noArgument,
  run({ session, say }) {
    // Clients choose their listing parser by these very words.
    say(reply(215, "UNIX Type: L8"));
    return session;
  },
});
