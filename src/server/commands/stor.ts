import { pathArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { receive, storeHow } from "../receive.ts";

export const stor: Command = command({
  verb: "STOR",
  access: "signed-in",
  data: "transfer",
  help: "STOR <path> - upload a file, in place of one of that name",
  source: "RFC 959 §4.1.3",
  parse: pathArgument,
  async run({ session, argument: path, context, say }) {
    return receive(session, { path, how: storeHow(session, { kind: "store" }), context, say });
  },
});
