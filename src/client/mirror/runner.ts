/** Takes the steps of a plan: several at the same time, each as often as it makes sense, and none after the job has ended. */
import { setTimeout as delay } from "node:timers/promises";
import { FtpError } from "../errors.ts";
import { FAILURES_KEPT, RETRY_FIRST_MS, RETRY_MOST_MS } from "../limits.ts";
import type { Abilities } from "./abilities.ts";
import type { Copied, CopyTerms } from "./copy-down.ts";
import { FILE_TRIES, MIRROR_PARALLEL, MIRROR_PARALLEL_MOST, MIRROR_RETRIES } from "./limits.ts";
import { isOutOfRoom, localError } from "./local-error.ts";
import type { Notes } from "./notes.ts";
import { parentOf, type Side } from "./side.ts";
import type { CopyStep, Report, RunOptions, Step } from "./types.ts";
import { WorkQueue } from "./work-queue.ts";

export type RunnerParts = {
  readonly there: Side;
  readonly copier: { copy(step: CopyStep, how: CopyTerms): Promise<Copied> };
  readonly notes: Notes;
  readonly abilities: Abilities;
  readonly options: RunOptions;
  /** What a new folder has without our saying so. */
  readonly usualFolderMode: number;
  /** Ends the job from outside. */
  readonly signal: AbortSignal;
  /** Ends it from here. */
  readonly job: AbortController;
};

/** What was done. */
type Done = {
  -readonly [
    K in "copied" | "replaced" | "made" | "linked" | "timesSet" | "modesSet" | "deleted" | "octets"
  ]: Report[K];
};

/** No other file would fare better after these. */
const FATAL: ReadonlySet<string> = new Set(["AUTH", "TLS_UNTRUSTED", "TLS_DOWNGRADE"]);

export class Runner {
  readonly done: Done = { copied: 0, replaced: 0, made: 0, linked: 0, timesSet: 0, modesSet: 0, deleted: 0, octets: 0 };
  readonly #parts: RunnerParts;
  readonly #queue: WorkQueue;
  /** Folders that could not be made, as many as failures are kept: what is to go there is not tried. */
  readonly #unmade = new Set<string>();
  #retries: number;
  #stopped: FtpError | undefined;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    const { parallel = MIRROR_PARALLEL, retries = MIRROR_RETRIES } = parts.options;
    this.#queue = new WorkQueue(Math.min(Math.max(Math.trunc(parallel), 1), MIRROR_PARALLEL_MOST));
    this.#retries = retries;
  }

  /** What ended the job. */
  get stopped(): FtpError | undefined {
    return this.#stopped;
  }

  /** No further step begins, and those under way end. */
  stop(error: FtpError): void {
    this.#stopped ??= error;
    this.#parts.job.abort(error);
  }

  /** Waits until the step has begun. */
  async add(step: Step): Promise<void> {
    await this.#queue.add(step.path, async () => await this.#take(step));
  }

  async idle(): Promise<void> {
    await this.#queue.idle();
  }

  /** Never rejects. */
  async #take(step: Step): Promise<void> {
    const { notes, signal, options } = this.#parts;
    const result = signal.aborted ? undefined : (this.#hopeless(step.path) ?? (await this.#tries(step)));
    // What ended because the job did is no failure of its own.
    if (result === undefined || (signal.aborted && this.#stopped === undefined)) return;
    if (signal.aborted && result !== this.#stopped) return;
    notes.fail(step.path, result);
    if (step.kind === "make-folder" && this.#unmade.size < FAILURES_KEPT) this.#unmade.add(step.path);
    if (step.kind === "make-folder" && step.path === "") this.stop(result);
    if (isOutOfRoom(result) || FATAL.has(result.code) || options.failEarly === true) this.stop(result);
  }

  #hopeless(path: string): FtpError | undefined {
    if (this.#unmade.size === 0) return undefined;
    for (let folder = parentOf(path); folder !== ""; folder = parentOf(folder)) {
      if (!this.#unmade.has(folder)) continue;
      const message = `${path} was left out: its folder ${folder} could not be made.`;
      return new FtpError("DENIED", message, { phase: "local" });
    }
    return undefined;
  }

  /** @returns what failed at last. */
  async #tries(step: Step): Promise<FtpError | undefined> {
    const { notes, signal, options } = this.#parts;
    const { tries = FILE_TRIES } = options;
    let wait = RETRY_FIRST_MS;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#do(step);
        return undefined;
      } catch (caught) {
        const error = localError(caught, `bring ${step.path} about`);
        if (signal.aborted || !error.retryable || attempt >= tries || isOutOfRoom(error)) return error;
        if (this.#retries <= 0) {
          this.stop(error);
          return error;
        }
        this.#retries -= 1;
        // Half of it by chance, so that those who failed together do not come back together.
        const waitMs = Math.round((wait * (1 + Math.random())) / 2);
        notes.emit({ kind: "retry", path: step.path, error, attempt, waitMs });
        await delay(waitMs, undefined, { signal }).catch(() => {});
        wait = Math.min(wait * 2, RETRY_MOST_MS);
        if (signal.aborted) return error;
      }
    }
  }

  async #do(step: Step): Promise<void> {
    const { there, notes, abilities, signal } = this.#parts;
    const { done } = this;
    const { path } = step;
    switch (step.kind) {
      case "copy":
      case "replace":
        return await this.#copy(step);
      case "make-folder":
        await this.#makeFolder(path, step.mode);
        done.made += 1;
        return notes.emit({ kind: "made", path });
      case "make-link": {
        const isMade = await abilities.attempt(
          "links",
          path,
          async () => await there.makeLink(path, step.target, signal),
        );
        if (!isMade) return;
        done.linked += 1;
        return notes.emit({ kind: "linked", path });
      }
      case "set-time":
        if (!(await abilities.attempt("times", path, async () => await there.setTime(path, step.modified, signal))))
          return;
        done.timesSet += 1;
        return notes.emit({ kind: "set", path });
      case "set-mode":
        if (!(await abilities.attempt("modes", path, async () => await there.setMode(path, step.mode, signal)))) return;
        done.modesSet += 1;
        return notes.emit({ kind: "set", path });
      default:
        await (step.kind === "delete-file" ? there.removeFile(path, signal) : there.removeFolder(path, signal));
        done.deleted += 1;
        return notes.emit({ kind: "deleted", path });
    }
  }

  /** A mode that cannot be set does not make the folder fail. */
  async #makeFolder(path: string, mode: number | undefined): Promise<void> {
    const { there, abilities, signal, usualFolderMode } = this.#parts;
    await there.makeFolder(path, signal);
    if (mode === undefined || mode === usualFolderMode || path === "") return;
    await abilities.attempt("modes", path, async () => await there.setMode(path, mode, signal));
  }

  async #copy(step: CopyStep): Promise<void> {
    const { copier, notes, options, signal } = this.#parts;
    const { path, size } = step;
    const begun = performance.now();
    notes.emit({ kind: "start", path, size, resumedAt: step.resume ?? 0 });
    const { bytes, resumedAt } = await copier.copy(step, {
      signal,
      rate: options.rate,
      onProgress: (moved, from) => notes.emit({ kind: "progress", path, bytes: from + moved, total: size }),
    });
    this.done[step.kind === "copy" ? "copied" : "replaced"] += 1;
    this.done.octets += bytes;
    notes.emit({
      kind: "done",
      path,
      bytes: resumedAt + bytes,
      moved: bytes,
      ms: Math.round(performance.now() - begun),
    });
  }
}
