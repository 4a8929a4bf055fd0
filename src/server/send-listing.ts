/** A listing over the data connection: LIST, NLST and MLSD differ in their lines alone. */
import type { ByteString } from "../base/bytes.ts";
import type { DataTransport } from "../net/transport.ts";
import type { ListFlags } from "../protocol/list-arguments.ts";
import { type VirtualPath, resolvePath } from "../protocol/path.ts";
import type { Say } from "./command.ts";
import type { Context } from "./context.ts";
import type { Chunk, Chunks } from "./list-chunks.ts";
import { listChunks } from "./listing.ts";
import type { SignedIn } from "./session.ts";
import { carry } from "./transfer.ts";

type Listing = {
  readonly flags: ListFlags;
  readonly target: ByteString;
  readonly form: "long" | "names";
  readonly context: Context;
  readonly say: Say;
};

export async function sendListing(
  session: SignedIn,
  { flags, target, form, context, say }: Listing,
): Promise<SignedIn> {
  const chunks = listChunks(session, { flags, target, form, now: context.now() }, context.sessionMemory);
  return carryChunks(session, { path: resolvePath(session.cwd, target), chunks, context, say });
}

type Carried = {
  readonly path: VirtualPath;
  readonly chunks: Chunks;
  readonly context: Context;
  readonly say: Say;
};

export async function carryChunks(session: SignedIn, { path, chunks, context, say }: Carried): Promise<SignedIn> {
  context.data.demandPlan();
  // The first lines are made before the data connection is: a folder that is not there is answered by 550 alone.
  const first = await chunks.next();
  await using made = chunks;
  using log = session.workspace.logListing(path);
  await carry(context, {
    session,
    say,
    direction: "listing",
    path,
    log,
    opening: "Here comes the directory listing.",
    atOnce: (end) => {
      if (first.done === true || !first.value.isLast || end.sendOctetsAtOnce === undefined) return false;
      const { sent, over } = end.sendOctetsAtOnce(first.value.octets);
      log.octets += sent;
      return over;
    },
    move: async (connection) =>
      sendChunks(connection, [withoutFront(first, log.octets), made], (count) => {
        log.octets += count;
      }),
    closing: () => "Directory send OK.",
  });
  // All is out: its buffer may serve other listings.
  await made.next();
  return session;
}

/** @param sent octets that went out at once. */
function withoutFront(first: IteratorResult<Chunk, void>, sent: number): IteratorResult<Chunk, void> {
  if (first.done === true || sent === 0) return first;
  return { value: { ...first.value, octets: first.value.octets.subarray(sent) }, done: false };
}

/** @param count hears of octets. @throws {DataError} */
async function sendChunks(
  connection: DataTransport,
  [first, rest]: readonly [IteratorResult<Chunk, void>, Chunks],
  count: (octets: number) => void,
): Promise<void> {
  for (let next = first; next.done !== true; next = await rest.next()) {
    await connection.send(next.value.octets, count);
  }
  await connection.finish();
}
