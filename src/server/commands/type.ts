import { reply } from "../../protocol/reply.ts";
import { word } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

/** Which of our two types each form asks for. N, T and C tell printers how to feed paper; files are the same. */
const TYPES: Readonly<Record<string, "ascii" | "image">> = {
  A: "ascii",
  "A N": "ascii",
  "A T": "ascii",
  "A C": "ascii",
  I: "image",
  "L 8": "image",
  L8: "image",
};

export const type: Command = command({
  verb: "TYPE",
  access: "signed-in",
  feature: () => ["TYPE A;I;L 8"],
  keepsPending: true,
  help: "TYPE <A|I|L 8> - how files are represented: text lines, or octets as they are",
  source: "RFC 959 §3.1.1",
  parse(argument) {
    const asked = word(argument).replace(/\s+/g, " ");
    const found = TYPES[asked];
    if (found !== undefined) return found;
    if (asked === "") throw new Refusal(501, "TYPE needs A, I or L 8.");
    throw new Refusal(504, "Type not implemented: TYPE A, I and L 8 are.");
  },
  run({ session, argument: chosen, say }) {
    say(reply(200, chosen === "ascii" ? "Type is ASCII." : "Type is image (binary)."));
    return { ...session, type: chosen };
  },
});
