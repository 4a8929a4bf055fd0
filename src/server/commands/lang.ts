import { reply } from "../../protocol/reply.ts";
import { word } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

export const lang: Command = command({
  verb: "LANG",
  access: "anyone",
  feature: () => ["LANG EN*"],
  help: "LANG [tag] - language of reply texts: EN",
  source: "RFC 2640 §4",
  parse(argument) {
    const tag = word(argument);
    if (tag !== "" && !/^[A-Z]{1,8}(?:-[A-Z0-9]{1,8})*$/.test(tag))
      throw new Refusal(501, "LANG needs a language tag.");
    return tag;
  },
  run({ session, argument: tag, say }) {
    // RFC 2640 §4.1: a general tag serves for its dialects.
    if (tag !== "" && tag !== "EN" && !tag.startsWith("EN-")) throw new Refusal(504, "Language not available: EN is.");
    say(reply(200, "Replies are in English."));
    return session;
  },
});
