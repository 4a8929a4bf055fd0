/** What is in a folder: MLSD where the server has it, else LIST, else NLST (RFC 3659 §7, RFC 959 §4.1.3). */
import type { ListingKind } from "../protocol/listings/reader.ts";
import { ChunkQueue } from "./listing-run.ts";
import { FtpError, type FtpReply, shownReply } from "./errors.ts";
import { statOf } from "./facts.ts";
import type { Hub } from "./hub.ts";
import { readListing } from "./listing.ts";
import { isUnknownListing, saysEmpty } from "./listing-ways.ts";
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
    try {
      yield* this.#byAnyWay(isWhole);
    } catch (error) {
      const isNoFolder = error instanceof FtpError && (error.code === "NOT_FOUND" || error.code === "UNSUPPORTED");
      if (!isNoFolder || this.#options.orFile !== true) throw error;
      const found = await this.#itself(this.#options.signal);
      if (found.type === "directory") throw error;
      yield found;
    }
  }

  async *#byAnyWay(isWhole: boolean): AsyncGenerator<Entry> {
    const { listings } = this.#hub;
    const refused: ListingKind[] = [];
    let refusal: FtpError | undefined;
    for (const kind of listings.order) {
      try {
        yield* this.#byWay(kind, isWhole);
        listings.refused(refused);
        return;
      } catch (error) {
        if (!isUnknownListing(error)) throw error;
        refused.push(kind);
        refusal ??= error;
      }
    }
    throw refusal;
  }

  async *#byWay(kind: ListingKind, isWhole: boolean): AsyncGenerator<Entry> {
    const { signal, timeoutMs } = this.#options;
    const stop = new AbortController();
    const limit = joinedSignal(signal, timeoutMs);
    const joined = limit === undefined ? stop.signal : AbortSignal.any([limit, stop.signal]);
    const queue = new ChunkQueue();
    const running = this.#run({ queue, kind, attempts: isWhole ? 1 : undefined }, joined).then(
      () => queue.end(),
      (error: unknown) => queue.end(error),
    );
    const hub = this.#hub;
    try {
      const listing = readListing(queue, { kind, folder: this.#path, coder: hub.names, now: Date.now() });
      this.#listing = listing;
      // MLSD is in UTC (RFC 3659 §2.3); LIST in whatever zone the server has.
      if (kind === "mlsd") yield* listing;
      else yield* this.#ofFolder(kind === "list" ? inUtc(hub, listing, joined) : asked(hub, listing, joined), joined);
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

  async #itself(signal: AbortSignal | undefined): Promise<Entry> {
    const hub = this.#hub;
    return await hub.call(async (session) => await statOf(this.#path, { hub, session, signal }), { signal });
  }

  async #run({ queue, kind, attempts }: Running, signal: AbortSignal): Promise<void> {
    const what = `cannot list ${this.#path}`;
    const verb = kind.toUpperCase();
    await this.#hub.call(
      async (session) => {
        const command =
          kind === "mlsd"
            ? `MLSD ${this.#path}`
            : await listCommand(session, this.#path, { verb, signal, what, options: this.#options });
        try {
          const { reply } = await session.transfer({
            command,
            direction: "in",
            type: kind === "mlsd" ? "I" : "A",
            what,
            isShort: true,
            signal,
            move: async (transport) => {
              await queue.fill(transport, what);
              return true;
            },
            nothing: () => (queue.octets === 0 ? true : undefined),
          });
          refuseUnread(reply, what);
          if (reply !== undefined && /truncat/i.test(reply.lines.join(" "))) this.#cut = shownReply(reply);
        } catch (error) {
          if (!saysEmpty(error)) throw error;
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
  readonly kind: ListingKind;
  /** Tries of the transfer; undefined: as the client was told. */
  readonly attempts: number | undefined;
};

type ListCommand = {
  /** LIST or NLST. */
  readonly verb: string;
  readonly signal: AbortSignal;
  readonly what: string;
  readonly options: ListOptions;
};

/** Names whose facts are asked for at the same time, and of one listing in all: each costs some round trips. */
const [NAMES_AT_ONCE, NAMES_ASKED] = [8, 10_000];

/** NLST tells names alone: what each is has to be asked, one by one. One that nothing is told of stays "other". */
async function* asked(hub: Hub, names: AsyncIterable<Entry>, signal: AbortSignal): AsyncGenerator<Entry> {
  let [count, batch]: [number, Entry[]] = [0, []];
  const ask = async (entry: Entry): Promise<Entry> => {
    try {
      const found = await hub.call(async (session) => await statOf(entry.path, { hub, session, signal }), { signal });
      const { name, path, raw } = entry;
      return { ...found, name, path, raw };
    } catch (error) {
      if (signal.aborted || !(error instanceof FtpError) || error.retryable) throw error;
      return entry;
    }
  };
  for await (const entry of names) {
    if ((count += 1) > NAMES_ASKED) {
      yield entry;
      continue;
    }
    batch.push(entry);
    if (batch.length < NAMES_AT_ONCE && count < NAMES_ASKED) continue;
    yield* await Promise.all(batch.map(ask));
    batch = [];
  }
  yield* await Promise.all(batch.map(ask));
}

/** LIST takes patterns and flags at many servers: a folder whose name could be one is entered first. */
async function listCommand(
  session: FtpSession,
  path: string,
  { verb, signal, what, options }: ListCommand,
): Promise<string> {
  const flags = options.hidden === true ? " -a" : "";
  if (path === session.info.home) return `${verb}${flags}`;
  if (flags === "" && /^\/[^*?[\]{} \\]*$/.test(path)) {
    return `${verb} ${path}`;
  }
  const reply = await session.ask(`CWD ${path}`, { signal });
  if (reply.code >= 400) throw replyError(what, reply, { phase: "command", command: `CWD ${path}` });
  return `${verb}${flags}`;
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
