import { parseMode } from "../../../protocol/numbers.ts";
import { reply } from "../../../protocol/reply.ts";
import { bytesAfter, pathArgument, splitWord } from "../../arguments.ts";
import { type Command, command } from "../../command.ts";
import { Refusal } from "../../errors.ts";

export const chmod: Command = command({
  verb: "CHMOD",
  access: "signed-in",
  help: "SITE CHMOD <mode> <path> - set permission bits, in octal",
  source: "SITE CHMOD as in wu-ftpd",
  parse(argument, session) {
    const mode = parseMode(splitWord(argument)[0]);
    if (mode === undefined || mode > 0o777)
      throw new Refusal(501, "SITE CHMOD needs a mode from 0 to 777 in octal and a path: SITE CHMOD 644 name.");
    return { mode, path: pathArgument(bytesAfter(argument), session) };
  },
  async run({ session, argument: { mode, path }, say }) {
    await session.workspace.setMode(path, mode);
    say(reply(200, "SITE CHMOD done."));
    return session;
  },
});
