import { quotePath, reply } from "../../protocol/reply.ts";
import { noArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";

export const pwd: Command = command({
  verb: "PWD",
  aliases: ["XPWD"],
  access: "signed-in",
  help: "PWD - name the current directory",
  source: "RFC 959 §4.1.3",
  parse: noArgument,
  run({ session, say }) {
    say(reply(257, `${quotePath(session.cwd)} is the current directory.`));
    return session;
  },
});
