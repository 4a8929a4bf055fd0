import { bytesOfText } from "../../base/bytes.ts";
import { reply } from "../../protocol/reply.ts";
import { pathArgument } from "../arguments.ts";
import { changeFolder } from "../change-folder.ts";
import { type Command, command } from "../command.ts";

export const cwd: Command = command({
  verb: "CWD",
  aliases: ["XCWD"],
  access: "signed-in",
  help: "CWD <path> - change the current directory",
  source: "RFC 959 §4.1.1",
  // `~` is what several clients send for "home", which is our root.
  parse: (argument, session) => pathArgument(argument === "~" ? bytesOfText("/") : argument, session),
  async run({ session, argument: path, context, say }) {
    const { lines, session: next } = await changeFolder(session, { path, context });
    say(reply(250, ...lines));
    return next;
  },
});
