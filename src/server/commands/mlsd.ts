import { factLinesWriter } from "../../protocol/facts-octets.ts";
import { joined } from "../../protocol/octets.ts";
import type { ByteString } from "../../base/bytes.ts";
import type { VirtualPath } from "../../protocol/path.ts";
import { StorageError } from "../../workspace/files.ts";
import { optionalPath } from "../arguments.ts";
import { type Command, command } from "../command.ts";
import { factsIn, factsOf, permsOfAllIn } from "../facts-of.ts";
import { type Chunks, gathered, written } from "../list-chunks.ts";
import { carryChunks } from "../send-listing.ts";
import type { SignedIn } from "../session.ts";

export const mlsd: Command = command({
  verb: "MLSD",
  access: "signed-in",
  data: "transfer",
  help: "MLSD [path] - list a directory with facts for programs, over the data connection",
  source: "RFC 3659 §7",
  parse: optionalPath,
  async run({ session, argument: path, context, say }) {
    return carryChunks(session, { path, chunks: factChunks(session, path, context.sessionMemory), context, say });
  },
});

/** The lines of MLSD as octets. @param memory octets that a chunk may have. @throws {StorageError} */
export async function* factChunks(session: SignedIn, path: VirtualPath, memory: number): Chunks {
  const { workspace, facts } = session;
  const folder = await workspace.stat(path);
  // RFC 3659 §7.2.1: MLSD lists folders alone, and its reply is 501 for anything else; 550 is what clients know.
  if (folder.kind !== "directory") throw new StorageError("not-a-folder", path);
  const first = joined(`${factsOf(session, { path, entry: folder, as: "cdir" })} .\r\n`);
  const perms = permsOfAllIn(session, path);
  // Where rules look at names, each entry's right is asked for.
  const tables =
    perms === undefined ? undefined : workspace.table(path, { facts: true, sortUpTo: 0, hideDotted: false });
  if (perms === undefined || tables === undefined) yield* gathered(factLines(session, path, first), memory);
  else yield* written({ tables, write: factLinesWriter(facts, perms), first }, memory);
}

async function* factLines(
  session: SignedIn,
  path: VirtualPath,
  first: ByteString,
): AsyncGenerator<ByteString, void, void> {
  yield first;
  const factsOfEntry = factsIn(session, path);
  for await (const batch of session.workspace.list(path)) {
    let text = "";
    for (const entry of batch) text += `${factsOfEntry(entry)} ${entry.name.replace(/[\r\n\0]/g, "?")}\r\n`;
    yield joined(text);
  }
}
