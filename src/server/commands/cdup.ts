import { parentPath } from "../../protocol/path.ts";
import { reply } from "../../protocol/reply.ts";
import { noArgument } from "../arguments.ts";
import { changeFolder } from "../change-folder.ts";
import { type Command, command } from "../command.ts";

export const cdup: Command = command({
  verb: "CDUP",
  aliases: ["XCUP"],
  access: "signed-in",
  help: "CDUP - change to the parent directory",
  source: "RFC 959 §4.1.1",
  parse: noArgument,
  async run({ session, context, say }) {
    const { lines, session: next } = await changeFolder(session, { path: parentPath(session.cwd), context });
    say(reply(250, ...lines));
    return next;
  },
});
