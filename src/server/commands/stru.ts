import { reply } from "../../protocol/reply.ts";
import { word } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

export const stru: Command = command({
  verb: "STRU",
  access: "signed-in",
  keepsPending: true,
  help: "STRU <F> - file structure: none but F",
  source: "RFC 959 §3.1.2",
  parse(argument) {
    const asked = word(argument);
    if (asked === "") throw new Refusal(501, "STRU needs F.");
    if (asked !== "F") throw new Refusal(504, "Structure not implemented: STRU F is.");
    return asked;
  },
  run({ session, say }) {
    say(reply(200, "Structure is file."));
    return session;
  },
});
