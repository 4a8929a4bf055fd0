import { reply } from "../../protocol/reply.ts";
import { StorageError } from "../../workspace/files.ts";
import { pathArgument } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { Refusal } from "../errors.ts";

export const size: Command = command({
  verb: "SIZE",
  access: "signed-in",
  feature: () => ["SIZE"],
  keepsPending: true,
  help: "SIZE <path> - how many octets RETR would send, or an interrupted upload has",
  source: "RFC 3659 §4",
  parse: pathArgument,
  async run({ session, argument: path, say }) {
    // For TYPE A the answer needs a pass over the whole file; §4.2 lets a server refuse for cost.
    if (session.type === "ascii") throw new Refusal(550, "SIZE is not allowed in ASCII mode: send TYPE I first.");
    // What a client that resumes an upload asks for: there is no file yet, but what came of it is kept.
    const kept = await session.workspace.interrupted(path);
    if (kept !== undefined) {
      say(reply(213, `${kept}`));
      return session;
    }
    const entry = await session.workspace.stat(path);
    if (entry.kind !== "file") throw new StorageError("not-a-file", path);
    say(reply(213, `${entry.size}`));
    return session;
  },
});
