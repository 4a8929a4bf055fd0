import { joined } from "../../../protocol/octets.ts";
import { reply } from "../../../protocol/reply.ts";
import { bytesAfter, pathArgument, splitWord } from "../../arguments.ts";
import { type Command, command } from "../../command.ts";
import { Refusal } from "../../errors.ts";

export const symlink: Command = command({
  verb: "SYMLINK",
  access: "signed-in",
  help: "SITE SYMLINK <target> <path> - make a symbolic link at path; it cannot lead out of the root",
  source: "SITE SYMLINK as in ProFTPD mod_site_misc",
  parse(argument, session) {
    const [target] = splitWord(argument);
    const rest = bytesAfter(argument);
    if (target === "" || rest === "") throw new Refusal(501, "SITE SYMLINK needs a target and a path.");
    return { target: joined(target), path: pathArgument(rest, session) };
  },
  async run({ session, argument: { target, path }, say }) {
    await session.workspace.makeLink(path, target);
    say(reply(200, "SITE SYMLINK done."));
    return session;
  },
});
