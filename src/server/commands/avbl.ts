import { reply } from "../../protocol/reply.ts";
import { optionalPath } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

export const avbl: Command = command({
  verb: "AVBL",
  access: "signed-in",
  feature: () => ["AVBL"],
  help: "AVBL [path] - how many octets are free for uploads there",
  source: "draft-peterson-streamlined-ftp-command-extensions-10 §4",
  parse: optionalPath,
  async run({ session, argument: path, say }) {
    const free = await session.workspace.available(path);
    if (free === undefined) throw new Refusal(502, "The storage behind this server does not know what is free.");
    say(reply(213, `${free}`));
    return session;
  },
});
