import { formatMlstFeature } from "../../protocol/facts.ts";
import { FACTS } from "../../protocol/facts.ts";
import { reply } from "../../protocol/reply.ts";
import { optionalPath } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { factsOf } from "../facts-of.ts";

export const mlst: Command = command({
  verb: "MLST",
  access: "signed-in",
  feature: (session) => [formatMlstFeature(session.step === "signed-in" ? session.facts : new Set(FACTS))],
  help: "MLST [path] - the facts of one file or directory",
  source: "RFC 3659 §7",
  parse: optionalPath,
  async run({ session, argument: path, say }) {
    // A link that leads nowhere is told of as itself, as MLSD does.
    const entry = await session.workspace.stat(path).catch(async () => session.workspace.stat(path, "keep"));
    // RFC 3659 §7.3: one space, the facts, one space, the path in full.
    say(reply(250, "Facts follow.", ` ${factsOf(session, { path, entry })} ${path}`, "End"));
    return session;
  },
});
