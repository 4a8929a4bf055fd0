import type { ByteString } from "../../base/bytes.ts";
import { type ListFlags, parseListArguments } from "../../protocol/list-arguments.ts";
import { type Command, command } from "../command.ts";
import { sendListing } from "../send-listing.ts";

export const list: Command = command({
  verb: "LIST",
  access: "signed-in",
  data: "transfer",
  help: "LIST [-aAlRtSr1dF] [path] - list a directory or a file over the data connection",
  source: "RFC 959 §4.1.3",
  parse: (argument: ByteString) => parseListArguments(argument),
  async run({ session, argument: { flags, path }, context, say }) {
    // `ls -1` asks for names; with -l as well the long form wins, as in ls.
    const form = isShort(flags) ? "names" : "long";
    return sendListing(session, { flags, target: path, form, context, say });
  },
});

function isShort(flags: ListFlags): boolean {
  return flags.has("1") && !flags.has("l");
}
