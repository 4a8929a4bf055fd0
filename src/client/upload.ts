/** Files to the server: from a path, from memory, or from a stream. */
import { constants, statSync } from "node:fs";
import { AsciiEncoder } from "../protocol/ascii.ts";
import type { DataTransport } from "../net/transport.ts";
import { type DataMode, FtpError, type FtpReply, withDetails } from "./errors.ts";
import { askSize, sizeOfReply } from "./facts.ts";
import type { Hub } from "./hub.ts";
import { LocalFile } from "./local-file.ts";
import { chunksOf, localFault, sendFromFile, untilOver } from "./octets.ts";
import type { FtpSession } from "./session.ts";
import { setTimeAt, timeLine } from "./set-time.ts";
import type { Transferred, UploadOptions } from "./types.ts";
import { type GivenSource, isOpenFile } from "./ends.ts";
import { GO_ON_LEAST } from "./limits.ts";
import { joinedSignal } from "./waits.ts";
import { withPart } from "./upload-part.ts";
import { checkBeginning, compareHash, sizeMismatch } from "./verify.ts";

type Sending = { readonly moved: (octets: number) => void; readonly life: AbortSignal };

/** What is sent, and whether it can be sent again from any place. */
type Cargo = AsyncDisposable & {
  readonly size: number | undefined;
  readonly modifiedMs: number | undefined;
  /** A file here: for its digest. */
  readonly file: LocalFile | undefined;
  /** Nothing is lost when a try fails. */
  readonly isRepeatable: boolean;
  /** Sends from `start`. @returns the position reached. */
  send(transport: DataTransport, start: number, terms: Sending): Promise<number>;
};

/** @param path absolute, as `Hub.path` makes it. */
export async function upload(
  hub: Hub,
  from: GivenSource["from"],
  path: string,
  options: UploadOptions = {},
): Promise<Transferred> {
  await using cargo = await cargoOf(from, options);
  const run = new Run(options, cargo.size);
  const signal = joinedSignal(options.signal, options.timeoutMs);
  // Also what is there in part, though the server called it whole, is sent again.
  const work = async (attempt: number): Promise<Transferred["verified"]> => {
    const once = { signal, retry: { attempts: 1 } };
    try {
      await hub.call(async (session) => await run.once({ hub, session, path, cargo, signal, attempt }), once);
      return await verify(hub, path, cargo, run);
    } catch (error) {
      throw run.judge(error);
    }
  };
  const verified = await hub.again(work, { signal, retry: options.retry }).catch(async (error: unknown) => {
    throw run.leavesPart ? await withPart(error, { hub, path, whole: cargo.size, before: run.first, signal }) : error;
  });
  const { keepTime = true } = options;
  if (keepTime === true && cargo.modifiedMs !== undefined && !run.isTimeKept)
    run.isTimeKept = await keepTimeOf(hub, path, cargo.modifiedMs, options);
  return run.end(verified);
}

type Once = {
  readonly hub: Hub;
  readonly session: FtpSession;
  readonly path: string;
  readonly cargo: Cargo;
  readonly signal: AbortSignal | undefined;
  readonly attempt: number;
};

class Run {
  readonly #begun = performance.now();
  readonly options: UploadOptions;
  readonly #total: number | undefined;
  #resumedAt = 0;
  #bytes = 0;
  /** Where the last try began. */
  #start = 0;
  /** What was there before the first octet went out: its size, "none", or "unknown". */
  #first: number | "none" | "unknown" = "unknown";
  /** What an earlier try has left cannot be gone on with. */
  #isMistrusted = false;
  /** Octets have gone out in any of the tries; in the last one. */
  #hasSent = false;
  #hasMoved = false;
  #asks = { size: false, time: false };
  #mode: DataMode | undefined;
  #isPrivate = false;
  reply: FtpReply | undefined;
  /** Octets of the source that must be there in the end. */
  sent = 0;
  /** Octets that were there before, of an append. */
  before: number | undefined = 0;
  /** The control connection was lost before the last reply. */
  isUnconfirmed = false;
  /** Octets that the server has now, where it was asked in the same breath. */
  there: number | undefined;
  isTimeKept = false;

  constructor(options: UploadOptions, total: number | undefined) {
    this.options = options;
    this.#total = total;
  }

  async once({ hub, session, path, cargo, signal, attempt }: Once): Promise<void> {
    const { mode = "replace", type = "binary" } = this.options;
    if (attempt > 1 && !cargo.isRepeatable && this.#bytes > 0) {
      throw new FtpError("RESET", `cannot send ${path} again: its source is a stream, of which a part is used up`, {
        phase: "local",
        bytes: this.#bytes,
        retryable: false,
      });
    }
    const start = await this.#startAt({ hub, session, path, cargo, signal, attempt });
    this.#start = start;
    this.#resumedAt = attempt === 1 ? start : Math.min(this.#resumedAt, start);
    this.#bytes = start - this.#resumedAt;
    this.#hasMoved = false;
    const isAppend = mode === "append" || start > 0;
    const done = await session.transfer({
      command: `${isAppend ? "APPE" : "STOR"} ${path}`,
      direction: "out",
      type: type === "ascii" ? "A" : "I",
      what: `cannot put ${path}`,
      throttle: hub.throttle(this.options.rate),
      signal,
      move: async (transport, life) => {
        const to = type === "ascii" ? asText(transport) : transport;
        // From now on: a stream of Node's tells of octets only when all of a piece are out.
        this.#hasSent = true;
        this.sent = await cargo.send(to, start, { moved: this.#moved, life: life.signal });
        await transport.finish();
      },
      follow: () => this.#questions(hub, path, cargo),
    });
    this.#take(done.after);
    this.#mode = done.mode;
    this.#isPrivate = done.isPrivate;
    this.reply = done.reply;
    this.isUnconfirmed = done.reply === undefined;
  }

  /** What is asked of a file that is there: its size, and its time to be set, where it is known how. */
  #questions(hub: Hub, path: string, { modifiedMs }: Cargo): readonly string[] {
    const { verify: how, type, keepTime = true } = this.options;
    const time = keepTime === false || modifiedMs === undefined ? undefined : timeLine(path, new Date(modifiedMs), hub);
    this.#asks = { size: how !== false && type !== "ascii", time: time !== undefined };
    return [...(this.#asks.size ? [`SIZE ${path}`] : []), ...(time === undefined ? [] : [time])];
  }

  #take(replies: readonly FtpReply[]): void {
    const { size, time } = this.#asks;
    const [first] = replies;
    this.there = size && first !== undefined ? sizeOfReply(first) : undefined;
    const last = replies[size ? 1 : 0];
    this.isTimeKept = time && last !== undefined && last.code < 300;
  }

  /** Where it goes on: behind what an earlier try has left, or what the server had before, if that was asked for. */
  async #startAt({ hub, session, path, cargo, signal, attempt }: Once): Promise<number> {
    const { mode = "replace", verify: how } = this.options;
    if (mode === "replace" && !this.#mayGoOn(cargo)) return 0;
    if (mode === "append" && attempt === 1 && how === false) return 0;
    const reply = await askSize(path, { hub, session, signal });
    const there = typeof reply === "number" ? reply : undefined;
    if (mode === "exclusive" && attempt === 1 && there !== undefined) throw taken(path);
    const octets = there ?? 0;
    if (mode === "append") this.#noteBefore(path, { there: octets, attempt });
    if (mode === "resume") return await this.#behind(octets, { hub, session, path, cargo, signal, attempt });
    return this.#mayGoOn(cargo) ? this.#ownPart(reply, cargo) : 0;
  }

  /** Behind what is there, if that is the beginning of the file: asked before an octet of it changes. */
  async #behind(octets: number, { hub, session, path, cargo, signal, attempt }: Once): Promise<number> {
    const { file, size } = cargo;
    const start = beginningOf(path, octets, cargo);
    if (attempt > 1 || start === 0 || file === undefined || this.options.verify === false) return start;
    const isSaid = await checkBeginning(path, file, { octets, session, hub, signal });
    // One of the same size is compared by nothing else.
    if (!isSaid && start !== size) {
      const what = `the server does not tell whether the ${start} octets of ${path} that it has are the beginning of this file`;
      hub.emit("fallback", { id: 0, what });
    }
    return start;
  }

  /** A later try is worth the question, and every octet can be sent once more. */
  #mayGoOn({ isRepeatable, size }: Cargo): boolean {
    const { mode, type, resume } = this.options;
    const isPossible = isRepeatable && mode !== "append" && type !== "ascii" && resume !== false;
    return isPossible && !this.#isMistrusted && (size ?? 0) >= GO_ON_LEAST;
  }

  /**
   * What an earlier try of this call has left. A size that is as it was before the first try may be that of the old file,
   * which servers that publish whole files still have.
   */
  #ownPart(there: number | FtpReply, { size = 0 }: Cargo): number {
    if (!this.#hasSent) {
      this.#first = typeof there === "number" ? there : there.code === 550 ? "none" : "unknown";
      return 0;
    }
    const isOwn = typeof there === "number" && this.#first !== "unknown" && there !== this.#first && there <= size;
    return isOwn ? there : 0;
  }

  /**
   * What an earlier try has left and does not agree afterwards is sent anew; also where the server lets nobody go on, such
   * as ProFTPD without AllowStoreRestart.
   */
  judge(error: unknown): unknown {
    const isContinued = this.#start > 0 && this.options.mode !== "resume";
    if (!isContinued || !(error instanceof FtpError)) return error;
    const isRefused = error.reply !== undefined && error.reply.code >= 500 && !this.#hasMoved;
    if (error.code !== "MISMATCH" && !isRefused) return error;
    this.#isMistrusted = true;
    return withDetails(error, { retryable: true });
  }

  /** The server may have a part now. */
  get leavesPart(): boolean {
    return this.#hasSent && this.options.mode !== "append" && this.options.type !== "ascii";
  }

  /** Octets that were there before, where that is known. */
  get first(): number | undefined {
    return typeof this.#first === "number" ? this.#first : undefined;
  }

  /** An append that broke off cannot be told from one that others made: it is not tried again then. */
  #noteBefore(path: string, { there, attempt }: { readonly there: number; readonly attempt: number }): void {
    const more = attempt > 1 && this.before !== undefined ? there - this.before : 0;
    if (more > 0) {
      throw new FtpError("RESET", `a part of what was to be appended to ${path} is there: ${more} octets`, {
        phase: "transfer",
        retryable: false,
      });
    }
    this.before = there;
  }

  /** It went on behind what was there. */
  get isContinued(): boolean {
    return this.#start > 0;
  }

  readonly #moved = (octets: number): void => {
    this.#bytes += octets;
    this.#hasMoved = true;
    this.options.onProgress?.({ bytes: this.#bytes, resumedAt: this.#resumedAt, total: this.#total });
  };

  end(verified: Transferred["verified"]): Transferred {
    return {
      bytes: this.#bytes,
      ms: Math.round(performance.now() - this.#begun),
      resumedAt: this.#resumedAt,
      verified,
      mode: this.#mode,
      isPrivate: this.#isPrivate,
      reply: this.reply,
      timeKept: this.isTimeKept,
    };
  }
}

/** Of mode "exclusive". */
export function taken(path: string): FtpError {
  return new FtpError("EXISTS", `${path} exists at the server`, {
    phase: "command",
    hint: "choose another name, or replace it",
  });
}

/** @returns the octets that are there, which must be the beginning of ours. @throws MISMATCH for more than ours. */
function beginningOf(path: string, there: number, { size }: Cargo): number {
  if (size === undefined || there <= size) return there;
  throw new FtpError(
    "MISMATCH",
    `${path} has ${there} octets at the server, and ${size} here: it is no part of this file`,
    {
      phase: "command",
      retryable: false,
      hint: "to replace it, put it without resume",
    },
  );
}

/** TYPE A: line ends become CR LF on the way (RFC 959 §3.1.1.1). */
function asText(transport: DataTransport): DataTransport {
  const encoder = new AsciiEncoder();
  return {
    memory: transport.memory,
    send: async (chunk, moved) => {
      await transport.send(encoder.push(chunk));
      moved?.(chunk.length);
    },
    finish: async () => await transport.finish(),
    receive: async () => await transport.receive(),
    [Symbol.asyncDispose]: async () => await transport[Symbol.asyncDispose](),
  };
}

async function cargoOf(from: GivenSource["from"], options: UploadOptions): Promise<Cargo> {
  if (typeof from === "string") return await fileCargo(await opened(from), from);
  if (isOpenFile(from)) return await fileCargo(new LocalFile(from.fd, { isBorrowed: true }), "the open file");
  const isOctets = from instanceof Uint8Array;
  return {
    size: isOctets ? from.length : options.size,
    modifiedMs: undefined,
    file: undefined,
    isRepeatable: isOctets,
    async send(transport, start, { moved, life }) {
      let at = 0;
      for await (const chunk of untilOver(chunksOf(from), life)) {
        const skipped = Math.max(Math.min(start - at, chunk.length), 0);
        if (skipped < chunk.length) await transport.send(chunk.subarray(skipped), moved);
        at += chunk.length;
      }
      return at;
    },
    async [Symbol.asyncDispose]() {
      await Promise.resolve();
    },
  };
}

/** On the event loop only what is a file: opening a pipe waits for whoever writes to it. */
async function opened(path: string): Promise<LocalFile> {
  try {
    if (statSync(path).isFile()) return await LocalFile.open(path, constants.O_RDONLY | (constants.O_NONBLOCK | 0));
    return await LocalFile.openLater(path, constants.O_RDONLY);
  } catch (error) {
    throw localFault(error, `cannot read ${path}`);
  }
}

async function fileCargo(file: LocalFile, shown: string): Promise<Cargo> {
  const stats = await file.stat();
  if (stats.isDirectory()) {
    await file.close();
    throw new FtpError("LOCAL_IO", `cannot put ${shown}: it is a folder`, {
      phase: "local",
      hint: "mirror puts folders",
    });
  }
  const { size } = stats;
  return {
    size: stats.isFile() ? size : undefined,
    modifiedMs: stats.isFile() ? stats.mtimeMs : undefined,
    file,
    isRepeatable: stats.isFile(),
    send: async (transport, start, { moved }) => await sendFromFile(transport, file, { start, size, moved }),
    [Symbol.asyncDispose]: async () => await file.close(),
  };
}

/** @throws MISMATCH, or RESET where the server's last word is missing and its size does not make up for it. */
async function verify(hub: Hub, path: string, cargo: Cargo, run: Run): Promise<Transferred["verified"]> {
  const { signal, type, verify: how = "size" } = run.options;
  const isAscii = type === "ascii";
  if ((how === false || isAscii) && !run.isUnconfirmed) return false;
  const there =
    run.there ?? (await hub.call(async (session) => await askSize(path, { hub, session, signal }), { signal }));
  const wanted = run.before === undefined ? undefined : run.before + run.sent;
  if (typeof there !== "number" || isAscii || wanted === undefined) {
    if (!run.isUnconfirmed) return false;
    throw new FtpError("RESET", `the control connection was lost before ${path} was said to be whole`, {
      phase: "finish",
    });
  }
  if (there !== wanted) throw sizeMismatch(path, wanted, there);
  if (cargo.file === undefined || !wantsHash(run)) return "size";
  return (await compareHash(path, cargo.file, { hub, signal })) ? "hash" : "size";
}

/** Also where it went on: what was there before may have been the beginning of another file. */
function wantsHash({ options, isContinued }: Run): boolean {
  return options.mode !== "append" && (options.verify === "hash" || isContinued);
}

/** A server that keeps no times is none to fail for. */
async function keepTimeOf(hub: Hub, path: string, modifiedMs: number, { signal }: UploadOptions): Promise<boolean> {
  try {
    await hub.call(async (session) => await setTimeAt(path, new Date(modifiedMs), { hub, session, signal }), {
      signal,
      retry: { attempts: 1 },
    });
    return true;
  } catch (error) {
    if (!(error instanceof FtpError)) throw error;
    hub.emit("fallback", { id: 0, what: `${path} has the server's time and not that of the file: ${error.message}` });
    return false;
  }
}
