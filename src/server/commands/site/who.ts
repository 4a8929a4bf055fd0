import { bytesOfText } from "../../../base/bytes.ts";
import { reply } from "../../../protocol/reply.ts";
import { noArgument } from "../../arguments.ts";
import { type Command, command } from "../../command.ts";
import { Refusal } from "../../errors.ts";

/** Sessions shown; the operator's own tools show all. */
const SHOWN = 200;

export const who: Command = command({
  verb: "WHO",
  access: "signed-in",
  help: "SITE WHO - who is connected; needs the right `site`",
  source: "SITE WHO as in ProFTPD",
  parse: noArgument,
  run({ session, context, say }) {
    // Who else is here is not for the anonymous to know.
    if (!session.workspace.account.rights.has("site")) {
      throw new Refusal(550, "Permission denied.", "account:site");
    }
    const sessions = context.who.list();
    const lines = sessions
      .slice(0, SHOWN)
      .map(({ peer, account }) => ` ${bytesOfText(account ?? "(signing in)")} from ${peer.address}`);
    say(reply(200, "Connected now:", ...lines, `${sessions.length} in all`));
    return session;
  },
});
