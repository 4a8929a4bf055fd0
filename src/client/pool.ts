/**
 * The control connections of one client. A call leases one and gives it back; the pool makes more while calls wait, up to
 * its limit, and learns a lower limit when the server says that there are too many. Nobody who holds one waits for
 * another, so calls cannot wait for each other in a ring.
 */
import { FtpError } from "./errors.ts";
import { POOL_CHECK_MS, POOL_IDLE_MS, POOL_REGROW_MS, POOL_WAITING, REPLY_WAIT_MS } from "./limits.ts";
import type { FtpSession } from "./session.ts";

export type PoolTerms = {
  readonly most: number;
  /** Makes a session. @throws {FtpError} */
  readonly open: (signal: AbortSignal | undefined) => Promise<FtpSession>;
};

type Waiter = {
  readonly resolve: (session: FtpSession) => void;
  readonly reject: (error: unknown) => void;
  /** It waits no longer: what comes for it is another's. */
  isGone: boolean;
};

export class Pool {
  readonly #terms: PoolTerms;
  #most: number;
  /** When the server last said that there are too many, or one more was tried since. */
  #shrunkAt = 0;
  readonly #idle: { readonly session: FtpSession; readonly since: number }[] = [];
  readonly #leased = new Set<FtpSession>();
  #opening = 0;
  readonly #waiting: Waiter[] = [];
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #life = new AbortController();

  constructor(terms: PoolTerms) {
    this.#terms = terms;
    this.#most = terms.most;
  }

  /** Sessions that calls may have at the same time, as far as it is known now. */
  get most(): number {
    return this.#most;
  }

  /** Leases a session for one piece of work. @throws what the work throws, FtpError, or the signal's reason. */
  async use<T>(work: (session: FtpSession) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const session = await this.#lease(signal);
    try {
      return await work(session);
    } finally {
      this.#giveBack(session);
    }
  }

  /** Takes a session that is there already. */
  adopt(session: FtpSession): void {
    this.#idle.push({ session, since: performance.now() });
    this.#watchIdle();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#life.abort(closed());
    for (const { reject } of this.#waiting.splice(0)) reject(closed());
    for (const session of this.#leased) session.stop(closed());
    await Promise.all(this.#idle.splice(0).map(async ({ session }) => await quit(session)));
  }

  async #lease(signal: AbortSignal | undefined): Promise<FtpSession> {
    for (;;) {
      signal?.throwIfAborted();
      if (this.#isClosed) throw closed();
      const found = await this.#next(signal);
      const isGood = await isSound(found);
      if (isGood && !this.#isClosed) return found.session;
      this.#leased.delete(found.session);
      found.session.link.destroy("it was closed while it was idle");
    }
  }

  /** What it gives is leased already: no session is without an owner for a moment, in which another call would count wrong. */
  async #next(signal: AbortSignal | undefined): Promise<{ session: FtpSession; since: number }> {
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      this.#leased.add(idle.session);
      return idle;
    }
    if (this.#hasPlace()) return await this.#open(signal);
    if (this.#waiting.length >= POOL_WAITING) {
      throw new FtpError("LIMIT", `${POOL_WAITING} calls wait for a connection already`, { phase: "connect" });
    }
    return { session: await this.#wait(signal), since: performance.now() };
  }

  /** What was too many once need not be so for ever: after a while one more is tried. */
  #hasPlace(): boolean {
    const taken = this.#leased.size + this.#opening;
    if (taken < this.#most) return true;
    if (this.#most >= this.#terms.most || performance.now() - this.#shrunkAt < POOL_REGROW_MS) return false;
    this.#shrunkAt = performance.now();
    this.#most += 1;
    return taken < this.#most;
  }

  async #open(signal: AbortSignal | undefined): Promise<{ session: FtpSession; since: number }> {
    this.#opening += 1;
    try {
      const own = signal === undefined ? this.#life.signal : AbortSignal.any([signal, this.#life.signal]);
      const session = await this.#terms.open(own);
      if (this.#isClosed) {
        session.link.destroy("the client was closed");
        throw closed();
      }
      this.#leased.add(session);
      return { session, since: performance.now() };
    } catch (error) {
      const others = this.#leased.size + this.#idle.length;
      if (!(error instanceof FtpError && error.code === "BUSY" && others > 0)) throw error;
      // Too many for the server: what there is must do, and this call takes or waits for it.
      this.#most = Math.max(others, 1);
      this.#shrunkAt = performance.now();
    } finally {
      this.#opening -= 1;
      // A place is free again: whoever waits for one must not wait for a session that nobody holds.
      this.#wakeOne();
    }
    // Not counted as opening any more, or the last session could be lost with nobody to make another.
    return await this.#next(signal);
  }

  async #wait(signal: AbortSignal | undefined): Promise<FtpSession> {
    const { promise, resolve, reject } = Promise.withResolvers<FtpSession>();
    const waiter = { resolve, reject, isGone: false };
    this.#waiting.push(waiter);
    const abort = (): void => {
      const at = this.#waiting.indexOf(waiter);
      if (at >= 0) this.#waiting.splice(at, 1);
      waiter.isGone = true;
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  #giveBack(session: FtpSession): void {
    this.#leased.delete(session);
    if (this.#isClosed || session.isLost || session.isElsewhere) {
      session.link.destroy("it is not used any longer");
      this.#wakeOne();
      return;
    }
    const waiter = this.#waiting.shift();
    if (waiter === undefined) {
      this.adopt(session);
      return;
    }
    this.#leased.add(session);
    waiter.resolve(session);
  }

  /** A place has become free without a session: one who waits makes a new one. */
  #wakeOne(): void {
    if (this.#leased.size + this.#opening + this.#idle.length >= this.#most) return;
    const waiter = this.#waiting.shift();
    if (waiter === undefined) return;
    this.#open(undefined).then(({ session }) => {
      if (waiter.isGone) this.#giveBack(session);
      else waiter.resolve(session);
    }, waiter.reject);
  }

  #watchIdle(): void {
    if (this.#timer !== undefined || this.#idle.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const now = performance.now();
      while (this.#idle[0] !== undefined && now - this.#idle[0].since >= POOL_IDLE_MS) {
        const [oldest] = this.#idle.splice(0, 1);
        if (oldest !== undefined) void quit(oldest.session);
      }
      this.#watchIdle();
    }, POOL_IDLE_MS);
    // A program that has nothing else to do may end.
    this.#timer.unref();
  }
}

function closed(): FtpError {
  return new FtpError("ABORTED", "this client was closed", { phase: "connect" });
}

/** One that has lain idle may have been closed by the server or forgotten by a firewall. */
async function isSound({ session, since }: { readonly session: FtpSession; readonly since: number }): Promise<boolean> {
  if (session.isLost || session.link.hasNews) return false;
  if (performance.now() - since < POOL_CHECK_MS) return true;
  try {
    return (await session.ask("NOOP", { ms: CHECK_WAIT_MS })).code < 400;
  } catch {
    return false;
  }
}

/** Milliseconds for the answer to a NOOP of a connection that was idle; a new one takes less than a longer wait. */
const CHECK_WAIT_MS = Math.min(3_000, REPLY_WAIT_MS);

/** Says goodbye, and does not wait long for the answer. */
async function quit(session: FtpSession): Promise<void> {
  try {
    if (!session.isLost) await session.ask("QUIT", { ms: QUIT_WAIT_MS });
  } catch {
    // It is gone, which is what was wanted.
  }
  session.link.end();
}

/** Milliseconds for the 221. */
const QUIT_WAIT_MS = 1_000;
