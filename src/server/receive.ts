/** STOR, APPE and STOU: one upload, told apart only by how it meets what is there. */
import type { VirtualPath } from "../protocol/path.ts";
import { quotePath } from "../protocol/reply.ts";
import type { StoreHow } from "../workspace/workspace.ts";
import type { Say } from "./command.ts";
import type { Context } from "./context.ts";
import { Refusal } from "./errors.ts";
import type { SignedIn } from "./session.ts";
import { carry, receiveFile } from "./transfer.ts";

type UploadOrder = {
  readonly path: VirtualPath;
  readonly how: StoreHow;
  readonly context: Context;
  readonly say: Say;
};

export async function receive(session: SignedIn, { path, how, context, say }: UploadOrder): Promise<SignedIn> {
  context.data.demandPlan();
  const ascii = session.type === "ascii";
  if (ascii && how.kind === "resume") {
    throw new Refusal(
      550,
      "An upload can be restarted in TYPE I alone: in ASCII no octet count of the wire fits the file.",
    );
  }
  await using writing = await session.workspace.openWrite(path, how, { type: session.type });
  const name = quotePath(writing.path);
  await carry(context, {
    session,
    say,
    direction: "upload",
    path: writing.path,
    log: writing.log,
    // RFC 1123 §4.1.2.9: the 150 of STOU begins with `FILE: ` and the name.
    opening: how.kind === "unique" ? `FILE: ${writing.path}` : `Ok to send data for ${name}.`,
    move: async (connection, signal) => receiveFile(connection, writing, { ascii, signal }),
    closing: () => `Transfer complete; ${name} is stored whole.`,
  });
  return session;
}

/** What REST and the verb ask for together. APPE after REST acts as STOR does (RFC 3659 §5). */
export function storeHow(session: SignedIn, otherwise: StoreHow): StoreHow {
  const offset = session.pending?.restart ?? 0;
  return offset > 0 ? { kind: "resume", offset } : otherwise;
}
