/** `mirror`: makes one folder like another, from the server here or the other way, and goes on where it was stopped. */
import { setMaxListeners } from "node:events";
import { stat } from "node:fs/promises";
import { FtpError } from "../errors.ts";
import type { Client, EntryTime } from "../types.ts";
import { joinedSignal } from "../waits.ts";
import { Abilities } from "./abilities.ts";
import { DownCopier } from "./copy-down.ts";
import { UpCopier } from "./copy-up.ts";
import type { Place } from "./decide.ts";
import { localError } from "./local-error.ts";
import { LocalSide, MODE_BITS } from "./local-side.ts";
import { Notes } from "./notes.ts";
import { partNameOf } from "./parts.ts";
import { Planner, noCounts } from "./planner.ts";
import { RemoteSide } from "./remote-side.ts";
import { Runner } from "./runner.ts";
import type { Item, Side } from "./side.ts";
import { Spool } from "./spool.ts";
import { type Terms, termsOf, usage } from "./terms.ts";
import type { Failure, Mirror, MirrorSpec, Plan, PlanOptions, Report, RunOptions, Step } from "./types.ts";
import { UploadJournal } from "./upload-journal.ts";

/** @throws {FtpError} USAGE for a specification that makes no sense. */
export function mirror(client: Client, spec: MirrorSpec): Mirror {
  const terms = termsOf(spec, client);
  return {
    plan: async (options = {}) => await makePlan(client, terms, options),
    run: async (options = {}) => await run(client, terms, options),
  };
}

/** What a plan and a run need alike, for as long as they last. */
class Job implements AsyncDisposable {
  readonly client: Client;
  readonly terms: Terms;
  readonly notes: Notes;
  readonly abilities: Abilities;
  readonly local: LocalSide;
  readonly remote: RemoteSide;
  readonly stop = new AbortController();
  readonly signal: AbortSignal;
  readonly #outside: AbortSignal | undefined;
  journal: UploadJournal | undefined;
  #proof: Promise<boolean> | undefined;

  constructor(client: Client, terms: Terms, { onEvent, signal, timeoutMs }: PlanOptions) {
    this.client = client;
    this.terms = terms;
    this.notes = new Notes(onEvent, (fault) => this.stop.abort(fault));
    this.abilities = new Abilities(this.notes);
    const isUp = terms.direction === "up";
    this.local = new LocalSide(terms.local, { follow: isUp && terms.links === "follow" });
    this.remote = new RemoteSide(client, terms.remote, terms.direction);
    this.#outside = joinedSignal(signal, timeoutMs);
    this.signal = this.#outside === undefined ? this.stop.signal : AbortSignal.any([this.#outside, this.stop.signal]);
    // Each step under way listens, and each of its waits.
    setMaxListeners(0, this.signal);
  }

  get source(): Side {
    return this.terms.direction === "down" ? this.remote : this.local;
  }

  get there(): Side {
    return this.terms.direction === "down" ? this.local : this.remote;
  }

  /** @throws the reason for which the caller ended it. */
  throwIfEnded(): void {
    this.#outside?.throwIfAborted();
  }

  /** @param mayTry whether the other side may be touched. Looks at both roots: a listing of a folder that is not there is an empty one at some servers. */
  async planner(mayTry: boolean): Promise<Planner> {
    this.signal.throwIfAborted();
    const { terms, signal } = this;
    const isDown = terms.direction === "down";
    const [remote, local] = await Promise.all([
      terms.remote === "/" ? "directory" : this.client.exists(terms.remote, { signal }),
      localKind(terms.local),
    ]);
    const [source, there] = isDown ? [remote, local] : [local, remote];
    if (source === false) {
      const message = `There is nothing to mirror: ${this.source.label} is not there.`;
      throw new FtpError("NOT_FOUND", message, { phase: isDown ? "command" : "local" });
    }
    // A link to a folder is what the caller named.
    if (source !== "directory" && source !== "link") throw usage(`${this.source.label} is no folder`);
    if (there === "file" || there === "other") throw usage(`${this.there.label} is no folder`);
    this.journal = await UploadJournal.open(isDown ? false : terms.journal, `${this.remote.label}\n${terms.local}`);
    return new Planner({
      terms,
      signal,
      notes: this.notes,
      abilities: this.abilities,
      source: this.source,
      there: this.there,
      isNew: there === false,
      counts: noCounts(),
      modeOf: (item) => this.#modeOf(item),
      hashesAgree: async (from, path) => await this.#hashesAgree(from, path),
      proveTimes: mayTry && !isDown ? async (path, modified) => await this.#proveTimes(path, modified) : undefined,
      unfinished: (from, item, place) => this.#unfinished(from, item, place),
      partOf: isDown
        ? (from, name, { source: item }) => item && partNameOf(name, item, this.#address(from))
        : undefined,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    await this.journal?.close();
    await this.local[Symbol.asyncDispose]();
  }

  #address(from: string): string {
    const { host, port } = this.client.info;
    return `${host}:${port}${this.remote.pathOf(from)}`;
  }

  /** Folders of ours must stay open to us. */
  #modeOf({ mode, type }: Item): number | undefined {
    const { terms, abilities } = this;
    if (!terms.modes || mode === undefined || !abilities.has("modes")) return undefined;
    const bits = mode & MODE_BITS & ~terms.umask;
    return type === "directory" && terms.direction === "down" ? bits | 0o700 : bits;
  }

  #unfinished(from: string, item: Item, { path, there, parts }: Place): number | undefined {
    if (this.terms.direction === "down") {
      const part =
        parts.size === 0 ? undefined : partNameOf(path.slice(path.lastIndexOf("/") + 1), item, this.#address(from));
      const octets = part === undefined ? undefined : parts.get(part);
      return octets === undefined || octets === 0 || octets > (item.size ?? 0) ? undefined : octets;
    }
    if (item.size === undefined || item.modified === undefined || there?.type !== "file") return undefined;
    const octets = this.journal?.begun({ path, size: item.size, ms: item.modified.ms }, there.size) ?? 0;
    return octets === 0 ? undefined : octets;
  }

  /** Once for all: several may wait for it. */
  async #proveTimes(path: string, modified: EntryTime): Promise<void> {
    this.#proof ??= this.abilities
      .attempt("times", path, async () => await this.there.setTime(path, modified, this.signal))
      .catch(() => false);
    await this.#proof;
  }

  async #hashesAgree(from: string, path: string): Promise<boolean | undefined> {
    const { signal, terms, abilities } = this;
    if (!abilities.has("hashes")) return undefined;
    const [remote, local] = terms.direction === "down" ? [from, path] : [path, from];
    try {
      const theirs = await this.remote.digest(remote, { signal });
      if (theirs === undefined) {
        abilities.lacks("hashes");
        return undefined;
      }
      const ours = await this.local.digest(local, { signal, algorithm: theirs.algorithm });
      return ours.hash === theirs.hash;
    } catch (error) {
      signal.throwIfAborted();
      this.notes.warn(
        `${from}: compared by size and time, as its digest could not be had: ${localError(error, "read").message}`,
      );
      return undefined;
    }
  }
}

async function localKind(path: string): Promise<"directory" | "other" | false> {
  try {
    return (await stat(path)).isDirectory() ? "directory" : "other";
  } catch (error) {
    const fault = localError(error, `look at ${path}`);
    if (fault.code === "NOT_FOUND") return false;
    throw fault;
  }
}

async function makePlan(client: Client, terms: Terms, options: PlanOptions): Promise<Plan> {
  await using job = new Job(client, terms, options);
  const planner = await job.planner(false);
  const [first, then, last] = [new Spool(), new Spool(), new Spool()];
  try {
    for await (const step of planner.steps())
      await (isExtra(step) ? (terms.delete === "before" ? first : last) : then).add(step);
  } catch (error) {
    for (const spool of [first, then, last]) await spool[Symbol.asyncDispose]();
    job.throwIfEnded();
    throw error;
  }
  const { notes } = job;
  notes.throwFault();
  return {
    steps: {
      async *[Symbol.asyncIterator]() {
        const isHeld = planner.deletesHeld !== undefined;
        for (const spool of [first, then, last]) if (spool === then || !isHeld) yield* spool;
      },
    },
    counts: planner.counts,
    warnings: notes.warnings,
    failed: notes.failed,
    failures: notes.failures,
    deletesHeld: planner.deletesHeld,
    async [Symbol.asyncDispose]() {
      for (const spool of [first, then, last]) await spool[Symbol.asyncDispose]();
    },
  };
}

/** What is removed because the source does not have it waits for the end of the plan: only then is it known to be right. */
function isExtra(step: Step): boolean {
  return (step.kind === "delete-file" || step.kind === "delete-folder") && step.why === "extra";
}

async function run(client: Client, terms: Terms, options: RunOptions): Promise<Report> {
  const begun = performance.now();
  await using job = new Job(client, terms, options);
  const planner = await job.planner(options.dryRun !== true);
  const runner = runnerOf(job, options);
  const { notes } = job;
  try {
    if (options.dryRun === true) await drain(planner, runner, terms);
    else
      await runAll(planner, runner, {
        terms,
        failure: () => (options.failEarly === true ? notes.failed[0] : undefined),
      });
  } catch (error) {
    job.throwIfEnded();
    if (runner.stopped === undefined) throw error;
  } finally {
    // What is under way ends before its folders are closed.
    if (runner.stopped === undefined && !job.signal.aborted) await runner.idle();
    job.stop.abort();
    await runner.idle();
  }
  job.throwIfEnded();
  notes.throwFault();
  const { counts } = planner;
  return {
    ...(options.dryRun === true ? planned(planner) : runner.done),
    same: counts.same,
    excluded: counts.excluded,
    ms: Math.round(performance.now() - begun),
    failed: notes.failed,
    failures: notes.failures,
    warnings: notes.warnings,
    stopped: runner.stopped,
    deletesHeld: terms.delete === false ? undefined : planner.deletesHeld,
  };
}

function runnerOf(job: Job, options: RunOptions): Runner {
  const { client, local, remote, terms, abilities, notes, signal } = job;
  const journal = job.journal;
  const copier =
    terms.direction === "down" || journal === undefined
      ? new DownCopier(client, { source: remote, there: local, terms })
      : new UpCopier(client, { source: local, there: remote, terms, abilities, journal });
  // A server whose folders come out otherwise gets their modes in the next run, which sees them.
  const usualFolderMode = terms.direction === "down" ? 0o777 & ~terms.umask : 0o755;
  return new Runner({ there: job.there, copier, notes, abilities, options, usualFolderMode, signal, job: job.stop });
}

async function drain(planner: Planner, runner: Runner, terms: Terms): Promise<void> {
  const steps = planner.steps();
  while ((await steps.next()).done !== true);
  if (planner.deletions > terms.maxDelete) runner.stop(tooManyDeletions(planner.deletions, terms));
}

type RunTerms = {
  readonly terms: Terms;
  /** The failure that ends the job, where one does. */
  readonly failure: () => Failure | undefined;
};

/** Copies while it plans; removals wait until the whole source has been seen, and with "before" the copies for them. */
async function runAll(planner: Planner, runner: Runner, { terms, failure }: RunTerms): Promise<void> {
  await using extra = new Spool();
  await using later = new Spool();
  for await (const step of planner.steps()) {
    const failed = failure();
    if (failed !== undefined) return runner.stop(failed.error);
    if (isExtra(step)) await extra.add(step);
    else if (terms.delete === "before") await later.add(step);
    else if (planner.deletions - extra.count > terms.maxDelete)
      return runner.stop(tooManyDeletions(planner.deletions, terms));
    else await runner.add(step);
  }
  if (planner.deletions > terms.maxDelete) {
    // What was to be copied beside is copied: it was begun before the number was known.
    await runner.idle();
    return runner.stop(tooManyDeletions(planner.deletions, terms));
  }
  if (terms.delete === "before") {
    await takeAll(extra, planner, runner);
    await takeAll(later, undefined, runner);
  } else {
    await takeAll(extra, planner, runner);
  }
}

/** @param planner asks whether removals are held. */
async function takeAll(spool: Spool, planner: Planner | undefined, runner: Runner): Promise<void> {
  await runner.idle();
  if (planner?.deletesHeld !== undefined) return;
  for await (const step of spool) {
    if (runner.stopped !== undefined) return;
    await runner.add(step);
  }
  await runner.idle();
}

function tooManyDeletions(count: number, { maxDelete }: Terms): FtpError {
  const message = `${count} or more files and folders would be deleted, and ${maxDelete} at most may be: nothing extra was deleted.`;
  const hint = "Look at what they are with a dry run; allow more (maxDelete) if that is meant.";
  return new FtpError("LIMIT", message, { phase: "local", hint });
}

/** As if all had been done. */
function planned({
  counts,
  extras,
  deletesHeld,
}: Planner): Pick<Report, "copied" | "replaced" | "made" | "linked" | "timesSet" | "modesSet" | "deleted" | "octets"> {
  return {
    copied: counts.copy,
    replaced: counts.replace,
    made: counts["make-folder"],
    linked: counts["make-link"],
    timesSet: counts["set-time"],
    modesSet: counts["set-mode"],
    deleted: counts["delete-file"] + counts["delete-folder"] - (deletesHeld === undefined ? 0 : extras),
    octets: counts.octets,
  };
}
