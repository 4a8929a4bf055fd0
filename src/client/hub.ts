/** What all calls of one client share: its connections, its limits, what is known of the server, and who listens. */
import { RateLimiter } from "../net/rate-limiter.ts";
import { Throttle } from "../net/throttle.ts";
import type { NameCoder } from "./charset.ts";
import type { ListingWays } from "./listing-ways.ts";
import type { Pool } from "./pool.ts";
import { withRetries } from "./retry.ts";
import type { FtpSession } from "./session.ts";
import type { CallOptions, ClientEvents, RetryOptions, ServerInfo } from "./types.ts";
import { joinedSignal } from "./waits.ts";

export type Emit = <K extends keyof ClientEvents>(event: K, detail: ClientEvents[K]) => void;

export type HubParts = {
  readonly pool: Pool;
  readonly info: ServerInfo;
  readonly names: NameCoder;
  readonly emit: Emit;
  readonly retry: RetryOptions;
  readonly rate: number | undefined;
  readonly listings: ListingWays;
  /** Of LIST, as the caller knows it. */
  readonly zoneMinutes: number | undefined;
  /** The server is reached through a proxy. */
  readonly isProxied: boolean;
};

export class Hub {
  readonly pool: Pool;
  readonly info: ServerInfo;
  readonly names: NameCoder;
  readonly emit: Emit;
  readonly listings: ListingWays;
  readonly zoneMinutes: number | undefined;
  readonly isProxied: boolean;
  readonly #retry: RetryOptions;
  readonly #limiter: RateLimiter | undefined;

  constructor({ pool, info, names, emit, retry, rate, listings, zoneMinutes, isProxied }: HubParts) {
    this.pool = pool;
    this.info = info;
    this.names = names;
    this.emit = emit;
    this.listings = listings;
    this.zoneMinutes = zoneMinutes;
    this.isProxied = isProxied;
    this.#retry = retry;
    this.#limiter = rate === undefined ? undefined : new RateLimiter(rate);
  }

  /** One piece of work on one session, tried again where that may help. */
  async call<T>(
    work: (
      session: FtpSession,
      call: { readonly signal: AbortSignal | undefined; readonly attempt: number },
    ) => Promise<T>,
    { signal, timeoutMs, retry }: CallOptions & { readonly retry?: RetryOptions | undefined } = {},
  ): Promise<T> {
    const joined = joinedSignal(signal, timeoutMs);
    return await withRetries(
      async (attempt) =>
        await this.pool.use(async (session) => await work(session, { signal: joined, attempt }), joined),
      {
        options: { ...this.#retry, ...retry },
        signal: joined,
        heard: (detail) => this.emit("retry", detail),
      },
    );
  }

  /** Work that takes its sessions itself, tried again where that may help. */
  async again<T>(
    work: (attempt: number) => Promise<T>,
    { signal, timeoutMs, retry }: CallOptions & { readonly retry?: RetryOptions | undefined } = {},
  ): Promise<T> {
    return await withRetries(work, {
      options: { ...this.#retry, ...retry },
      signal: joinedSignal(signal, timeoutMs),
      heard: (detail) => this.emit("retry", detail),
    });
  }

  /** What holds one transfer to its own rate and to that of the client. A limiter is one that several transfers share. */
  throttle(rate: number | RateLimiter | undefined): Throttle | undefined {
    const own = typeof rate === "number" ? new RateLimiter(rate) : rate;
    const limiters = [own, this.#limiter].filter((limiter) => limiter !== undefined);
    return limiters.length === 0 ? undefined : new Throttle(limiters);
  }

  /**
   * From the server's root: sessions never change their folder, so that calls at the same time do not disturb each other.
   * Servers whose home is no such path (VMS, MVS) are told paths as they are given.
   */
  path(path: string): string {
    const { home } = this.info;
    if (path.startsWith("/") || !home.startsWith("/")) return path;
    const whole = `${home === "/" ? "" : home}/${path}`;
    return path === "" || path === "." ? home : whole;
  }
}
