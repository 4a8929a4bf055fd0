/**
 * Sends what is put into a folder: a drop folder, a camera's, a build's. A file is sent once nobody has written to it for a
 * while. The system tells of changes, and a look at the whole folder now and then finds what it did not tell.
 */
import { type FSWatcher, watch } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { makeFolders } from "../base/make-folders.ts";
import { FtpError } from "./errors.ts";
import { localFault } from "./octets.ts";
import type { Client, Transferred } from "./types.ts";
import {
  type FileState,
  type FolderTerms,
  filesOf,
  holdFile,
  isSame,
  isWatched,
  moveFile,
  removeFile,
  stateOf,
} from "./watch-files.ts";

export type WatchOptions = {
  /** Ends it: what is under way is broken off, and the promise fulfils. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for which a file must not have changed. Default `SETTLE_MS`. */
  readonly settleMs?: number | undefined;
  /**
   * What becomes of a file that was sent: it stays (default), goes, or is moved to a folder of this host.
   * A file that changed while it was sent is sent again first.
   */
  readonly afterwards?: "keep" | "remove" | { readonly moveTo: string } | undefined;
  /** Names that begin with a dot. Default false. */
  readonly hidden?: boolean | undefined;
  /** Which files concern us, by their path from the folder. Default: all. */
  readonly filter?: ((path: string) => boolean) | undefined;
  /** Files at the same time. Default `PARALLEL`. */
  readonly parallel?: number | undefined;
  /** Milliseconds between two looks at the whole folder. Default `SCAN_MS`. */
  readonly scanMs?: number | undefined;
  /** Sends to a hidden name at the server and renames it at the end. Default false, as not every account may rename. */
  readonly atomic?: boolean | undefined;
  /** Ends once all that was there at the start is sent. Default false. */
  readonly once?: boolean | undefined;
  /** Milliseconds of the first wait while the server is away; each is twice the one before, up to `mostMs`. */
  readonly retry?: { readonly firstMs?: number | undefined; readonly mostMs?: number | undefined } | undefined;
  readonly onEvent?: ((event: WatchEvent) => void) | undefined;
};

/** `path` is that from the watched folder. */
export type WatchEvent =
  /** All that was there at the start is known, and the folder is watched. */
  | { readonly kind: "ready"; readonly files: number }
  | { readonly kind: "start"; readonly path: string; readonly remote: string }
  | {
      readonly kind: "sent";
      readonly path: string;
      readonly remote: string;
      readonly bytes: number;
      readonly ms: number;
    }
  /** The server has it already: the same size, and not older. */
  | { readonly kind: "same"; readonly path: string }
  | { readonly kind: "removed"; readonly path: string }
  | { readonly kind: "moved"; readonly path: string; readonly to: string }
  /** It is tried again when it changes. */
  | { readonly kind: "failed"; readonly path: string; readonly error: FtpError }
  /** The server is away, busy or full: nothing is sent for a while. */
  | { readonly kind: "waiting"; readonly error: FtpError; readonly waitMs: number }
  | { readonly kind: "warning"; readonly text: string };

export type WatchReport = { readonly sent: number; readonly octets: number; readonly failures: number };

/** Milliseconds: programs that write slowly do so at least every other second. */
const SETTLE_MS = 2_000;
/** Milliseconds: what the system did not tell of waits no longer than this. */
const SCAN_MS = 30_000;
const PARALLEL = 2;
/** Files that are waited for; those beyond come with a later look. */
const WAITING_MOST = 100_000;
/** Files of which it is remembered that they were sent as they are; of others the server is asked. */
const SENT_MOST = 100_000;
/** Folders of the server of which it is remembered that they are there. */
const FOLDERS_MOST = 10_000;
const [RETRY_FIRST_MS, RETRY_MOST_MS] = [1_000, 300_000];
/** Milliseconds by which the time of a file at the server may be behind: some keep every other second. */
const SLACK_MS = 2_000;
/** Milliseconds that a timer waits at most at a time. */
const SLEEP_MOST_MS = 60_000;

/**
 * Sends the files of a folder, now and as they come, to the same places below a folder of the server.
 * @throws {FtpError} LOCAL_IO where the folder cannot be read; AUTH when the server lets us in no longer.
 */
export async function watchAndUpload(
  client: Client,
  localFolder: string,
  remoteFolder: string,
  options: WatchOptions = {},
): Promise<WatchReport> {
  let root: string;
  let moveTo: string | undefined;
  try {
    root = await realpath(localFolder);
    if (!(await stat(root)).isDirectory()) throw noFolder(localFolder);
    if (typeof options.afterwards === "object") {
      await makeFolders(options.afterwards.moveTo);
      moveTo = await realpath(resolve(options.afterwards.moveTo));
    }
  } catch (error) {
    if (error instanceof FtpError) throw error;
    throw localFault(error, `cannot watch ${localFolder}`);
  }
  return await new Watch(client, { root, remoteFolder, moveTo, options }).run();
}

function noFolder(path: string): FtpError {
  return new FtpError("LOCAL_IO", `cannot watch ${path}: it is a file, and a folder is watched`, {
    phase: "local",
    retryable: false,
    hint: "upload (ferryman put) sends one file",
  });
}

type Waiting = { state: FileState | undefined; since: number };
type WatchTerms = {
  readonly root: string;
  readonly remoteFolder: string;
  readonly moveTo: string | undefined;
  readonly options: WatchOptions;
};

class Watch {
  readonly #client: Client;
  readonly #terms: WatchTerms;
  readonly #folder: FolderTerms;
  /** By path: what was heard of and has not settled. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #sending = new Set<string>();
  readonly #sent = new Map<string, FileState>();
  readonly #folders = new Set<string>();
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #report = { sent: 0, octets: 0, failures: 0 };
  #wake: () => void = () => {};
  #pausedUntil = 0;
  #retryMs: number;
  #fault: unknown;
  #scanAt = 0;

  constructor(client: Client, terms: WatchTerms) {
    this.#client = client;
    this.#terms = terms;
    const { root, moveTo, options } = terms;
    this.#folder = { root, moveTo, hidden: options.hidden ?? false };
    this.#signal =
      options.signal === undefined ? this.#stop.signal : AbortSignal.any([options.signal, this.#stop.signal]);
    this.#retryMs = options.retry?.firstMs ?? RETRY_FIRST_MS;
  }

  async run(): Promise<WatchReport> {
    const { options } = this.#terms;
    const watcher = options.once === true ? undefined : this.#watch();
    const wake = (): void => this.#wake();
    this.#signal.addEventListener("abort", wake, { once: true });
    try {
      await this.#scan();
      this.#emit({ kind: "ready", files: this.#waiting.size });
      while (!this.#signal.aborted && !this.#isDone) {
        await this.#sendSettled();
        if (this.#isDone) break;
        await this.#sleep();
        if (options.once !== true && performance.now() >= this.#scanAt) await this.#scan();
      }
    } finally {
      watcher?.close();
      this.#stop.abort();
      this.#signal.removeEventListener("abort", wake);
      // What is under way hears of the end by its signal.
      while (this.#sending.size > 0) await this.#woken(SLEEP_MOST_MS);
    }
    if (this.#fault !== undefined) throw this.#fault;
    return this.#report;
  }

  get #isDone(): boolean {
    const isEmpty = this.#waiting.size === 0 && this.#sending.size === 0;
    return this.#fault !== undefined || (this.#terms.options.once === true && isEmpty);
  }

  #emit(event: WatchEvent): void {
    this.#terms.options.onEvent?.(event);
  }

  #watch(): FSWatcher | undefined {
    try {
      const watcher = watch(this.#terms.root, { recursive: true, persistent: true });
      watcher.on("change", (_, name) => this.#heardOf(name));
      watcher.on("error", (error) => this.#unwatched(error));
      return watcher;
    } catch (error) {
      this.#unwatched(error);
      return undefined;
    }
  }

  #unwatched(error: unknown): void {
    const seconds = Math.round((this.#terms.options.scanMs ?? SCAN_MS) / 1_000);
    const why = error instanceof Error ? error.message : String(error);
    this.#emit({ kind: "warning", text: `the system does not tell of changes (${why}): looking every ${seconds} s` });
  }

  #heardOf(name: string | Buffer | null): void {
    if (name === null) this.#scanAt = 0;
    else this.#await(String(name).split(sep).join("/"), performance.now());
    this.#wake();
  }

  /** @param since of `performance.now()`: when it changed last. */
  #await(path: string, since: number): void {
    const { filter = () => true } = this.#terms.options;
    if (this.#waiting.size >= WAITING_MOST || !isWatched(path, this.#folder) || !filter(path)) return;
    const known = this.#waiting.get(path);
    if (known === undefined) this.#waiting.set(path, { state: undefined, since });
    else known.since = Math.max(known.since, since);
  }

  /** All that is here. A file that was written long ago has settled. */
  async #scan(): Promise<void> {
    const { root, options } = this.#terms;
    this.#scanAt = performance.now() + (options.scanMs ?? SCAN_MS);
    for await (const path of filesOf(this.#folder)) {
      if (this.#signal.aborted) return;
      if (this.#waiting.has(path) || this.#sending.has(path)) continue;
      const state = await stateOf(join(root, path));
      if (state === undefined || isSame(state, this.#sent.get(path))) continue;
      const ago = Math.max(Date.now() - state.mtimeMs, 0);
      this.#await(path, performance.now() - ago);
      const waiting = this.#waiting.get(path);
      if (waiting !== undefined) waiting.state = state;
    }
  }

  /** Begins to send what has settled, as far as there is room. */
  async #sendSettled(): Promise<void> {
    const { settleMs = SETTLE_MS, parallel = PARALLEL } = this.#terms.options;
    for (const [path, waiting] of this.#waiting) {
      if (this.#signal.aborted || performance.now() < this.#pausedUntil) return;
      if (this.#sending.size >= Math.max(parallel, 1)) return;
      if (this.#sending.has(path) || performance.now() - waiting.since < settleMs) continue;
      const state = await stateOf(join(this.#terms.root, path));
      if (state === undefined) this.#waiting.delete(path);
      else if (waiting.state === undefined || !isSame(state, waiting.state)) {
        // Not all writes are told of: it is looked at twice.
        const isOld = waiting.state === undefined && Date.now() - state.mtimeMs >= settleMs;
        waiting.state = state;
        if (!isOld) waiting.since = performance.now();
      } else {
        this.#waiting.delete(path);
        if (!isSame(state, this.#sent.get(path))) void this.#send(path, state);
      }
    }
  }

  async #send(path: string, state: FileState): Promise<void> {
    this.#sending.add(path);
    try {
      await this.#sendOne(path, state);
      this.#retryMs = this.#terms.options.retry?.firstMs ?? RETRY_FIRST_MS;
    } catch (error) {
      this.#failed(path, error);
    } finally {
      this.#sending.delete(path);
      this.#wake();
    }
  }

  async #sendOne(path: string, state: FileState): Promise<void> {
    const { root, remoteFolder, options } = this.#terms;
    const remote = `${remoteFolder === "" || remoteFolder.endsWith("/") ? remoteFolder : `${remoteFolder}/`}${path}`;
    if ((options.afterwards ?? "keep") === "keep" && (await this.#hasSame(remote, state))) {
      this.#remember(path, state);
      this.#emit({ kind: "same", path });
      return;
    }
    this.#emit({ kind: "start", path, remote });
    const done = await this.#upload(path, remote);
    this.#report = { ...this.#report, sent: this.#report.sent + 1, octets: this.#report.octets + done.bytes };
    this.#emit({ kind: "sent", path, remote, bytes: done.bytes, ms: done.ms });
    if (!isSame(state, await stateOf(join(root, path)))) {
      this.#await(path, performance.now());
      return;
    }
    this.#remember(path, state);
    await this.#putAway(path);
  }

  async #hasSame(remote: string, { size, mtimeMs }: FileState): Promise<boolean> {
    try {
      const there = await this.#client.stat(remote, { signal: this.#signal });
      return there.type === "file" && there.size === size && (there.modified?.ms ?? 0) >= mtimeMs - SLACK_MS;
    } catch (error) {
      if (error instanceof FtpError && !error.retryable && error.code !== "AUTH") return false;
      throw error;
    }
  }

  async #upload(path: string, remote: string): Promise<Transferred> {
    const { root, options } = this.#terms;
    const slash = remote.lastIndexOf("/");
    await using held = await holdFile(root, path);
    await this.#makeFolder(remote.slice(0, Math.max(slash, 0)));
    const target = options.atomic === true ? `${remote.slice(0, slash + 1)}.${remote.slice(slash + 1)}.part` : remote;
    // Waiting for the server is done here, for all files together.
    const done = await this.#client.upload(held.path, target, { signal: this.#signal, retry: { attempts: 1 } });
    if (target !== remote) await this.#client.rename(target, remote, { signal: this.#signal });
    return done;
  }

  async #makeFolder(folder: string): Promise<void> {
    if (folder === "" || this.#folders.has(folder)) return;
    await this.#client.mkdir(folder, { recursive: true, signal: this.#signal });
    if (this.#folders.size >= FOLDERS_MOST) this.#folders.clear();
    this.#folders.add(folder);
  }

  async #putAway(path: string): Promise<void> {
    const { root, moveTo, options } = this.#terms;
    if (options.afterwards === "remove") {
      await removeFile(root, path);
      this.#emit({ kind: "removed", path });
    } else if (moveTo !== undefined) {
      this.#emit({ kind: "moved", path, to: await moveFile(root, path, moveTo) });
    }
  }

  #remember(path: string, state: FileState): void {
    // The oldest is forgotten: the server is asked about it then.
    for (const oldest of this.#sent.keys()) {
      if (this.#sent.size < SENT_MOST) break;
      this.#sent.delete(oldest);
    }
    this.#sent.set(path, state);
  }

  #failed(path: string, error: unknown): void {
    if (this.#signal.aborted) return;
    if (!(error instanceof FtpError) || error.code === "AUTH") {
      this.#fault = error;
      return;
    }
    // The folder may have been taken away meanwhile.
    this.#folders.clear();
    const isPassing = error.retryable || error.code === "NO_SPACE" || error.code === "QUOTA";
    if (!isPassing || error.phase === "local") {
      this.#report = { ...this.#report, failures: this.#report.failures + 1 };
      this.#emit({ kind: "failed", path, error });
      void this.#forget(path);
      return;
    }
    const { mostMs = RETRY_MOST_MS } = this.#terms.options.retry ?? {};
    // Half of it by chance, so that many clients do not come back at once.
    const waitMs = Math.round(this.#retryMs / 2 + (Math.random() * this.#retryMs) / 2);
    this.#retryMs = Math.min(this.#retryMs * 2, mostMs);
    this.#pausedUntil = performance.now() + waitMs;
    this.#emit({ kind: "waiting", error, waitMs });
    this.#await(path, Number.NEGATIVE_INFINITY);
  }

  /** A file that cannot be sent as it is waits for its next change. */
  async #forget(path: string): Promise<void> {
    const state = await stateOf(join(this.#terms.root, path));
    if (state !== undefined) this.#remember(path, state);
  }

  /** Until the next file may have settled, the pause is over, the next look is due, or something is heard. */
  async #sleep(): Promise<void> {
    const { settleMs = SETTLE_MS, parallel = PARALLEL, once } = this.#terms.options;
    let until = once === true ? Number.POSITIVE_INFINITY : this.#scanAt;
    if (this.#sending.size < Math.max(parallel, 1)) {
      for (const [path, { since }] of this.#waiting) {
        if (this.#sending.has(path)) continue;
        until = Math.min(until, Math.max(since + settleMs, this.#pausedUntil));
      }
    }
    await this.#woken(Math.max(until - performance.now(), 1));
  }

  async #woken(ms: number): Promise<void> {
    const { promise, resolve: wake } = Promise.withResolvers<void>();
    this.#wake = wake;
    const timer = setTimeout(wake, Math.min(ms, SLEEP_MOST_MS));
    try {
      if (this.#signal.aborted && this.#sending.size === 0) return;
      await promise;
    } finally {
      clearTimeout(timer);
    }
  }
}
