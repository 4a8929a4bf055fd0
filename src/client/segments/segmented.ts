/**
 * One file by several connections at the same time, of one server or of several that have the same file. What is there
 * is kept in a journal, so that the same call goes on after a kill; versions of a file are never mixed.
 */
import { stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { RateLimiter } from "../../net/rate-limiter.ts";
import { download } from "../download.ts";
import { FtpError } from "../errors.ts";
import type { SourceFacts } from "../facts.ts";
import type { Hub } from "../hub.ts";
import { hubOf } from "../hub-of.ts";
import type { Client, DownloadOptions, HashResult, Transferred } from "../types.ts";
import { compareHash, sizeMismatch } from "../verify.ts";
import { joinedSignal } from "../waits.ts";
import { AUTO_SMALL, CHANGES_MOST, LEADER_WAIT_MS, SEGMENT_LEAST } from "./limits.ts";
import { differs, digestAt, factsAt, isOfOnePlace, urlOf } from "./mirrors.ts";
import { SegmentPlan } from "./plan.ts";
import { SegmentFile } from "./segment-file.ts";
import { NoRestart, type Place } from "./segment-transfer.ts";
import { type WorkDone, type WorkSource, Workers } from "./workers.ts";

export type SegmentSource = { readonly client: Client | Hub; readonly path: string };

export type SegmentedOptions = DownloadOptions & {
  /**
   * Connections at the same time, of all sources together. "auto": one for a small file, else as many as make it faster.
   * A server that gives fewer is no error.
   */
  readonly segments: number | "auto";
  /** A source whose file is another is an error, rather than left out: nobody knows which of them was meant. */
  readonly mustAgree?: boolean | undefined;
};

export type SegmentedTransferred = Transferred & {
  /** Connections that were at work at the same time, at most. */
  readonly connections: number;
  /** Servers from which octets came. */
  readonly sources: number;
};

/**
 * Downloads one file in segments.
 *
 * What an earlier call has left of the same version (address, size and time of the file) is gone on with, unless `resume`
 * is false. A failed call leaves what it has, for the next one. `atomic` false, `start`, `end` and TYPE A, and servers that
 * do not tell sizes or cannot resume, need one connection and a plain download.
 * @param sources the same file, on one server or several; one that differs in size, digest or samples is left out, with a
 * `fallback` event of its client.
 * @param to a path of the host.
 * @throws {FtpError}, or the signal's reason.
 */
export async function segmentedDownload(
  sources: readonly SegmentSource[],
  to: string,
  options: SegmentedOptions,
): Promise<SegmentedTransferred> {
  const begun = performance.now();
  const signal = joinedSignal(options.signal, options.timeoutMs);
  const places = sources.map(({ client, path }) => {
    const hub = hubOf(client);
    return { hub, path: hub.path(path) };
  });
  const asked = { ...options, signal };
  if (needsOne(options) || (await isKept(to, options.exists))) return await plain(places, to, asked);
  for (let changes = 0; changes <= CHANGES_MOST; changes += 1) {
    const sifted = await sift(places, { entry: changes === 0 ? options.entry : undefined, signal });
    const { first, facts, size } = sifted;
    if (options.mustAgree === true) await demandOneSize(sifted);
    if (size === undefined || size < leastOf(options) || (await isNewer(to, sifted, options.exists))) {
      if (size === undefined) note(first, "the server does not say how long it is: one connection");
      return await plain(sifted.places, to, { ...asked, entry: facts });
    }
    const job = new Job({ ...sifted, size, url: urlOf(places[0] ?? first), to, options, signal, begun });
    const done = await job.run();
    if (done === "no-restart") {
      note(first, "it cannot be had in parts: one connection");
      return await plain(sifted.places, to, { ...asked, resume: false });
    }
    if (done !== "changed") return done;
    note(first, "it has changed at the server meanwhile");
  }
  throw new FtpError("MISMATCH", `${places[0]?.path} changes at the server again and again while it is read`, {
    phase: "finish",
    hint: "try again when nobody writes it",
  });
}

function needsOne({ type, atomic, start, end }: SegmentedOptions): boolean {
  return type === "ascii" || atomic === false || start !== undefined || end !== undefined;
}

/** Octets from which on there are segments. */
function leastOf({ segments }: SegmentedOptions): number {
  return segments === "auto" ? AUTO_SMALL : 2 * SEGMENT_LEAST;
}

function note({ hub, path }: Place, what: string): void {
  hub.emit("fallback", { id: 0, what: `${path}: ${what}` });
}

type Sifted = {
  readonly first: Place;
  readonly facts: SourceFacts;
  readonly size: number | undefined;
  /** The first, and all others in the order in which they were named, whatever they may have to say. */
  readonly places: readonly Place[];
  /** What each of them says of the file. */
  readonly said: ReadonlyMap<Place, Promise<SourceFacts | FtpError>>;
};

/** Which place leads: the first one named, unless it does not answer and another does. @throws {FtpError} when none answers. */
async function sift(
  places: readonly Place[],
  { entry, signal }: { readonly entry: DownloadOptions["entry"]; readonly signal: AbortSignal | undefined },
): Promise<Sifted> {
  const said = new Map(
    places.map((place, at) => {
      const known = at === 0 && entry !== undefined ? { size: entry.size, modified: entry.modified } : undefined;
      const answer = known === undefined ? factsOrFault(place, places.length, signal) : Promise.resolve(known);
      // Whoever waits for it hears of an abort.
      answer.catch(() => {});
      return [place, answer] as const;
    }),
  );
  const { first, facts } = await leader(places, said);
  return { first, facts, size: facts.size, places: [first, ...places.filter((place) => place !== first)], said };
}

async function factsOrFault(
  place: Place,
  places: number,
  signal: AbortSignal | undefined,
): Promise<SourceFacts | FtpError> {
  try {
    return await factsAt(place, { signal, isOnly: places === 1 });
  } catch (error) {
    if (signal?.aborted === true || !isOfOnePlace(error)) throw error;
    return error;
  }
}

type Leader = { readonly first: Place; readonly facts: SourceFacts };

async function leader(places: readonly Place[], said: Sifted["said"]): Promise<Leader> {
  const good = places.map(async (first) => {
    const facts = await said.get(first);
    if (facts === undefined || facts instanceof FtpError) throw facts;
    return { first, facts };
  });
  const [named] = good;
  if (named === undefined) throw new FtpError("USAGE", "no server is named for the download", { phase: "local" });
  try {
    const found = await Promise.any(good);
    if (found.first === places[0]) return found;
    // The one that was named first may be a little slower; what an earlier call has left is of its version.
    const late = async (): Promise<Leader> => await delay(LEADER_WAIT_MS, found, { ref: false });
    return await Promise.race([named.catch(async () => await Promise.resolve(found)), late()]);
  } catch {
    return await named;
  }
}

/** Why a place is of no use beside the first. */
function oddness(said: SourceFacts | FtpError | undefined, wanted: number): string | undefined {
  if (said === undefined || said instanceof FtpError) return said?.message ?? "it did not answer";
  return said.size === wanted ? undefined : `it has ${said.size ?? "an unknown number of"} octets, and not ${wanted}`;
}

/** Before the first octet, and for small files too, which come from one place. @throws {FtpError} MISMATCH. */
async function demandOneSize({ first, size, places, said }: Sifted): Promise<void> {
  if (size === undefined) return;
  for (const place of places) {
    const facts = await said.get(place);
    const isOther = facts !== undefined && !(facts instanceof FtpError) && (facts.size ?? size) !== size;
    if (isOther) throw another(place, first, `${facts.size} octets here and ${size} there`);
  }
}

function another(place: Place, first: Place, why: string): FtpError {
  return new FtpError("MISMATCH", `${urlOf(place)} is not the same file as ${urlOf(first)}: ${why}`, {
    phase: "command",
    connection: "none",
    retryable: false,
    hint: "name only servers that have the same version of it",
  });
}

/** Whether what lies there decides alone; `exists` of the plain download says how. */
async function isKept(to: string, exists: DownloadOptions["exists"]): Promise<boolean> {
  return (exists === "skip" || exists === "error") && (await timeOf(to)) !== undefined;
}

async function isNewer(to: string, { facts }: Sifted, exists: DownloadOptions["exists"]): Promise<boolean> {
  if (exists !== "newer") return false;
  const there = await timeOf(to);
  return there !== undefined && facts.modified !== undefined && facts.modified.ms <= there;
}

async function timeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return undefined;
  }
}

/** By one connection, from the first place that gives it. */
async function plain(places: readonly Place[], to: string, options: SegmentedOptions): Promise<SegmentedTransferred> {
  for (const [at, { hub, path }] of places.entries()) {
    try {
      const done = await download(hub, path, to, { ...options, timeoutMs: undefined });
      return { ...done, connections: done.leftAlone === true ? 0 : 1, sources: done.leftAlone === true ? 0 : 1 };
    } catch (error) {
      const isLast = at === places.length - 1;
      if (isLast || options.signal?.aborted === true || !isOfOnePlace(error) || error.code === "EXISTS") throw error;
      note({ hub, path }, `${error.message}; the next server is asked`);
    }
  }
  throw new FtpError("USAGE", "no server is named for the download", { phase: "local" });
}

type JobTerms = Sifted & {
  readonly size: number;
  /** Of the first place that was named, which the journal is for. */
  readonly url: string;
  readonly to: string;
  readonly options: SegmentedOptions;
  readonly signal: AbortSignal | undefined;
  readonly begun: number;
};

/** One version of the file. */
class Job {
  readonly #terms: JobTerms;

  constructor(terms: JobTerms) {
    this.#terms = terms;
  }

  async run(): Promise<SegmentedTransferred | "changed" | "no-restart"> {
    const { url, size, facts, to, options } = this.#terms;
    const version = { url, size, modifiedMs: facts.modified?.ms };
    await using file = await SegmentFile.open(to, version, options.resume ?? true);
    const resumedAt = file.done.total;
    let done: WorkDone;
    try {
      file.keepJournal();
      done = await this.#load(file, resumedAt);
    } catch (error) {
      if (!(await this.#keep(file, error))) await file.remove();
      else if (file.done.total > 0) options.onPart?.({ path: file.path, bytes: file.done.total });
      if (error instanceof NoRestart) return (await this.#hasChanged()) ? "changed" : "no-restart";
      if (error instanceof FtpError && isRestRefused(error)) return "no-restart";
      throw error;
    }
    if (await this.#hasChanged()) {
      await file.remove();
      return "changed";
    }
    const verified = await this.#verify(file);
    await file.publish((options.keepTime ?? true) ? version.modifiedMs : undefined);
    const ms = Math.round(performance.now() - this.#terms.begun);
    return { ...done, bytes: size - resumedAt, ms, resumedAt, verified };
  }

  async #load(file: SegmentFile, resumedAt: number): Promise<WorkDone> {
    const { size, options, signal } = this.#terms;
    const { segments, onProgress, rate } = options;
    const stop = new AbortController();
    const joined = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const sources = this.#sources(joined);
    const plan = new SegmentPlan({ size, done: file.done, pieces: segments === "auto" ? sources.length : segments });
    try {
      return await new Workers({
        sources,
        plan,
        file,
        limiter: rate === undefined ? undefined : new RateLimiter(rate),
        retry: options.retry ?? {},
        segments,
        signal,
        moved: () =>
          onProgress?.({
            bytes: plan.done.total - resumedAt,
            resumedAt,
            total: size,
            segments: plan.running.map(({ start, at, end }) => ({ start, at, end })),
          }),
      }).run();
    } finally {
      // Proofs that nobody waits for any longer.
      stop.abort(new FtpError("ABORTED", "the download is over", { phase: "transfer" }));
    }
  }

  #sources(signal: AbortSignal): readonly WorkSource[] {
    const { first, places, said, size, options } = this.#terms;
    let asked: Promise<HashResult | undefined> | undefined;
    const digest = async (): Promise<HashResult | undefined> => await (asked ??= digestAt(first, signal));
    const proof = { first, size, signal, byDigest: options.verify !== false, digest };
    return places.map((place) =>
      place === first
        ? place
        : {
            ...place,
            differs: async () => {
              const why = oddness(await said.get(place), size);
              if (why !== undefined) return why;
              const difference = await differs(place, proof);
              if (difference !== undefined && options.mustAgree === true) throw another(place, first, difference);
              return difference;
            },
          },
    );
  }

  /** Whether what there is may be gone on with later. */
  async #keep(file: SegmentFile, error: unknown): Promise<boolean> {
    const { options } = this.#terms;
    if (options.resume === false || !file.isOfUse || error instanceof NoRestart) return false;
    if (error instanceof FtpError && isRestRefused(error)) return false;
    // A fault of the disk that keeps the journal from being written is the error that there is already.
    await file.save().catch(() => {});
    return file.hasJournal;
  }

  /** Segments were read one after another: all of them are of one version only if it is there still. */
  async #hasChanged(): Promise<boolean> {
    const { first, size, facts, signal } = this.#terms;
    const now = await factsAt(first, { signal, isOnly: true });
    return now.size !== size || now.modified?.ms !== facts.modified?.ms;
  }

  /** @throws {FtpError} MISMATCH: then nothing of it is kept. */
  async #verify(file: SegmentFile): Promise<Transferred["verified"]> {
    const { first, size, options, signal } = this.#terms;
    if (options.verify === false) return false;
    try {
      if (file.done.total !== size) throw sizeMismatch(first.path, size, file.done.total);
      return options.verify === "hash" && (await compareHash(first.path, file.path, { hub: first.hub, signal }))
        ? "hash"
        : "size";
    } catch (error) {
      if (error instanceof FtpError && error.code === "MISMATCH") await file.remove();
      throw error;
    }
  }
}

function isRestRefused(error: FtpError): boolean {
  return error.command?.startsWith("REST ") === true && !error.retryable;
}
