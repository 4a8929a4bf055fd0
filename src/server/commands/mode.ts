import { reply } from "../../protocol/reply.ts";
import { word } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

export const mode: Command = command({
  verb: "MODE",
  access: "signed-in",
  keepsPending: true,
  help: "MODE <S> - transfer mode: stream",
  source: "RFC 959 §3.4",
  parse(argument) {
    const asked = word(argument);
    if (asked === "") throw new Refusal(501, "MODE needs S.");
    if (asked !== "S") throw new Refusal(504, "Mode not implemented: MODE S is.");
    return asked;
  },
  async *run({ session }) {
    yield reply(200, "Mode is stream.");
    return session;
  },
});
