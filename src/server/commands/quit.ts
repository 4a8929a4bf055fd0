import { reply } from "../../protocol/reply.ts";
import { noArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";

/** During a transfer it waits its turn, so that the transfer's reply comes first (RFC 959 §4.1.1). */
export const quit: Command = command({
  verb: "QUIT",
  access: "anyone",
  help: "QUIT - end the session",
  source: "RFC 959 §4.1.1",
  parse: noArgument,
  run({ say }) {
    say(reply(221, "Goodbye."));
    return { step: "closing" };
  },
});
