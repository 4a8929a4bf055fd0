/** `ferryman/client`: a server as an object, whose calls take connections from a pool and may all run at the same time. */
import { PassThrough, type Readable, Writable } from "node:stream";
import { callbackify } from "node:util";
import { connectHub } from "./connector.ts";
import { download } from "./download.ts";
import { sinkOf, sourceOf } from "./ends.ts";
import type { EventHub } from "./event-hub.ts";
import { FtpError, type FtpReply, usageError } from "./errors.ts";
import { type Asking, existsAt, statOf } from "./facts.ts";
import type { HostMemory } from "./host-memory.ts";
import type { Hub } from "./hub.ts";
import { keepHub } from "./hub-of.ts";
import { READ_MOST } from "./limits.ts";
import { list } from "./list.ts";
import { setTimeAt } from "./set-time.ts";
import type { FtpSession } from "./session.ts";
import { glob, removeTree, walk } from "./trees.ts";
import type {
  CallOptions,
  Client,
  ClientEvents,
  ConnectOptions,
  Copied,
  CopyOptions,
  DownloadOptions,
  Entry,
  EntryType,
  HashResult,
  ListOptions,
  Listing,
  ServerInfo,
  Session,
  Sink,
  Source,
  Transferred,
  UploadOptions,
  WalkOptions,
} from "./types.ts";
import { upload } from "./upload.ts";
import { hashAt } from "./verify.ts";
import { unlessAborted } from "./waits.ts";

/**
 * Connects and signs in.
 * @param url `ftp://`, `ftpes://` (explicit TLS, or none of it) or `ftps://` (implicit TLS), with user, password, port and path.
 * @throws {FtpError}, or the signal's reason.
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<Client> {
  const { hub, events, memory } = await connectHub(String(url), options);
  return new FtpClient(hub, events, memory);
}

/** What every call does with its path and its session. */
class FtpClient implements Client {
  readonly #hub: Hub;
  readonly #events: EventHub;
  readonly #memory: HostMemory;

  constructor(hub: Hub, events: EventHub, memory: HostMemory) {
    this.#hub = hub;
    this.#events = events;
    keepHub(this, hub);
    this.#memory = memory;
  }

  get info(): ServerInfo {
    return this.#hub.info;
  }

  list(folder = "", options: ListOptions = {}): Listing {
    return list(this.#hub, this.#hub.path(folder), options);
  }

  walk(folder = "", options: WalkOptions = {}): AsyncIterable<Entry> {
    return walk(this.#hub, this.#hub.path(folder), options);
  }

  glob(pattern: string, options: ListOptions = {}): AsyncIterable<Entry> {
    return glob(this.#hub, pattern, options);
  }

  async stat(path: string, options: CallOptions = {}): Promise<Entry> {
    const hub = this.#hub;
    return await hub.call(
      async (session, { signal }) => await statOf(hub.path(path), { hub, session, signal }),
      options,
    );
  }

  async exists(path: string, options: CallOptions = {}): Promise<false | EntryType> {
    const hub = this.#hub;
    return await hub.call(
      async (session, { signal }) => await existsAt(hub.path(path), { hub, session, signal }),
      options,
    );
  }

  open(path: string, { start, end, signal, timeoutMs }: CallOptions & { start?: number; end?: number } = {}): Readable {
    const stop = new AbortController();
    const pipe = new PassThrough({
      destroy(error, done) {
        stop.abort(error ?? new FtpError("ABORTED", `${path} was not read to its end`, { phase: "transfer" }));
        done(error);
      },
    });
    const joined = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const run = download(this.#hub, this.#hub.path(path), pipe, { start, end, signal: joined, timeoutMs });
    run.then(
      () => pipe.end(),
      (error: unknown) => pipe.destroy(error instanceof Error ? error : new Error(String(error))),
    );
    return pipe;
  }

  create(path: string, options: UploadOptions = {}): Writable {
    const pipe = new PassThrough();
    // What went wrong is told by the stream that the caller has.
    pipe.on("error", () => {});
    const stop = new AbortController();
    const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
    const done = upload(this.#hub, pipe, this.#hub.path(path), { ...options, signal });
    done.catch((error: unknown) => pipe.destroy(error instanceof Error ? error : new Error(String(error))));
    return new Writable({
      write(chunk, encoding, next) {
        if (pipe.destroyed) next(pipe.errored);
        else if (pipe.write(chunk, encoding)) next();
        else void drainedOf(pipe, next);
      },
      final(next) {
        pipe.end();
        callbackify(async () => void (await done))(next);
      },
      destroy(error, next) {
        // Also without an error: given up before its end, it is no whole file.
        stop.abort(error ?? new FtpError("ABORTED", `${path} was given up before its end`, { phase: "transfer" }));
        next(error);
      },
    });
  }

  async read(path: string, { most = READ_MOST, ...options }: CallOptions & { most?: number } = {}): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let octets = 0;
    const into = new Writable({
      write(chunk: Buffer, _encoding, next) {
        octets += chunk.length;
        chunks.push(chunk);
        const fault = new FtpError("LIMIT", `${path} has more than ${most} octets`, {
          phase: "transfer",
          hint: "download it to a file, or allow more",
        });
        next(octets > most ? fault : null);
      },
    });
    into.on("error", () => {});
    await download(this.#hub, this.#hub.path(path), into, options);
    if (into.errored !== null) throw into.errored;
    return Buffer.concat(chunks);
  }

  async write(path: string, data: Source, options: UploadOptions = {}): Promise<Transferred> {
    return await this.upload(data, path, options);
  }

  async append(path: string, data: Source, options: UploadOptions = {}): Promise<Transferred> {
    return await this.upload(data, path, { ...options, mode: "append" });
  }

  async download(path: string, to: Sink, options: DownloadOptions = {}): Promise<Transferred> {
    const { segments } = options;
    const place = sinkOf(to);
    if (segments !== undefined && segments !== 1 && typeof place === "string") {
      // Loaded by who asks for it: a short command does not wait for what it does not use.
      const { segmentedDownload } = await import("./segments/segmented.ts");
      return await segmentedDownload([{ client: this.#hub, path }], place, { ...options, segments });
    }
    return await download(this.#hub, this.#hub.path(path), place, options);
  }

  async upload(from: Source, path: string, options: UploadOptions = {}): Promise<Transferred> {
    const { from: source, size } = sourceOf(from);
    return await upload(this.#hub, source, this.#hub.path(path), { size, ...options });
  }

  async copyTo(other: Client, from: string, to: string, options: CopyOptions = {}): Promise<Copied> {
    const { copyBetween } = await import("./copy/copy.ts");
    return await copyBetween(this, from, other, to, options);
  }

  async remove(path: string, options: CallOptions = {}): Promise<void> {
    await this.#tell(`DELE ${this.#hub.path(path)}`, { what: `cannot remove ${path}`, isDone: isGone }, options);
  }

  async rename(from: string, to: string, options: CallOptions = {}): Promise<void> {
    const what = `cannot rename ${from}`;
    const hub = this.#hub;
    let isSent = false;
    await hub.call(async (session, { signal }) => {
      try {
        await session.send(`RNFR ${hub.path(from)}`, { signal, what });
      } catch (error) {
        // An earlier try was carried out, and the reply to it was lost.
        const mayBeDone = isSent && error instanceof FtpError && error.code === "NOT_FOUND";
        if (mayBeDone && (await existsAt(hub.path(to), { hub, session, signal })) !== false) return;
        throw error;
      }
      isSent = true;
      await session.send(`RNTO ${hub.path(to)}`, { signal, what: `${what} to ${to}` });
    }, options);
  }

  async mkdir(
    path: string,
    { recursive = false, ...options }: CallOptions & { recursive?: boolean } = {},
  ): Promise<void> {
    const whole = this.#hub.path(path);
    if (!recursive) {
      // Few servers say in words that can be read what the matter is.
      const isDone: Telling["isDone"] = async (_error, asking) => (await existsAt(whole, asking)) === "directory";
      await this.#tell(`MKD ${whole}`, { what: `cannot make the folder ${path}`, isDone }, options);
      return;
    }
    await this.#hub.call(async (session, { signal }) => await makeAll(session, whole, signal), options);
  }

  async rmdir(path: string, options: CallOptions = {}): Promise<void> {
    await this.#tell(
      `RMD ${this.#hub.path(path)}`,
      { what: `cannot remove the folder ${path}`, isDone: isGone },
      options,
    );
  }

  async removeTree(path: string, options: CallOptions = {}): Promise<number> {
    return await removeTree(this.#hub, path, options);
  }

  async chmod(path: string, mode: number, options: CallOptions = {}): Promise<void> {
    if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777) {
      throw usageError(`${mode} are no permission bits: a number from 0 to 0o7777`);
    }
    const digits = mode.toString(8).padStart(3, "0");
    await this.#tell(
      `SITE CHMOD ${digits} ${this.#hub.path(path)}`,
      { what: `cannot change the mode of ${path}` },
      options,
    );
  }

  async utime(path: string, modified: Date, options: CallOptions = {}): Promise<string> {
    const hub = this.#hub;
    const year = modified.getUTCFullYear();
    // Years have four digits on the wire (RFC 3659 §2.3); a date that was not understood has none at all.
    if (!(year >= 1 && year <= 9999)) {
      throw new FtpError("USAGE", `${String(modified)} is no time that a file can have`, { phase: "local" });
    }
    return await hub.call(
      async (session, { signal }) => await setTimeAt(hub.path(path), modified, { hub, session, signal }),
      options,
    );
  }

  async hash(path: string, options: Parameters<Client["hash"]>[1] = {}): Promise<HashResult | undefined> {
    const hub = this.#hub;
    return await hub.call(
      async (session, { signal }) => await hashAt(hub.path(path), { ...options, signal }, { session, hub }),
      options,
    );
  }

  async raw(line: string, options: CallOptions = {}): Promise<FtpReply> {
    return await this.#hub.call(async (session, { signal }) => await session.ask(line, { signal, isForeign: true }), {
      ...options,
      retry: { attempts: 1 },
    });
  }

  async session<T>(work: (session: Session) => Promise<T>, options: CallOptions = {}): Promise<T> {
    return await this.#hub.call(
      async (session, { signal }) => {
        try {
          return await unlessAborted(work(facade(session, signal)), signal);
        } catch (error) {
          // What the work still says there must not come between another call's commands.
          if (signal?.aborted === true) session.link.destroy("its work was given up");
          throw error;
        }
      },
      { ...options, retry: { attempts: 1 } },
    );
  }

  on<K extends keyof ClientEvents>(event: K, listener: (detail: ClientEvents[K]) => void): () => void {
    return this.#events.on(event, listener);
  }

  async close(): Promise<void> {
    await this.#hub.pool.close();
    await this.#memory.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @param words.isDone whether a refusal says that it is done already: of a later try that is success, as a reply may be lost. */
  async #tell(line: string, { what, isDone }: Telling, options: CallOptions): Promise<void> {
    const hub = this.#hub;
    await hub.call(async (session, { signal, attempt }) => {
      try {
        await session.send(line, { signal, what });
      } catch (error) {
        if (attempt === 1 || !(error instanceof FtpError) || error.reply === undefined) throw error;
        if ((await isDone?.(error, { hub, session, signal })) !== true) throw error;
      }
    }, options);
  }
}

async function drainedOf(pipe: PassThrough, next: (error?: Error | null) => void): Promise<void> {
  const over = (): void => {
    pipe.off("drain", over);
    pipe.off("close", over);
    next(pipe.errored);
  };
  pipe.once("drain", over);
  pipe.once("close", over);
  await Promise.resolve();
}

type Telling = {
  readonly what: string;
  readonly isDone?: ((error: FtpError, asking: Asking) => Promise<boolean>) | undefined;
};

const isGone: Telling["isDone"] = async ({ code }) => await Promise.resolve(code === "NOT_FOUND");

/** Folders from the top down; those that are there already are passed over. */
async function makeAll(session: FtpSession, path: string, signal: AbortSignal | undefined): Promise<void> {
  const what = `cannot make the folder ${path}`;
  const reply = await session.ask(`MKD ${path}`, { signal });
  if (reply.code < 400) return;
  const parts = path.split("/").filter((part) => part !== "");
  for (let count = 1; count < parts.length; count += 1) {
    await session.ask(`MKD /${parts.slice(0, count).join("/")}`, { signal });
  }
  const again = await session.ask(`MKD ${path}`, { signal });
  if (again.code < 400) return;
  // Servers have no code of their own for what is there already.
  const entered = await session.ask(`CWD ${path}`, { signal });
  if (entered.code >= 400) await session.send(`MKD ${path}`, { signal, what });
  await session.comeHome(signal);
}

function facade(session: FtpSession, signal: AbortSignal | undefined): Session {
  return {
    info: session.info,
    send: async (...words) => await session.send(words.join(" "), { signal, isForeign: true }),
    ask: async (...words) => await session.ask(words.join(" "), { signal, isForeign: true }),
    cd: async (path) => void (await session.send(`CWD ${path}`, { signal, what: `cannot enter ${path}` })),
    pwd: async () => await session.workingFolder(signal),
  };
}
