import { reply } from "../../protocol/reply.ts";
import { noArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";

/**
 * RFC 959 §4.1.3 knows two cases: a transfer under way is answered by 426 and then 226, none by 226 alone. In the
 * second a data connection that stands ready is given up too.
 */
export const abor: Command = command({
  verb: "ABOR",
  access: "signed-in",
  urgent: "at-once",
  help: "ABOR - end the transfer under way",
  source: "RFC 959 §4.1.3",
  parse: noArgument,
  async run({ session, context, say }) {
    if (await context.running.abort()) {
      say(reply(226, "ABOR done: the transfer was ended."));
    } else {
      context.data.clear();
      say(reply(226, "ABOR done: there was no transfer to end."));
    }
    return session;
  },
});
