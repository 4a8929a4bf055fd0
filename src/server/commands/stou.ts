import { bytesOfText } from "../../base/bytes.ts";
import { optionalPath } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";
import { receive } from "../receive.ts";

export const stou: Command = command({
  verb: "STOU",
  access: "signed-in",
  data: "transfer",
  help: "STOU [path] - upload a file under a name that is free",
  source: "RFC 959 §4.1.3",
  // RFC 959 gives STOU no argument; clients send the local name as a wish.
  parse: (argument, session) => optionalPath(argument === "" ? bytesOfText("upload") : argument, session),
  async run({ session, argument: path, context, say }) {
    // RFC 3659 §5.3 leaves it undefined; the rest of a file under a name of its own is of no use.
    if ((session.pending?.restart ?? 0) > 0) throw new Refusal(503, "REST and STOU do not go together.");
    return receive(session, { path, how: { kind: "unique" }, context, say });
  },
});
