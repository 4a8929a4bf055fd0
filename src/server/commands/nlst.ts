import { parseListArguments } from "../../protocol/list-arguments.ts";
import { type Command, command } from "../command.ts";
import { sendListing } from "../send-listing.ts";

export const nlst: Command = command({
  verb: "NLST",
  access: "signed-in",
  data: "transfer",
  help: "NLST [-aAlRtSr1dF] [path] - list names alone over the data connection",
  source: "RFC 959 §4.1.3",
  parse: (argument) => parseListArguments(argument),
  async run({ session, argument: { flags, path }, context, say }) {
    // Old clients get their `ls -l` by NLST.
    return sendListing(session, { flags, target: path, form: flags.has("l") ? "long" : "names", context, say });
  },
});
