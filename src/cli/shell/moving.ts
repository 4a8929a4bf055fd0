/** Moving files for the commands of the shell: several at the same time, each on the board, failures counted. */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Client, DownloadOptions, Entry, Progress, Transferred, UploadOptions } from "../../client/types.ts";
import type { Call } from "./command.ts";
import { Interrupted, PartsFailed, described } from "./errors.ts";
import { type Flags, wholeNumber } from "./flags.ts";
import { PARALLEL_MOST } from "./limits.ts";

/** A file to be moved. */
export type Piece = {
  /** A path of the server. */
  readonly remote: string;
  /** A path of the host. */
  readonly local: string;
  /** Octets, where they are known. */
  readonly size?: number | undefined;
  /** Of a file of the server, where a listing has told it. */
  readonly entry?: Entry | undefined;
  /** As people know it. */
  readonly shown: string;
};

export type MoveFlags = {
  readonly isResumed?: boolean;
  readonly isAscii?: boolean;
  /** Removes the source when the file has arrived. */
  readonly removesSource?: boolean;
  readonly exists?: DownloadOptions["exists"];
  /** Keeps the file's time whatever is set. */
  readonly keepsTime?: boolean;
  /** Connections for one file that comes. */
  readonly segments?: number | undefined;
  /** Files at the same time; undefined: as is set. */
  readonly parallel?: number | undefined;
};

export async function fetchPiece(call: Call, piece: Piece, flags: MoveFlags): Promise<void> {
  const client = call.client();
  await shown(call, piece, async (onProgress) => {
    const options: DownloadOptions = {
      ...common(call, flags),
      onProgress,
      exists: flags.exists ?? existsOf(call),
      entry: piece.entry,
      segments: flags.segments,
      ...(await resuming(client, piece, flags)),
    };
    const moved = await client.download(piece.remote, piece.local, options);
    if (flags.removesSource === true && moved.leftAlone !== true)
      await client.remove(piece.remote, { signal: call.signal });
    return moved;
  });
}

/**
 * What an earlier try has left under its hidden name is gone on with, as long as the server tells times: name, size and
 * time say that it is the same file. With -c so is what lies there under its own name, whoever has put it there; it is
 * compared by digest afterwards, where the server has any.
 */
async function resuming(
  client: Client,
  { local }: Piece,
  { isResumed = false }: MoveFlags,
): Promise<Pick<DownloadOptions, "resume" | "atomic" | "verify">> {
  const { features } = client.info;
  if (!isResumed) return { resume: features.has("MDTM") || features.has("MLST") };
  const facts = await stat(local).catch(() => undefined);
  const isThere = facts?.isFile() === true && facts.size > 0;
  return isThere ? { resume: true, atomic: false, verify: "hash" } : { resume: true };
}

/** @param mode as of `Client.upload`. */
export async function sendPiece(
  call: Call,
  piece: Piece,
  { mode, ...flags }: MoveFlags & { readonly mode?: UploadOptions["mode"] },
): Promise<void> {
  const client = call.client();
  await shown(call, piece, async (onProgress) => {
    const options: UploadOptions = { ...common(call, flags), onProgress, mode };
    const moved =
      mode === "append"
        ? await client.append(piece.remote, piece.local, options)
        : await client.upload(piece.local, piece.remote, options);
    if (flags.removesSource === true && moved.leftAlone !== true) await rm(piece.local);
    return moved;
  });
  call.shell.names.clear();
}

function common(
  call: Call,
  { isAscii, keepsTime }: MoveFlags,
): Pick<DownloadOptions & UploadOptions, "signal" | "type" | "verify" | "keepTime" | "rate"> {
  const { settings } = call.shell;
  const verify = settings.get("verify");
  return {
    signal: call.signal,
    type: isAscii === true || settings.get("type") === "ascii" ? "ascii" : "binary",
    verify: verify === "off" ? false : verify === "hash" ? "hash" : "size",
    keepTime: keepsTime === true || settings.isOn("keep-time"),
    rate: settings.rate(),
  };
}

/** What get and put understand alike. @throws {UsageError} */
export function moveFlags(flags: Flags): MoveFlags {
  const parallel = flags.value("P");
  return {
    ...(flags.has("c") ? { isResumed: true } : {}),
    isAscii: flags.has("a"),
    removesSource: flags.has("E"),
    keepsTime: flags.has("p"),
    parallel: parallel === undefined ? undefined : wholeNumber(parallel, { from: 1, to: PARALLEL_MOST }),
  };
}

/** What `restart` has said, which is for one command alone. */
export function takenRestart({ shell }: Call): number | undefined {
  const offset = shell.restartAt;
  shell.restartAt = undefined;
  return offset;
}

/** `-r`, `-R`: folders with all that is in them. */
export function isTree(flags: Flags): boolean {
  return flags.has("r") || flags.has("R");
}

function existsOf(call: Call): DownloadOptions["exists"] {
  const value = call.shell.settings.get("exists");
  return value === "skip" || value === "newer" || value === "error" ? value : "overwrite";
}

/** One transfer on the board. @throws what the work throws; the board has told it. */
async function shown(
  call: Call,
  { shown: name, size }: Piece,
  work: (onProgress: (progress: Progress) => void) => Promise<Transferred>,
): Promise<void> {
  const transfer = call.board.begin({ name, total: size });
  try {
    const moved = await work(({ bytes, total, resumedAt }) => transfer.update(bytes, { total, resumedAt }));
    transfer.update(moved.bytes, { resumedAt: moved.resumedAt });
    const isThere = moved.leftAlone === true || (moved.bytes === 0 && moved.resumedAt > 0);
    transfer.done(isThere ? "is there already" : undefined);
  } catch (error) {
    transfer.failed(call.signal.aborted ? "interrupted" : described(error));
    throw error;
  }
}

type Each<T> = {
  readonly work: (piece: T) => Promise<void>;
  readonly name: (piece: T) => string;
  /** Whether the board has told a failure already. */
  readonly isOnBoard?: boolean;
  /** How many at the same time. Default: the setting "parallel". */
  readonly parallel?: number | undefined;
};

/**
 * Does `work` for all pieces, several at the same time. A failure does not keep the others
 * from being done. @throws {PartsFailed} when some failed; each has been told about.
 */
export async function eachPiece<T>(
  call: Call,
  pieces: Iterable<T> | AsyncIterable<T>,
  { work, name, isOnBoard = true, parallel = call.shell.settings.number("parallel") }: Each<T>,
): Promise<void> {
  // Once for all of them, before any is on the board.
  call.client();
  const count = { done: 0, failed: 0 };
  const running = new Set<Promise<void>>();
  const one = async (piece: T): Promise<void> => {
    try {
      await work(piece);
    } catch (error) {
      count.failed += 1;
      if (!call.signal.aborted && !(isOnBoard && call.board.isShown)) call.say(`${name(piece)}: ${described(error)}`);
    }
    count.done += 1;
  };
  try {
    for await (const piece of pieces) {
      if (call.signal.aborted) break;
      const task = one(piece).finally(() => running.delete(task));
      running.add(task);
      if (running.size >= parallel) await Promise.race(running);
    }
  } finally {
    // Also when the names end in a failure: nothing goes on behind a command that has ended.
    await Promise.all(running);
  }
  if (call.signal.aborted) throw new Interrupted();
  if (call.shell.settings.isOn("bell")) call.shell.ring();
  if (count.failed > 0) throw new PartsFailed({ failed: count.failed, of: count.done });
}

/** Whether a path of the host is a folder. */
export async function isLocalFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

export type LocalEntry = {
  readonly path: string;
  readonly isFolder: boolean;
  readonly size: number;
  readonly mtimeMs: number;
};

/** All below a folder of the host, folders before what is in them. Links to files are followed, links to folders are not. */
export async function* walkLocal(folder: string): AsyncIterable<LocalEntry> {
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for (const each of await readdir(next, { withFileTypes: true })) {
      const path = join(next, each.name);
      const facts =
        each.isDirectory() || each.isFile() || each.isSymbolicLink()
          ? await stat(path).catch(() => undefined)
          : undefined;
      if (facts === undefined) continue;
      const isFolder = each.isDirectory();
      if (isFolder) folders.push(path);
      else if (!facts.isFile()) continue;
      yield { path, isFolder, size: facts.size, mtimeMs: facts.mtimeMs };
    }
  }
}

/** Asks about each file where `prompt` is on: y, n, a for all that follow, q for none. */
export function asking(call: Call): (verb: string, name: string) => Promise<boolean> {
  let always = !call.shell.settings.isOn("prompt") || !call.shell.isTerminal || call.isBackground;
  let never = false;
  return async (verb, name) => {
    if (always || never) return !never;
    const answer = (await call.shell.ask(`${verb} ${name} [y]es, [n]o, [a]ll, [q]uit? `))?.trim().toLowerCase();
    if (answer === undefined || answer.startsWith("q")) never = true;
    if (answer?.startsWith("a") === true) always = true;
    return always || answer === "" || answer?.startsWith("y") === true;
  };
}
