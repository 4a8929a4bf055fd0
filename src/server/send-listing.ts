/** A listing over the data connection: LIST, NLST and MLSD differ in their lines alone. */
import { type ByteString, octetsOf } from "../base/bytes.ts";
import type { DataTransport } from "../net/transport.ts";
import type { ListFlags } from "../protocol/list-arguments.ts";
import { joined } from "../protocol/octets.ts";
import { type VirtualPath, resolvePath } from "../protocol/path.ts";
import type { Say } from "./command.ts";
import type { Context } from "./context.ts";
import { listLines } from "./listing.ts";
import type { SignedIn } from "./session.ts";
import { carry } from "./transfer.ts";

/** Octets of lines that go out at once: some hundred lines share the price of a send. */
const SEND_OCTETS = 65_536;
/** Milliseconds that lines wait for others on a slow disk; then they go out as they are. */
const GATHER_MS = 100;

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
  const lines = listLines(session, { flags, target, form, now: context.now() });
  return carryLines(session, { path: resolvePath(session.cwd, target), lines, context, say });
}

type Lines = {
  readonly path: VirtualPath;
  readonly lines: AsyncGenerator<ByteString, void, void>;
  readonly context: Context;
  readonly say: Say;
};

export async function carryLines(session: SignedIn, { path, lines, context, say }: Lines): Promise<SignedIn> {
  context.data.demandPlan();
  // The first lines are made before the data connection is: a folder that is not there is answered by 550 alone.
  const first = await lines.next();
  await using made = lines;
  using log = session.workspace.logListing(path);
  await carry(context, {
    session,
    say,
    direction: "listing",
    path,
    log,
    opening: "Here comes the directory listing.",
    move: async (connection) =>
      sendLines(connection, resumed(first, made), (count) => {
        log.octets += count;
      }),
    closing: () => "Directory send OK.",
  });
  return session;
}

async function* resumed(
  first: IteratorResult<ByteString, void>,
  rest: AsyncGenerator<ByteString, void, void>,
): AsyncGenerator<ByteString, void, void> {
  if (first.done === true) return;
  yield first.value;
  yield* rest;
}

/** Sends lines, each with its CRLF, many at a time. @param count hears of octets. @throws {DataError} */
async function sendLines(
  connection: DataTransport,
  lines: AsyncIterable<ByteString>,
  count: (octets: number) => void,
): Promise<void> {
  const enough = Math.min(SEND_OCTETS, connection.memory);
  let gathered = "";
  let since = performance.now();
  for await (const some of lines) {
    gathered += some;
    if (gathered.length < enough && performance.now() - since < GATHER_MS) continue;
    await connection.send(octetsOf(joined(gathered)), count);
    gathered = "";
    since = performance.now();
  }
  await connection.send(octetsOf(joined(gathered)), count);
  await connection.finish();
}
