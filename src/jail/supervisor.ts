/**
 * Keeps a number of workers running: replaces one that ends or is stuck, slower when they die young, and stops them
 * all in order. What a worker is and who it is told to, others say.
 */
import type { ChildProcess } from "node:child_process";
import { faultMessage } from "../base/fault-text.ts";
import { FROM_WORKER, type ToWorker } from "./channel.ts";
import {
  DEATHS_PER_MINUTE,
  FIRST_PAUSE_MS,
  LONGEST_PAUSE_MS,
  PING_EVERY_MS,
  PONG_LIMIT_MS,
  READY_LIMIT_MS,
  TERM_GRACE_MS,
  YOUNG_MS,
} from "./limits.ts";

/** Why a worker is gone. `stuck`: it was killed, because it was not ready or gave no sign of life in time. */
export type GoneReason = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stuck: boolean;
  /** Set when it could not even be started. */
  readonly fault: string | undefined;
  readonly livedMs: number;
};

export type SupervisorLimits = {
  readonly readyMs: number;
  readonly pingEveryMs: number;
  readonly pongMs: number;
  readonly youngMs: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  readonly deathsPerMinute: number;
  readonly termGraceMs: number;
};

export type SupervisorOptions = {
  /** How many workers, 1 to 256. */
  readonly count: number;
  /** Starts the worker with this index, and begins to serve its requests. */
  readonly start: (index: number) => ChildProcess;
  readonly onWorkerReady: (index: number, child: ChildProcess) => void;
  readonly onWorkerGone: (index: number, reason: GoneReason) => void;
  /** Workers die too fast: said once, then again after a minute without deaths. Starts go on, slowly. */
  readonly onFault: (text: string) => void;
  /** Default: those of limits.ts. */
  readonly limits?: Partial<SupervisorLimits>;
};

type Worker = {
  readonly index: number;
  readonly child: ChildProcess | undefined;
  readonly startedAt: number;
  isReady: boolean;
  isStuck: boolean;
  /** When it last gave a sign of life. */
  heardAt: number;
  fault: string | undefined;
};

const LIMITS: SupervisorLimits = {
  readyMs: READY_LIMIT_MS,
  pingEveryMs: PING_EVERY_MS,
  pongMs: PONG_LIMIT_MS,
  youngMs: YOUNG_MS,
  firstPauseMs: FIRST_PAUSE_MS,
  longestPauseMs: LONGEST_PAUSE_MS,
  deathsPerMinute: DEATHS_PER_MINUTE,
  termGraceMs: TERM_GRACE_MS,
};
const MOST_WORKERS = 256;
const MINUTE_MS = 60_000;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #limits: SupervisorLimits;
  readonly #workers = new Map<number, Worker>();
  /** Pauses before the next start, by index. */
  readonly #pauses = new Map<number, NodeJS.Timeout>();
  /** How often in a row each index died young. */
  readonly #youngDeaths = new Map<number, number>();
  /** Times of the last deaths, at most one more than a minute may have. */
  #deaths: number[] = [];
  #isFaulty = false;
  /** Indices below it have been started at least once. */
  #begun = 0;
  #ticker: NodeJS.Timeout | undefined;
  #pingId = 0;
  #stopping: PromiseWithResolvers<void> | undefined;

  constructor(options: SupervisorOptions) {
    if (!Number.isInteger(options.count) || options.count < 1 || options.count > MOST_WORKERS) {
      throw new Error(`${options.count} workers cannot be: from 1 to ${MOST_WORKERS}`);
    }
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
  }

  /** Starts workers; `onWorkerReady` tells of each. @param first how many; the others follow by `startOthers`. */
  start(first: number = this.#options.count): void {
    this.#ticker = setInterval(() => this.#tick(), this.#limits.pingEveryMs);
    this.#launchUpTo(first);
  }

  /** Those that `start` has left; nothing, when they were started or all are to stop. */
  startOthers(): void {
    if (this.#stopping === undefined) this.#launchUpTo(this.#options.count);
  }

  #launchUpTo(count: number): void {
    while (this.#begun < Math.min(count, this.#options.count)) this.#launch(this.#begun++);
  }

  /** Indices and process ids of the workers that are ready. */
  get ready(): readonly { readonly index: number; readonly pid: number }[] {
    return [...this.#workers.values()].flatMap(({ index, child, isReady }) =>
      isReady && child?.pid !== undefined ? [{ index, pid: child.pid }] : [],
    );
  }

  /**
   * Asks all workers to drain, goes on to end those that are stuck, ends by SIGTERM who is there after the grace, by SIGKILL who is there after that.
   * @returns when all are gone. A second call shortens the grace of the first.
   */
  async stop({ graceMs }: { readonly graceMs: number }): Promise<void> {
    const isFirst = this.#stopping === undefined;
    this.#stopping ??= Promise.withResolvers<void>();
    for (const pause of this.#pauses.values()) clearTimeout(pause);
    this.#pauses.clear();
    if (isFirst) for (const worker of this.#workers.values()) send(worker, { t: "drain" });
    const timers = [
      setTimeout(() => this.#signalAll("SIGTERM"), graceMs),
      setTimeout(() => this.#signalAll("SIGKILL"), graceMs + this.#limits.termGraceMs),
    ];
    this.#finishStop();
    await this.#stopping.promise;
    for (const timer of timers) clearTimeout(timer);
  }

  #launch(index: number): void {
    this.#pauses.delete(index);
    const now = performance.now();
    const common = { index, startedAt: now, heardAt: now, isReady: false, isStuck: false };
    let child: ChildProcess;
    try {
      child = this.#options.start(index);
    } catch (error) {
      return this.#onGone({ ...common, child: undefined, fault: faultMessage(error) }, null, null);
    }
    const worker: Worker = { ...common, child, fault: undefined };
    this.#workers.set(index, worker);
    child.on("message", (message: unknown) => this.#onMessage(worker, message));
    let isGone = false;
    const gone = (code: number | null, signal: NodeJS.Signals | null): void => {
      if (isGone) return;
      isGone = true;
      this.#onGone(worker, code, signal);
    };
    child.once("exit", gone);
    child.on("error", (error) => {
      worker.fault = faultMessage(error);
      // A program that did not start has no exit.
      if (child.pid === undefined) gone(null, null);
    });
  }

  #onMessage(worker: Worker, message: unknown): void {
    // Requests are most of what comes, and others check them.
    if (!concernsUs(message)) return;
    const frame = FROM_WORKER.safeParse(message);
    if (!frame.success) return;
    if (frame.data.t === "pong" && frame.data.id === this.#pingId) worker.heardAt = performance.now();
    if (frame.data.t !== "ready" || worker.isReady || worker.child === undefined) return;
    worker.isReady = true;
    worker.heardAt = performance.now();
    if (this.#stopping === undefined) this.#options.onWorkerReady(worker.index, worker.child);
    // It came up too late to hear of it.
    else send(worker, { t: "drain" });
  }

  /** Who is stuck is killed and its end comes as any other; all others are pinged. */
  #tick(): void {
    const now = performance.now();
    this.#pingId += 1;
    for (const worker of this.#workers.values()) {
      const limit = worker.isReady ? this.#limits.pongMs : this.#limits.readyMs;
      if (now - worker.heardAt <= limit) {
        if (worker.isReady) send(worker, { t: "ping", id: this.#pingId });
        continue;
      }
      worker.isStuck = true;
      worker.child?.kill("SIGKILL");
    }
  }

  #onGone(worker: Worker, code: number | null, signal: NodeJS.Signals | null): void {
    const { index, isStuck, fault } = worker;
    const now = performance.now();
    const livedMs = now - worker.startedAt;
    this.#workers.delete(index);
    const pause = this.#stopping === undefined ? this.#pauseAfter(index, livedMs) : undefined;
    if (pause !== undefined)
      this.#pauses.set(
        index,
        setTimeout(() => this.#launch(index), pause),
      );
    this.#options.onWorkerGone(index, { code, signal, stuck: isStuck, fault, livedMs });
    this.#finishStop();
  }

  /** Milliseconds to wait before the next start. */
  #pauseAfter(index: number, livedMs: number): number {
    const { youngMs, firstPauseMs, longestPauseMs, deathsPerMinute } = this.#limits;
    const now = performance.now();
    const recent = this.#deaths.filter((time) => now - time < MINUTE_MS);
    if (recent.length === 0) this.#isFaulty = false;
    this.#deaths = [...recent, now].slice(-(deathsPerMinute + 1));
    const young = livedMs < youngMs ? (this.#youngDeaths.get(index) ?? 0) + 1 : 0;
    this.#youngDeaths.set(index, young);
    if (this.#deaths.length > deathsPerMinute) {
      if (!this.#isFaulty) {
        this.#isFaulty = true;
        this.#options.onFault(
          `more than ${deathsPerMinute} workers ended within a minute; they are started every ${longestPauseMs / 1000} s now. What the workers wrote to the log says why`,
        );
      }
      return longestPauseMs;
    }
    return young === 0 ? 0 : Math.min(firstPauseMs * 2 ** (young - 1), longestPauseMs);
  }

  #signalAll(signal: NodeJS.Signals): void {
    for (const { child } of this.#workers.values()) child?.kill(signal);
  }

  #finishStop(): void {
    if (this.#workers.size > 0 || this.#stopping === undefined) return;
    clearInterval(this.#ticker);
    this.#stopping.resolve();
  }
}

function concernsUs(message: unknown): boolean {
  if (typeof message !== "object" || message === null || !("t" in message)) return false;
  return message.t === "pong" || message.t === "ready";
}

/** One that is gone does not hear it, which its exit tells. */
function send({ child }: Worker, frame: ToWorker): void {
  if (child?.connected === true) child.send(frame, undefined, {}, () => {});
}
