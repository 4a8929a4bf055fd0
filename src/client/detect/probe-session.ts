/** One session of `detect()`'s own for each question: what one question breaks must not answer the next. */
import { connectHub } from "../connector.ts";
import type { Hub } from "../hub.ts";
import type { FtpSession } from "../session.ts";
import type { ClientEvents, ConnectOptions } from "../types.ts";
import { LISTING_OCTETS } from "./limits.ts";

export type Probe = {
  readonly hub: Hub;
  readonly session: FtpSession;
  /** Calls for each event of this connection from now on. */
  readonly heard: <K extends keyof ClientEvents>(event: K, listener: (detail: ClientEvents[K]) => void) => void;
};

/** @throws {FtpError} of connecting and signing in, what the work throws, and the signal's reason. */
export async function probing<T>(url: string, options: ConnectOptions, work: (probe: Probe) => Promise<T>): Promise<T> {
  const { hub, events } = await connectHub(url, { ...options, timeoutMs: undefined, connections: 1 });
  try {
    const heard: Probe["heard"] = (event, listener) => void events.on(event, listener);
    return await hub.pool.use(async (session) => await work({ hub, session, heard }), options.signal);
  } finally {
    await hub.pool.close();
  }
}

export type Heard = {
  /** The first `LISTING_OCTETS` of it. */
  readonly chunks: readonly Buffer[];
};

/** Fetches a listing, or the beginning of it. @throws {FtpError}, or the signal's reason. */
export async function fetchListing(
  session: FtpSession,
  { command, folder, signal }: { command: "MLSD" | "LIST"; folder: string; signal: AbortSignal | undefined },
): Promise<Heard> {
  const end = await session.transfer({
    // The home needs no name, which some servers would take for a pattern or a flag.
    command: folder === session.info.home ? command : `${command} ${folder}`,
    direction: "in",
    type: command === "MLSD" ? "I" : "A",
    what: `cannot list ${folder}`,
    signal,
    isPart: true,
    async move(transport) {
      const kept: Buffer[] = [];
      for (let octets = 0; octets < LISTING_OCTETS;) {
        const chunks = await transport.receive();
        if (chunks.length === 0) break;
        for (const chunk of chunks) {
          octets += chunk.length;
          // The buffer is used again for what comes next.
          kept.push(Buffer.from(chunk));
        }
      }
      return kept;
    },
  });
  return { chunks: end.value };
}
