import { reply } from "../../protocol/reply.ts";
import { word } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

export const mode: Command = command({
  verb: "MODE",
  access: "signed-in",
  // draft-preston-ftpext-deflate-04 §3.5
  feature: (_session, { settings }) => (settings.compression ? ["MODE Z"] : []),
  keepsPending: true,
  help: "MODE <S|Z> - transfer mode: stream, or deflate (compressed by zlib)",
  source: "RFC 959 §3.4",
  parse(argument) {
    const asked = word(argument);
    if (asked === "") throw new Refusal(501, "MODE needs S or Z.");
    return asked;
  },
  run({ session, argument: asked, context, say }) {
    const { compression } = context.settings;
    if (asked === "S") {
      say(reply(200, "Mode is stream."));
      return { ...session, mode: "stream" };
    }
    if (asked !== "Z" || !compression) {
      throw new Refusal(504, `Mode not implemented: MODE S is${compression ? ", and MODE Z" : ""}.`);
    }
    say(reply(200, "Mode is deflate (zlib)."));
    return { ...session, mode: "deflate" };
  },
});
