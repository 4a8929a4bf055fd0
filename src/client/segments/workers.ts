/**
 * The connections of one segmented download, each a loop that takes segments while there are some. A connection that the
 * server does not give or cuts costs the others nothing: the download goes on with those that it has, and fails when
 * the last one does.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { RateLimiter } from "../../net/rate-limiter.ts";
import { type DataMode, FtpError, type FtpPhase, type FtpReply } from "../errors.ts";
import { RETRY_ATTEMPTS, RETRY_FIRST_MS, RETRY_MOST_MS } from "../limits.ts";
import type { RetryOptions } from "../types.ts";
import { AUTO_GAIN, AUTO_MOST, AUTO_STEP_MS, LOOK_MS, SEGMENTS_MOST } from "./limits.ts";
import { type Segment, type SegmentPlan, TAKEN_OVER } from "./plan.ts";
import type { SegmentFile } from "./segment-file.ts";
import { type Place, NoRestart, loadSegment } from "./segment-transfer.ts";

/** A server that has the file. */
export type WorkSource = Place & {
  /** Proves that it has the same file, before its first segment; gives the reason why not. MISMATCH ends the download. */
  readonly differs?: (() => Promise<string | undefined>) | undefined;
};

export type WorkTerms = {
  readonly sources: readonly WorkSource[];
  readonly plan: SegmentPlan;
  readonly file: SegmentFile;
  readonly limiter: RateLimiter | undefined;
  readonly retry: RetryOptions;
  /** Connections in all. */
  readonly segments: number | "auto";
  readonly signal: AbortSignal | undefined;
  readonly moved: (octets: number) => void;
};

export type WorkDone = {
  readonly mode: DataMode | undefined;
  readonly isPrivate: boolean;
  readonly reply: FtpReply | undefined;
  /** Segments that were under way at the same time, at most. */
  readonly connections: number;
  /** Servers from which octets came. */
  readonly sources: number;
};

/** Phases in which a server says that it wants no further connection. */
const BEFORE_WORK: ReadonlySet<FtpPhase> = new Set(["resolve", "connect", "tls", "greeting", "login"]);

export class Workers {
  readonly #terms: WorkTerms;
  readonly #life = new AbortController();
  readonly #signal: AbortSignal;
  readonly #over = Promise.withResolvers<void>();
  /** Loops, and proofs that may lead to some. */
  #alive = 0;
  readonly #out = new Set<Place>();
  readonly #used = new Set<Place>();
  readonly #proven: WorkSource[] = [];
  /** Sources that are asked when all others have failed. */
  readonly #reserve: WorkSource[] = [];
  #last: unknown;
  #isBroken = false;
  #most = 0;
  #mode: DataMode | undefined;
  #isPrivate = true;
  #reply: FtpReply | undefined;

  constructor(terms: WorkTerms) {
    this.#terms = terms;
    this.#signal = terms.signal === undefined ? this.#life.signal : AbortSignal.any([terms.signal, this.#life.signal]);
  }

  /** Until all octets are there. @throws the error of the last connection that failed, a local one, or the signal's reason. */
  async run(): Promise<WorkDone> {
    const { plan, sources, segments, signal } = this.#terms;
    const most = segments === "auto" ? sources.length : Math.min(Math.max(Math.floor(segments), 1), SEGMENTS_MOST);
    if (!plan.isDone) {
      const used = sources.slice(0, most);
      this.#reserve.push(...sources.slice(most));
      for (const [at, source] of used.entries()) {
        // Each has its part of the connections; the first ones have what is left over.
        this.#begin(source, Math.floor(most / used.length) + (at < most % used.length ? 1 : 0));
      }
      if (segments === "auto") void this.#grow(most);
      await this.#over.promise;
      this.#life.abort(new FtpError("ABORTED", "the download is over", { phase: "transfer" }));
    }
    signal?.throwIfAborted();
    if (this.#isBroken || !plan.isDone) throw this.#last;
    return {
      mode: this.#mode,
      isPrivate: this.#isPrivate && this.#used.size > 0,
      reply: this.#reply,
      connections: this.#most,
      sources: this.#used.size,
    };
  }

  #begin(source: WorkSource, share: number): void {
    if (source.differs === undefined) {
      this.#proven.push(source);
      this.#spawn(source, share);
      return;
    }
    this.#count(async () => await this.#prove(source, share));
  }

  /** Its octets are wanted only if they are the same; else its part of the connections goes to the first source. */
  async #prove(source: WorkSource, share: number): Promise<void> {
    let why: string | undefined;
    try {
      why = await source.differs?.();
    } catch (error) {
      if (this.#signal.aborted) return;
      if (!(error instanceof FtpError) || error.code === "MISMATCH") throw error;
      why = error.message;
    }
    if (this.#signal.aborted) return;
    if (why === undefined) {
      this.#proven.push(source);
      this.#spawn(source, share);
      return;
    }
    this.#leaveOut(source, why);
    const first = this.#proven.find((proven) => !this.#out.has(proven));
    if (first !== undefined && (this.#terms.segments !== "auto" || this.#alive === 1)) this.#spawn(first, share);
  }

  #leaveOut(source: Place, why: string): void {
    if (this.#out.has(source)) return;
    this.#out.add(source);
    if (this.#terms.sources.length > 1) this.#note(source, `is left out of the download of ${source.path}: ${why}`);
  }

  #note({ hub }: Place, what: string): void {
    hub.emit("fallback", { id: 0, what: `${hub.info.host}:${hub.info.port} ${what}` });
  }

  #spawn(source: WorkSource, count: number): void {
    for (let index = 0; index < count; index += 1) this.#count(async () => await this.#work(source));
  }

  #count(work: () => Promise<void>): void {
    this.#alive += 1;
    void this.#guarded(work);
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#alive -= 1;
      const { plan } = this.#terms;
      const next = this.#alive === 0 && !plan.isDone && !this.#signal.aborted ? this.#reserve.shift() : undefined;
      if (next !== undefined) this.#begin(next, 1);
      else if (this.#alive === 0 || plan.isDone) this.#over.resolve();
    }
  }

  /** Nobody can go on: a full disk, or a fault of our own. */
  #fail(error: unknown): void {
    if (this.#signal.aborted) return;
    this.#isBroken = true;
    this.#last = error;
    this.#life.abort(error);
  }

  async #work(source: WorkSource): Promise<void> {
    const { plan } = this.#terms;
    let failures = 0;
    while (!plan.isDone && !this.#out.has(source) && !this.#signal.aborted) {
      if (!plan.hasWork) {
        await Promise.race([plan.changed, this.#pause(LOOK_MS)]);
        continue;
      }
      const before = plan.done.total;
      try {
        await this.#one(source);
        failures = 0;
      } catch (error) {
        if (this.#signal.aborted) return;
        if (error === TAKEN_OVER) continue;
        // Octets that came are worth another try, however often it breaks off.
        failures = plan.done.total > before ? 1 : failures + 1;
        if (!(await this.#meet(error, source, failures))) return;
      }
    }
  }

  /** One segment, on whatever connection is free: nobody holds one and waits for another. */
  async #one(source: WorkSource): Promise<void> {
    const { plan, file, limiter, moved } = this.#terms;
    await source.hub.pool.use(async (session) => {
      const segment: Segment | undefined = this.#out.has(source) ? undefined : plan.take();
      if (segment === undefined) return;
      this.#most = Math.max(this.#most, plan.running.length);
      try {
        const done = await loadSegment(session, source, segment, { plan, file, limiter, signal: this.#signal, moved });
        this.#used.add(source);
        this.#mode = done.mode;
        this.#isPrivate &&= done.isPrivate;
        this.#reply = done.reply ?? this.#reply;
      } finally {
        plan.end(segment);
      }
    }, this.#signal);
  }

  /** @returns whether this connection is to go on. */
  async #meet(error: unknown, source: WorkSource, failures: number): Promise<boolean> {
    this.#last = error;
    if (!(error instanceof FtpError) || error.phase === "local" || error instanceof NoRestart) {
      this.#fail(error);
      return false;
    }
    const { retry } = this.#terms;
    if (!error.retryable || failures >= Math.max(retry.attempts ?? RETRY_ATTEMPTS, 1)) {
      // A refused login may mean that this one is too many, which says nothing against those that are signed in.
      if (!error.retryable && !BEFORE_WORK.has(error.phase)) this.#leaveOut(source, error.message);
      else if (this.#alive > 1)
        this.#note(source, `gives no further connection (${error.message}): going on with fewer`);
      return false;
    }
    const most = retry.mostMs ?? RETRY_MOST_MS;
    const wait = Math.min((retry.firstMs ?? RETRY_FIRST_MS) * 2 ** (failures - 1), most);
    const waitMs = Math.round(wait / 2 + (Math.random() * wait) / 2);
    source.hub.emit("retry", { error, attempt: failures, waitMs });
    await this.#pause(waitMs);
    return true;
  }

  /** Over at once when the download is. */
  async #pause(ms: number): Promise<void> {
    try {
      await delay(ms, undefined, { signal: this.#signal });
    } catch {
      // Whoever waited sees the signal.
    }
  }

  /** "auto": twice as many connections, as long as that made it faster. */
  async #grow(begun: number): Promise<void> {
    const { plan } = this.#terms;
    let [count, best] = [begun, 0];
    try {
      while (count < AUTO_MOST) {
        const [before, since] = [plan.done.total, performance.now()];
        await delay(AUTO_STEP_MS, undefined, { signal: this.#signal });
        const rate = (plan.done.total - before) / (performance.now() - since);
        if (this.#alive === 0 || rate < best * AUTO_GAIN || !plan.hasWork) return;
        best = rate;
        const more = Math.min(count, AUTO_MOST - count);
        for (let index = 0; index < more; index += 1) {
          const source = this.#proven[(count + index) % Math.max(this.#proven.length, 1)];
          if (source !== undefined) this.#spawn(source, 1);
        }
        count += more;
      }
    } catch {
      // It is over.
    }
  }
}
