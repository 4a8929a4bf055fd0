import { joined } from "../../protocol/octets.ts";
import type { ByteString } from "../../base/bytes.ts";
import type { VirtualPath } from "../../protocol/path.ts";
import { StorageError } from "../../workspace/files.ts";
import { optionalPath } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { factsIn, factsOf } from "../facts-of.ts";
import { carryLines } from "../send-listing.ts";
import type { SignedIn } from "../session.ts";

export const mlsd: Command = command({
  verb: "MLSD",
  access: "signed-in",
  data: "transfer",
  help: "MLSD [path] - list a directory with facts for programs, over the data connection",
  source: "RFC 3659 §7",
  parse: optionalPath,
  async run({ session, argument: path, context, say }) {
    return carryLines(session, { path, lines: factLines(session, path), context, say });
  },
});

async function* factLines(session: SignedIn, path: VirtualPath): AsyncGenerator<ByteString, void, void> {
  const { workspace } = session;
  const folder = await workspace.stat(path);
  // RFC 3659 §7.2.1: MLSD lists folders alone, and its reply is 501 for anything else; 550 is what clients know.
  if (folder.kind !== "directory") throw new StorageError("not-a-folder", path);
  yield joined(`${factsOf(session, { path, entry: folder, as: "cdir" })} .\r\n`);
  const factsOfEntry = factsIn(session, path);
  for await (const batch of workspace.list(path)) {
    let text = "";
    for (const entry of batch) text += `${factsOfEntry(entry)} ${entry.name.replace(/[\r\n\0]/g, "?")}\r\n`;
    yield joined(text);
  }
}
