import { reply } from "../../protocol/reply.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

export const allo: Command = command({
  verb: "ALLO",
  access: "signed-in",
  keepsPending: true,
  help: "ALLO <octets> - ask whether a file of this size fits",
  source: "RFC 959 §4.1.3",
  parse(argument) {
    const found = /^(\d{1,20})(?: R \d{1,20})?$/i.exec(argument.trim());
    if (found === null) throw new Refusal(501, "ALLO needs a number of octets.");
    return BigInt(found[1] ?? "0");
  },
  async run({ session, argument: wanted, say }) {
    const free = await session.workspace.available(session.cwd);
    if (free !== undefined && wanted > BigInt(free))
      throw new Refusal(452, "Not enough space for a file of that size.");
    say(reply(202, "There is room; no space needs to be set aside here."));
    return session;
  },
});
