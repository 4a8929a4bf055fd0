import { parseOffset } from "../../protocol/numbers.ts";
import { reply } from "../../protocol/reply.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

export const rest: Command = command({
  verb: "REST",
  access: "signed-in",
  feature: () => ["REST STREAM"],
  help: "REST <octets> - let the next transfer begin at this octet",
  source: "RFC 3659 §5",
  parse(argument) {
    const offset = parseOffset(argument);
    if (offset === undefined)
      throw new Refusal(501, "REST needs a number of octets from 0 to 2^53-1, in decimal digits.");
    return offset;
  },
  run({ session, argument: offset, say }) {
    say(reply(350, `Restarting at ${offset}; send STOR or RETR.`));
    return { ...session, pending: { restart: offset } };
  },
});
