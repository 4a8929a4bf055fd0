/** The rates of a server: who shares which. Accounts have limiters as long as they have sessions. */
import { ACCOUNTS_LIMITED } from "./limits.ts";
import { type Clock, RateLimiter, SYSTEM_CLOCK } from "./rate-limiter.ts";
import { Throttle } from "./throttle.ts";

/** Octets a second in both directions as the client names them; undefined or 0: no limit. */
export type Rates = { readonly up?: number | undefined; readonly down?: number | undefined };

/** The limiters of one owner. */
export type Limiters = { readonly up: RateLimiter; readonly down: RateLimiter };

export type SessionTerms = {
  /** Name of the account; its sessions share `accountRates`. */
  readonly account: string;
  /** Of this session alone. */
  readonly sessionRates: Rates;
  /** Of all sessions of the account together; the latest login's hold for those who are here already. */
  readonly accountRates: Rates;
};

/** Dispose it when the session is over or signs in anew. */
export type SessionThrottles = Disposable & { readonly up: Throttle; readonly down: Throttle };

type Shared = { readonly limiters: Limiters; rates: Rates; sessions: number };

export class Throttles {
  /** Of all sessions together; `setRates` changes them while transfers run. */
  readonly server: Limiters;
  readonly #clock: Clock;
  readonly #serverRates: Rates;
  /** What of an account's rates is ours, where several processes share them. Absent: all. */
  readonly #parts = new Map<string, number>();
  readonly #accounts = new Map<string, Shared>();

  constructor(server: Rates = {}, clock: Clock = SYSTEM_CLOCK) {
    this.#clock = clock;
    this.#serverRates = server;
    this.server = makeLimiters(server, clock);
  }

  /** Of the server's rates this process may use so much: the rest is other processes'. @param part from 0 to 1. */
  setServerPart(part: number): void {
    setRates(this.server, partOf(this.#serverRates, part));
  }

  /** The same for the rates of an account, for sessions that are here and that come. */
  setAccountPart(account: string, part: number): void {
    if (part === 1) this.#parts.delete(account);
    else if (this.#parts.size < ACCOUNTS_LIMITED) this.#parts.set(account, part);
    const shared = this.#accounts.get(account);
    if (shared !== undefined) setRates(shared.limiters, partOf(shared.rates, part));
  }

  /** Accounts that have sessions now. */
  get accounts(): number {
    return this.#accounts.size;
  }

  /** The limiters of an account that has sessions now. */
  account(name: string): Limiters | undefined {
    return this.#accounts.get(name)?.limiters;
  }

  /** What a session's transfers are held to. A session starts without anything saved up. */
  forSession({ account, sessionRates, accountRates }: SessionTerms): SessionThrottles {
    const shared = this.#accounts.get(account) ?? {
      limiters: makeLimiters({}, this.#clock),
      rates: accountRates,
      sessions: 0,
    };
    shared.rates = accountRates;
    setRates(shared.limiters, partOf(accountRates, this.#parts.get(account) ?? 1));
    shared.sessions += 1;
    // Beyond the limit a session has the account's rate for itself: still limited, only not together with others.
    if (this.#accounts.size < ACCOUNTS_LIMITED) this.#accounts.set(account, shared);
    return new OwnThrottles(sessionRates, {
      clock: this.#clock,
      wider: [shared.limiters, this.server],
      onLeave: () => {
        shared.sessions -= 1;
        if (shared.sessions === 0 && this.#accounts.get(account) === shared) this.#accounts.delete(account);
      },
    });
  }
}

type Surroundings = {
  readonly clock: Clock;
  /** The account's and the server's. */
  readonly wider: readonly Limiters[];
  readonly onLeave: () => void;
};

/** Made when a transfer asks for it: most sessions are idle, and all of it would take 1.5 KiB of each. */
class OwnThrottles implements SessionThrottles {
  readonly #rates: Rates;
  readonly #around: Surroundings;
  #up: Throttle | undefined;
  #down: Throttle | undefined;
  #left = false;

  constructor(rates: Rates, around: Surroundings) {
    this.#rates = rates;
    this.#around = around;
  }

  get up(): Throttle {
    this.#up ??= this.#make("up");
    return this.#up;
  }

  get down(): Throttle {
    this.#down ??= this.#make("down");
    return this.#down;
  }

  [Symbol.dispose](): void {
    if (this.#left) return;
    this.#left = true;
    this.#around.onLeave();
  }

  #make(direction: keyof Rates): Throttle {
    const { clock, wider } = this.#around;
    const own = new RateLimiter(limitOf(this.#rates[direction]), clock);
    return new Throttle([own, ...wider.map((limiters) => limiters[direction])]);
  }
}

/** Sets both rates of an owner; transfers under way go on with the new ones. */
export function setRates({ up, down }: Limiters, rates: Rates): void {
  up.setRate(limitOf(rates.up));
  down.setRate(limitOf(rates.down));
}

function makeLimiters({ up, down }: Rates, clock: Clock): Limiters {
  return { up: new RateLimiter(limitOf(up), clock), down: new RateLimiter(limitOf(down), clock) };
}

function partOf({ up, down }: Rates, part: number): Rates {
  return { up: slice(up, part), down: slice(down, part) };
}

/** Never down to 0, which means "no limit". */
function slice(rate: number | undefined, part: number): number | undefined {
  return rate === undefined || rate === 0 ? undefined : Math.max(1, Math.floor(rate * part));
}

function limitOf(rate: number | undefined): number | undefined {
  return rate === 0 ? undefined : rate;
}
