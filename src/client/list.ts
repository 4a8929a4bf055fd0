/** What is in a folder: MLSD where the server has it, else LIST (RFC 3659 §7, RFC 959 §4.1.3). */
import { ChunkQueue } from "./listing-run.ts";
import { FtpError, type FtpReply, shownReply } from "./errors.ts";
import { statOf } from "./facts.ts";
import type { Hub } from "./hub.ts";
import { readListing } from "./listing.ts";
import { replyError } from "./reply-errors.ts";
import type { FtpSession } from "./session.ts";
import type { Entry, ListOptions, Listing } from "./types.ts";
import { joinedSignal } from "./waits.ts";
import { inUtc } from "./zone.ts";

/** @param path absolute, as `Hub.path` makes it. */
export function list(hub: Hub, path: string, options: ListOptions = {}): Listing {
  return new RemoteListing(hub, path, options);
}

/** With a reason: without one an error is made each time, with its trace. */
const SEEN = "the listing has been seen";

class RemoteListing implements Listing {
  #listing: Listing | undefined;
  /** What the server said of a listing that it has cut short: Pure-FTPd does at 10,000 entries. */
  #cut: string | undefined;
  readonly #hub: Hub;
  readonly #path: string;
  readonly #options: ListOptions;

  constructor(hub: Hub, path: string, options: ListOptions) {
    this.#hub = hub;
    this.#path = path;
    this.#options = options;
  }

  get warnings(): readonly string[] {
    const warnings = this.#listing?.warnings ?? [];
    return this.#cut === undefined ? warnings : [...warnings, this.#cut];
  }

  /** Nothing is given out before all is there: so one that broke off is tried again from its beginning. */
  async toArray(): Promise<Entry[]> {
    const { signal, timeoutMs } = this.#options;
    return await this.#hub.again(async () => await Array.fromAsync(this.#entries({ isWhole: true })), {
      signal,
      timeoutMs,
    });
  }

  [Symbol.asyncIterator](): AsyncGenerator<Entry> {
    return this.#entries({ isWhole: false });
  }

  async *#entries({ isWhole }: { readonly isWhole: boolean }): AsyncGenerator<Entry> {
    const { signal, timeoutMs } = this.#options;
    const stop = new AbortController();
    const limit = joinedSignal(signal, timeoutMs);
    const joined = limit === undefined ? stop.signal : AbortSignal.any([limit, stop.signal]);
    const queue = new ChunkQueue();
    const kind = this.#hub.info.features.has("MLST") ? "mlsd" : "list";
    const running = this.#run({ queue, kind, attempts: isWhole ? 1 : undefined }, joined).then(
      () => queue.end(),
      (error: unknown) => queue.end(error),
    );
    try {
      this.#listing = readListing(queue, { kind, folder: this.#path, coder: this.#hub.names, now: Date.now() });
      // MLSD is in UTC (RFC 3659 §2.3); LIST in whatever zone the server has.
      if (kind === "mlsd") yield* this.#listing;
      else yield* this.#ofFolder(inUtc(this.#hub, this.#listing, joined), joined);
    } catch (error) {
      const isNoFolder = error instanceof FtpError && (error.code === "NOT_FOUND" || error.code === "UNSUPPORTED");
      if (!isNoFolder || this.#options.orFile !== true) throw error;
      const found = await this.#itself(joined);
      if (found.type === "directory") throw error;
      yield found;
    } finally {
      // Who has seen enough ends the transfer.
      stop.abort(SEEN);
      await running;
    }
  }

  /** LIST says nothing of a path where nothing is, at some servers, and of a file what it would say of a folder with it. */
  async *#ofFolder(entries: AsyncIterable<Entry>, signal: AbortSignal): AsyncGenerator<Entry> {
    const path = this.#path;
    let count = 0;
    let first: Entry | undefined;
    for await (const entry of entries) {
      if (first !== undefined) yield first;
      first = undefined;
      count += 1;
      if (count === 1 && entry.type !== "directory" && path.endsWith(`/${entry.name}`)) first = entry;
      else yield entry;
    }
    if (path === this.#hub.info.home || (count > 0 && first === undefined)) return;
    const { type } = await this.#itself(signal);
    // Whoever asks for a file, too, gets it by `statOf`.
    if (type !== "directory") {
      throw new FtpError("NOT_FOUND", `cannot list ${path}: it is no folder`, { phase: "command" });
    }
    if (first !== undefined) yield first;
  }

  async #itself(signal: AbortSignal): Promise<Entry> {
    const hub = this.#hub;
    return await hub.call(async (session) => await statOf(this.#path, { hub, session, signal }), { signal });
  }

  async #run({ queue, kind, attempts }: Running, signal: AbortSignal): Promise<void> {
    const what = `cannot list ${this.#path}`;
    await this.#hub.call(
      async (session) => {
        const command =
          kind === "mlsd"
            ? `MLSD ${this.#path}`
            : await listCommand(session, this.#path, { signal, what, options: this.#options });
        try {
          const { reply } = await session.transfer({
            command,
            direction: "in",
            type: kind === "mlsd" ? "I" : "A",
            what,
            isShort: true,
            signal,
            move: async (transport) => await queue.fill(transport, what),
          });
          refuseUnread(reply, what);
          if (reply !== undefined && /truncat/i.test(reply.lines.join(" "))) this.#cut = shownReply(reply);
        } finally {
          if (session.isElsewhere && !session.isLost && !signal.aborted) await session.comeHome(signal);
        }
      },
      { signal, retry: attempts === undefined ? undefined : { attempts } },
    );
  }
}

type Running = {
  readonly queue: ChunkQueue;
  readonly kind: "mlsd" | "list";
  /** Tries of the transfer; undefined: as the client was told. */
  readonly attempts: number | undefined;
};

/** LIST takes patterns and flags at many servers: a folder whose name could be one is entered first. */
async function listCommand(
  session: FtpSession,
  path: string,
  { signal, what, options }: { readonly signal: AbortSignal; readonly what: string; readonly options: ListOptions },
): Promise<string> {
  const flags = options.hidden === true ? " -a" : "";
  if (path === session.info.home) return `LIST${flags}`;
  if (flags === "" && /^\/[^*?[\]{} \\]*$/.test(path)) {
    return `LIST ${path}`;
  }
  const reply = await session.ask(`CWD ${path}`, { signal });
  if (reply.code >= 400) throw replyError(what, reply, { phase: "command", command: `CWD ${path}` });
  return `LIST${flags}`;
}

/**
 * A listing is whole only if the server says so: no size tells, and a mirror would delete what the rest of it has named.
 * vsftpd lists a folder that it may not read as an empty one, and says so behind its 226 alone.
 */
function refuseUnread(reply: FtpReply | undefined, what: string): void {
  if (reply === undefined) {
    throw new FtpError("RESET", `${what}: the control connection was lost before the listing was said to be whole`, {
      phase: "finish",
    });
  }
  if (!/failed to open directory/i.test(reply.lines.join(" "))) return;
  const message = `${what}: ${shownReply(reply)}`;
  throw new FtpError("DENIED", message, { phase: "finish", reply });
}
