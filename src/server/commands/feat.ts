import { reply } from "../../protocol/reply.ts";
import { noArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";

export const feat: Command = command({
  verb: "FEAT",
  access: "anyone",
  keepsPending: true,
  help: "FEAT - list what this server can do beyond RFC 959",
  source: "RFC 2389 §3",
  parse: noArgument,
  run({ session, context, say }) {
    const lines = [...new Set(context.commands.values())].flatMap((each) => each.feature?.(session, context) ?? []);
    // RFC 2640 §3.2 and RFC 3659 §6: of the whole server, not of one command.
    const features = [...new Set([...lines, "UTF8", "TVFS"])].toSorted();
    say(reply(211, "Features:", ...features.map((line) => ` ${line}`), "End"));
    return session;
  },
});
