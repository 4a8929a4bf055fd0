/** Files from the server: to a path, which gets its name when all of it is there, or to a stream. */
import { type Stats, lstatSync } from "node:fs";
import { lstat, realpath, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Writable } from "node:stream";
import type { DataTransport } from "../net/transport.ts";
import { type DataMode, FtpError, type FtpReply } from "./errors.ts";
import { systemCode } from "../base/system-code.ts";
import { type SourceFacts, askTime, maySayTime, sourceFacts, timeOfReply } from "./facts.ts";
import { receiveText } from "./receive-text.ts";
import type { Hub } from "./hub.ts";
import { downloadToSpecial, downloadToStream } from "./download-stream.ts";
import { namingFolder } from "./folder-fault.ts";
import { PART_KEPT_LEAST } from "./limits.ts";
import { soon } from "./local-file.ts";
import { localFault, receiveIntoFile } from "./octets.ts";
import { PartFile, type SourceMark, partPath } from "./part-file.ts";
import type { FtpSession } from "./session.ts";
import type { DownloadOptions, Transferred } from "./types.ts";
import { compareHash, sizeMismatch } from "./verify.ts";

/** @param path absolute, as `Hub.path` makes it. */
export async function download(
  hub: Hub,
  path: string,
  to: string | Writable,
  options: DownloadOptions = {},
): Promise<Transferred> {
  checkSpan(options);
  try {
    if (typeof to === "string") return await downloadToPath(hub, path, to, options);
    return await downloadToStream(hub, path, to, options);
  } catch (error) {
    throw await namingFolder(error, path, hub);
  }
}

/** What one download has done so far, through all of its tries. */
export class Run {
  readonly begun = performance.now();
  readonly options: DownloadOptions;
  resumedAt = 0;
  bytes = 0;
  total: number | undefined;
  /** What the server said of the file before the first try. */
  facts: SourceFacts = { size: undefined, modified: undefined };
  /** Octets of the file here after the last try. */
  length: number | undefined;
  /** Milliseconds since 1970 of the file's last change, where the listing did not know them well enough. */
  exactMs: number | undefined;
  mode: DataMode | undefined;
  isPrivate = false;
  reply: FtpReply | undefined;

  constructor(options: DownloadOptions) {
    this.options = options;
  }

  /** @param life ends a server that sends more than the file has: the disk here would be full before it stopped. */
  counter(life: AbortController): (octets: number) => void {
    const { verify: how, onProgress } = this.options;
    return (octets) => {
      this.bytes += octets;
      if (this.total !== undefined && this.resumedAt + this.bytes > this.total && how !== false) {
        life.abort(tooLong(this.total));
      }
      onProgress?.({ bytes: this.bytes, resumedAt: this.resumedAt, total: this.total });
    };
  }

  /** As many octets as the server has named. */
  get isWhole(): boolean {
    return this.total !== undefined && this.resumedAt + this.bytes === this.total;
  }

  end(verified: Transferred["verified"]): Transferred {
    const { bytes, resumedAt, mode, isPrivate, reply } = this;
    return { bytes, ms: Math.round(performance.now() - this.begun), resumedAt, verified, mode, isPrivate, reply };
  }
}

/** @throws {FtpError} USAGE. */
function checkSpan({ start = 0, end = start }: DownloadOptions): void {
  if (Number.isSafeInteger(start) && start >= 0 && Number.isSafeInteger(end) && end >= start) return;
  throw new FtpError("USAGE", `there are no octets from ${start} to ${end}: whole numbers, the second not less`, {
    phase: "local",
  });
}

async function downloadToPath(hub: Hub, path: string, given: string, options: DownloadOptions): Promise<Transferred> {
  const run = new Run(options);
  const there = await foundAt(given, options);
  if (isLeftAlone(given, there, options)) return { ...run.end(false), leftAlone: true };
  // A pipe or a device is written to, as a shell would: a file in its place would be of no use to whoever reads there.
  if (there?.isSpecial === true) return await downloadToSpecial(hub, path, given, options);
  const to = there?.isLink === true ? await targetOf(given) : given;
  const facts = await factsOf(hub, path, options);
  run.facts = facts;
  const modifiedMs = facts.modified?.ms;
  if (options.exists === "newer" && isAsNew(there, modifiedMs)) return { ...run.end(false), leftAlone: true };
  const size = options.type === "ascii" ? undefined : facts.size;
  run.total = size;
  const mayResume = mayContinue(options, size);
  await using part = await partFor(to, { url: `${hub.info.host}:${hub.info.port}${path}`, size, modifiedMs }, options);
  try {
    await fill(hub, path, { part, run, size, mayResume });
    const verified = await verify(hub, path, { part, run, size });
    await part.publish(await timeFor(hub, path, run));
    return run.end(verified);
  } catch (error) {
    await keepOrRemove(part, error, { to, options, size });
    throw error;
  }
}

/** A span of a file is another source than the whole of it. */
async function partFor(to: string, mark: SourceMark, options: DownloadOptions): Promise<PartFile> {
  const { atomic = true, start = 0, end = "" } = options;
  if (!atomic) return await PartFile.inPlace(to);
  if (!mayLeave(options, mark.size)) return await PartFile.ofItsOwn(to);
  const isSpan = start !== 0 || end !== "";
  const url = isSpan ? `${mark.url} ${start}-${end}` : mark.url;
  return await PartFile.continued(partPath(to, { ...mark, url }), to);
}

type Left = { readonly to: string; readonly options: DownloadOptions; readonly size: number | undefined };

/** What can be continued is kept under its hidden name. */
async function keepOrRemove(part: PartFile, error: unknown, { to, options, size }: Left): Promise<void> {
  const code = error instanceof FtpError ? error.code : undefined;
  // The room on a full disk is given back, unless somebody has said that he goes on there.
  const isOfNoUse = code === "MISMATCH" || (code === "NO_SPACE" && options.resume !== true);
  const bytes = isOfNoUse ? 0 : await part.size();
  if (part.path !== to && !(bytes > 0 && mayLeave(options, size))) await part.remove();
  else if (bytes > 0) options.onPart?.({ path: part.path, bytes });
}

/** Whether a failure leaves something to go on with. */
function mayLeave(options: DownloadOptions, size = 0): boolean {
  const { keepPart = options.resume === true } = options;
  const isWorth = options.resume === true || size >= PART_KEPT_LEAST;
  return keepPart && isWorth && mayContinue({ ...options, resume: true }, size === 0 ? undefined : size);
}

function isAsNew(there: Found, modifiedMs: number | undefined): boolean {
  return there !== undefined && modifiedMs !== undefined && modifiedMs <= there.mtimeMs;
}

/** A hidden part is known by the source's size and time; a file under its own name is what the caller says it is. */
function mayContinue({ resume, type, atomic = true }: DownloadOptions, size: number | undefined): boolean {
  return resume === true && type !== "ascii" && (size !== undefined || !atomic);
}

/** @throws {FtpError} EXISTS. */
function isLeftAlone(to: string, there: Found, { exists = "overwrite" }: DownloadOptions): boolean {
  if (there?.isFolder === true) {
    throw new FtpError("LOCAL_IO", `${to} is a folder`, { phase: "local", hint: "name a file in it" });
  }
  if (there === undefined || exists === "overwrite" || exists === "newer") return false;
  if (exists === "skip") return true;
  throw new FtpError("EXISTS", `${to} exists`, {
    phase: "local",
    hint: "choose another name, or what to do with files that exist",
  });
}

export async function factsOf(hub: Hub, path: string, { entry, ...options }: DownloadOptions): Promise<SourceFacts> {
  if (entry?.size !== undefined) return { size: entry.size, modified: entry.modified };
  const facts = await hub.call(
    async (session, { signal }) => await sourceFacts(path, { hub, session, signal }),
    options,
  );
  return entry?.modified === undefined ? facts : { ...facts, modified: entry.modified };
}

/** What the file here gets; undefined: whatever comes about. */
async function timeFor(hub: Hub, path: string, { options, facts, exactMs }: Run): Promise<number | undefined> {
  const { modified } = facts;
  if (options.keepTime === false) return undefined;
  if (exactMs !== undefined || !wantsExactTime(hub, { options, facts })) return exactMs ?? modified?.ms;
  const { signal } = options;
  const told = await hub.call(async (session) => await askTime(path, { hub, session, signal }), { signal });
  return (told ?? modified)?.ms;
}

/** Where the listing knows the minute or the day alone. */
function wantsExactTime(hub: Hub, { options, facts }: Pick<Run, "options" | "facts">): boolean {
  return options.keepTime === "exact" && facts.modified?.precision !== "second" && maySayTime(hub);
}

type Found =
  | { readonly mtimeMs: number; readonly isFolder: boolean; readonly isSpecial: boolean; readonly isLink: boolean }
  | undefined;

/** Links that are to be replaced are not gone through. */
async function foundAt(path: string, { links }: DownloadOptions): Promise<Found> {
  try {
    const own = await soon(
      () => lstatSync(path, { throwIfNoEntry: false }),
      async () => await lstat(path),
    );
    if (own === undefined) return undefined;
    const isLink = own.isSymbolicLink() && links !== "replace";
    const found: Stats = isLink ? await stat(path).catch(() => own) : own;
    const isSpecial = !found.isFile() && !found.isSymbolicLink() && links !== "replace";
    return { mtimeMs: found.mtimeMs, isFolder: found.isDirectory(), isSpecial, isLink };
  } catch (error) {
    // Told before anything is fetched: the hidden part has a shorter name, and would come about.
    if (systemCode(error) === "ENAMETOOLONG") throw localFault(error, `cannot write ${basename(path).slice(0, 40)}…`);
    return undefined;
  }
}

/** What a symbolic link leads to is written, and not the link replaced. */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    throw localFault(error, `cannot write ${path}, which leads to nothing`);
  }
}

function tooLong(size: number): FtpError {
  return new FtpError("MISMATCH", `more came than the ${size} octets that the server had named`, {
    phase: "transfer",
    connection: "data",
    retryable: false,
    hint: "a file that grows while it is fetched can be had without verifying",
  });
}

/** Whether the file is still what it was before the first try. @throws MISMATCH for one that has another size now. */
export async function isSame(
  path: string,
  before: SourceFacts,
  asking: Parameters<typeof sourceFacts>[1],
): Promise<boolean> {
  const now = await sourceFacts(path, asking);
  if (before.size === undefined || before.size === now.size) {
    return before.modified?.ms === undefined || before.modified.ms === now.modified?.ms;
  }
  throw new FtpError(
    "MISMATCH",
    `${path} had ${before.size} octets when it was begun, and has ${now.size ?? "none"} now`,
    {
      phase: "transfer",
      retryable: false,
      hint: "it is being written; try again when that is done",
    },
  );
}

type Filling = {
  readonly part: PartFile;
  readonly run: Run;
  readonly size: number | undefined;
  readonly mayResume: boolean;
};

/** All tries: each goes on where the one before ended. */
async function fill(hub: Hub, path: string, { part, run, size, mayResume }: Filling): Promise<void> {
  const { options } = run;
  const isAscii = options.type === "ascii";
  const start = options.start ?? 0;
  await hub.call(async (session, { signal, attempt }) => {
    // Two halves of different versions would make a third that was never there.
    if (attempt > 1 && !(await isSame(path, run.facts, { hub, session, signal }))) await part.cutTo(0);
    const isContinued = attempt > 1 && !isAscii;
    const have = attempt === 1 && part.isNew ? 0 : await kept(part, size, isContinued || mayResume);
    if (attempt === 1) run.resumedAt = start + have;
    run.bytes = start + have - run.resumedAt;
    if (size !== undefined && start + have === size && size > 0) return;
    const most = options.end === undefined ? undefined : options.end - start - have;
    await fetch(hub, session, { path, offset: start + have, most, run, signal, part });
    run.length = await part.size();
    checkLength(path, run, isAscii ? undefined : size);
  }, options);
}

/** A lost control connection, or a data connection that ended early with a 226: only the size tells. */
function checkLength(path: string, { options, length = 0 }: Run, size: number | undefined): void {
  const wanted = options.verify === false ? undefined : wantedSize(size, options);
  if (wanted !== undefined && length < wanted) throw sizeMismatch(`${path} came in part`, wanted, length);
}

/** Octets that are there already and may stay; the rest is cut off. */
async function kept(part: PartFile, size: number | undefined, mayStay: boolean): Promise<number> {
  const there = await part.size();
  if (mayStay && (size === undefined || there <= size)) return there;
  await part.cutTo(0);
  return 0;
}

export function wantedSize(size: number | undefined, { start = 0, end }: DownloadOptions): number | undefined {
  if (end === undefined) return size === undefined ? undefined : Math.max(size - start, 0);
  return size === undefined ? undefined : Math.max(Math.min(end, size) - start, 0);
}

type Fetching = {
  readonly path: string;
  readonly offset: number;
  /** Octets after which it stops; undefined: at the end of the file. */
  readonly most: number | undefined;
  readonly run: Run;
  readonly signal: AbortSignal | undefined;
  readonly part: PartFile;
};

async function fetch(
  hub: Hub,
  session: FtpSession,
  { path, offset, most, run, signal, part }: Fetching,
): Promise<void> {
  const isAscii = run.options.type === "ascii";
  const move = async (transport: DataTransport, life: AbortController): Promise<void> => {
    const moved = run.counter(life);
    if (isAscii) await receiveText(transport, part, moved);
    else if (most === undefined) await receiveIntoFile(transport, part.file, moved);
    else await receivePart(transport, part, { most, moved });
  };
  const asksTime = wantsExactTime(hub, run);
  const end = await session.transfer({
    command: `RETR ${path}`,
    direction: "in",
    type: isAscii ? "A" : "I",
    offset,
    mayDrop: true,
    what: `cannot get ${path}`,
    throttle: hub.throttle(run.options.rate),
    signal,
    isPart: most !== undefined,
    isWhole: () => run.isWhole,
    move,
    follow: asksTime ? () => [`MDTM ${path}`] : undefined,
  });
  if (asksTime && end.after[0] !== undefined) run.exactMs = (timeOfReply(end.after[0]) ?? run.facts.modified)?.ms;
  note(run, end, path);
}

/** @throws {FtpError} when nobody has said that all of it was sent, and nothing else can tell. */
function note(run: Run, end: { mode: DataMode; isPrivate: boolean; reply: FtpReply | undefined }, path: string): void {
  run.mode = end.mode;
  run.isPrivate = end.isPrivate;
  run.reply = end.reply;
  if (end.reply === undefined && (run.total === undefined || run.options.verify === false)) {
    throw new FtpError("RESET", `the control connection was lost before ${path} was said to be whole`, {
      phase: "finish",
    });
  }
}

async function receivePart(
  transport: DataTransport,
  part: PartFile,
  { most, moved }: { readonly most: number; readonly moved: (octets: number) => void },
): Promise<void> {
  for (let left = most; left > 0;) {
    const chunks = await transport.receive();
    if (chunks.length === 0) return;
    for (const chunk of chunks) {
      const wanted = chunk.subarray(0, left);
      if (wanted.length > 0) await part.file.write(wanted);
      left -= wanted.length;
      moved(wanted.length);
    }
  }
}

async function verify(
  hub: Hub,
  path: string,
  { part, run, size }: { readonly part: PartFile; readonly run: Run; readonly size: number | undefined },
): Promise<Transferred["verified"]> {
  const { options } = run;
  const isWhole = options.start === undefined && options.end === undefined;
  if (options.verify === false || options.type === "ascii") return false;
  const length = run.length ?? (await part.size());
  const wanted = wantedSize(size, options);
  if (wanted !== undefined && length !== wanted) throw sizeMismatch(path, wanted, length);
  if (options.verify === "hash" && isWhole && (await compareHash(path, part.path, { hub, signal: options.signal })))
    return "hash";
  return wanted === undefined ? false : "size";
}
