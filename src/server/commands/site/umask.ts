import { parseMode } from "../../../protocol/numbers.ts";
import { reply } from "../../../protocol/reply.ts";
import { type Command, command } from "../../command.ts";
import { Refusal } from "../../errors.ts";

export const umask: Command = command({
  verb: "UMASK",
  access: "signed-in",
  help: "SITE UMASK [mask] - tell or set which permission bits new files do not get, in octal",
  source: "SITE UMASK as in wu-ftpd",
  parse(argument) {
    if (argument === "") return undefined;
    const mask = parseMode(argument);
    if (mask === undefined || mask > 0o777) throw new Refusal(501, "SITE UMASK needs octal digits: SITE UMASK 022.");
    return mask;
  },
  run({ session, argument: mask, say }) {
    const { workspace } = session;
    const before = octal(workspace.umask);
    if (mask === undefined) {
      say(reply(200, `Your current UMASK is ${before}.`));
      return session;
    }
    workspace.setUmask(mask);
    say(reply(200, `UMASK set to ${octal(mask)} (was ${before}).`));
    return session;
  },
});

function octal(mask: number): string {
  return mask.toString(8).padStart(3, "0");
}
