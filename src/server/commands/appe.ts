import { pathArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { receive, storeHow } from "../receive.ts";

export const appe: Command = command({
  verb: "APPE",
  access: "signed-in",
  data: "transfer",
  help: "APPE <path> - upload to the end of a file, or go on with an interrupted upload",
  source: "RFC 959 §4.1.3",
  parse: pathArgument,
  async run({ session, argument: path, context, say }) {
    return receive(session, { path, how: storeHow(session, { kind: "append" }), context, say });
  },
});
