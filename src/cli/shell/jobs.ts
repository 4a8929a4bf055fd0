/** Commands that run beside the prompt: bounded in number, each with an end that is told once. */
import type { Client } from "../../client/types.ts";
import { ShellError } from "./errors.ts";
import { JOBS_ENDED_MOST, JOBS_MOST } from "./limits.ts";
import type { JobOut } from "./out.ts";

export type JobState = "waiting" | "running" | "done" | "failed" | "ended";

/** What runs: it has its own signal and says itself how it went. It never throws. */
export type Work = (signal: AbortSignal) => Promise<boolean>;

export type Job = {
  /** From 1; the lowest that is free. */
  readonly id: number;
  readonly title: string;
  readonly out: JobOut;
  /** What it does right now, for `jobs`. */
  readonly about: () => string;
  readonly stop: AbortController;
  /** The connection that it holds. */
  readonly client: Client | undefined;
  /** Resolves when it has ended, with whether it went well. */
  readonly went: Promise<boolean>;
  state: JobState;
};

export type JobPlan = Pick<Job, "title" | "out" | "about" | "client"> & {
  readonly stop?: AbortController;
  /** "waiting" runs once those of the queue before it have ended. */
  readonly queued: boolean;
};

export class Jobs {
  /** Called with a job that has ended and that nobody waits for. */
  onEnd: () => void = () => {};
  /** How many of the queue run at the same time. */
  parallel: () => number = () => 1;
  readonly #jobs = new Map<number, Job>();
  readonly #queue: { readonly job: Job; readonly start: () => void }[] = [];
  readonly #queued = new Set<Job>();
  #ended: Job[] = [];
  #isHalted = false;
  /** Whether one has failed so far. */
  hasFailed = false;

  /** @throws {ShellError} when there are too many. */
  start({ title, out, about, client, stop = new AbortController(), queued }: JobPlan, work: Work): Job {
    if (this.#jobs.size >= JOBS_MOST) {
      throw new ShellError(`there are ${JOBS_MOST} jobs already: wait for some of them, or end one with kill`);
    }
    const { promise: went, resolve } = Promise.withResolvers<boolean>();
    const job: Job = { id: this.#freeId(), title, out, about, client, stop, went, state: "waiting" };
    this.#jobs.set(job.id, job);
    const start = (): void => {
      job.state = "running";
      void work(stop.signal).then((isWell) => resolve(this.#finish(job, isWell)));
    };
    if (!queued) start();
    else {
      this.#queue.push({ job, start });
      stop.signal.addEventListener("abort", () => {
        if (job.state === "waiting") resolve(this.#finish(job, false));
      });
      this.#fill();
    }
    return job;
  }

  get all(): readonly Job[] {
    return [...this.#jobs.values()].toSorted((left, right) => left.id - right.id);
  }

  /** Those of the queue that have not begun. */
  get waiting(): readonly Job[] {
    return this.#queue.map(({ job }) => job);
  }

  get isHalted(): boolean {
    return this.#isHalted;
  }

  /** Whether the queue begins no further jobs. */
  halt(isHalted: boolean): void {
    this.#isHalted = isHalted;
    this.#fill();
  }

  /** @param id undefined: the newest. @throws {ShellError} */
  find(id: number | undefined): Job {
    const job = id === undefined ? [...this.#jobs.values()].at(-1) : this.#jobs.get(id);
    if (job !== undefined) return job;
    throw new ShellError(id === undefined ? "there are no jobs" : `there is no job ${id}: see jobs`);
  }

  /** Those that have ended since it was asked last. */
  takeEnded(): readonly Job[] {
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  /** Takes the end of a job that somebody has waited for out of what is told. */
  forget(job: Job): void {
    this.#ended = this.#ended.filter((each) => each !== job);
  }

  #finish(job: Job, isWell: boolean): boolean {
    job.state = isWell ? "done" : job.stop.signal.aborted ? "ended" : "failed";
    if (!isWell) this.hasFailed = true;
    this.#jobs.delete(job.id);
    this.#queued.delete(job);
    const place = this.#queue.findIndex((each) => each.job === job);
    if (place !== -1) this.#queue.splice(place, 1);
    this.#ended = [...this.#ended, job].slice(-JOBS_ENDED_MOST);
    this.#fill();
    this.onEnd();
    return isWell;
  }

  #fill(): void {
    while (!this.#isHalted && this.#queued.size < this.parallel()) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#queued.add(next.job);
      next.start();
    }
  }

  #freeId(): number {
    let id = 1;
    while (this.#jobs.has(id)) id += 1;
    return id;
  }
}
