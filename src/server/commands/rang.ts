import { parseRange } from "../../protocol/numbers.ts";
import { reply } from "../../protocol/reply.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

export const rang: Command = command({
  verb: "RANG",
  access: "signed-in",
  feature: () => ["RANG STREAM"],
  help: "RANG <first> <last> - the next RETR or HASH takes these octets alone; RANG 1 0: all again",
  source: "draft-bryan-ftp-range-08 §3",
  parse(argument) {
    const range = parseRange(argument);
    if (range === undefined)
      throw new Refusal(501, "RANG needs the first and the last octet: RANG 0 99; RANG 1 0 resets.");
    return range;
  },
  run({ session, argument: range, say }) {
    if (range.kind === "reset") {
      say(reply(350, "Restart and end points reset."));
      return session;
    }
    say(reply(350, `Restarting at ${range.start}. End byte range at ${range.end}.`));
    return { ...session, pending: { range: { start: range.start, end: range.end + 1 } } };
  },
});
