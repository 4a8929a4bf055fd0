/** Who failed to sign in as whom, and from where each account is known: what delays and the bans of accounts rest on. */
import { type Address, formatNetwork, networkOf } from "./cidr.ts";
import {
  ACCOUNTS_KEPT,
  DELAY_MEMORY_MS,
  KNOWN_BITS,
  NAME_COMPARED,
  NETWORKS_PER_ACCOUNT,
  PAIRS_KEPT,
  SCORES_KEPT,
} from "./limits.ts";
import { RecentMap } from "./recent-map.ts";

type Failures = { readonly count: number; /** Milliseconds. */ readonly last: number };

/** Account → networks it signed in from, the latest last. */
export type KnownNetworks = Readonly<Record<string, readonly string[]>>;

export class LoginHistory {
  readonly #links = new RecentMap<string, Failures>(SCORES_KEPT);
  readonly #pairs = new RecentMap<string, Failures>(PAIRS_KEPT);
  readonly #known = new RecentMap<string, readonly string[]>(ACCOUNTS_KEPT);

  /** Failures from a link that nothing forgave and time did not. @param now milliseconds. */
  failuresOn(link: string, now: number): number {
    return recent(this.#links.get(link), now);
  }

  failed(link: string, account: string, now: number): void {
    this.#links.set(link, { count: this.failuresOn(link, now) + 1, last: now });
    const pair = pairOf(link, account);
    this.#pairs.set(pair, { count: recent(this.#pairs.get(pair), now) + 1, last: now });
  }

  /**
   * A good login forgives the failures of this link with this account, and no others: one account of his own must not
   * give somebody free guesses at those of others.
   * @returns how many were forgiven.
   */
  succeeded(link: string, account: string, now: number): number {
    const pair = pairOf(link, account);
    const forgiven = recent(this.#pairs.get(pair), now);
    this.#pairs.delete(pair);
    const known = this.#links.get(link);
    const rest = this.failuresOn(link, now) - forgiven;
    if (rest <= 0 || known === undefined) this.#links.delete(link);
    else this.#links.set(link, { count: rest, last: known.last });
    return forgiven;
  }

  forget(link: string): void {
    this.#links.delete(link);
  }

  isKnownFrom(address: Address, account: string): boolean {
    return this.#known.get(comparable(account))?.includes(knownNetwork(address)) === true;
  }

  /** Remembers that the account signed in from here. */
  know(address: Address, account: string): void {
    const name = comparable(account);
    const network = knownNetwork(address);
    const others = (this.#known.get(name) ?? []).filter((each) => each !== network);
    this.#known.set(name, [...others.slice(1 - NETWORKS_PER_ACCOUNT), network]);
  }

  known(): KnownNetworks {
    return Object.fromEntries(this.#known.entries());
  }

  restore(known: KnownNetworks): void {
    for (const [name, networks] of Object.entries(known)) {
      this.#known.set(comparable(name), networks.slice(-NETWORKS_PER_ACCOUNT));
    }
  }
}

/** As much of a client's words as is kept. */
export function comparable(account: string): string {
  return account.slice(0, NAME_COMPARED);
}

function recent(failures: Failures | undefined, now: number): number {
  return failures === undefined || now - failures.last > DELAY_MEMORY_MS ? 0 : failures.count;
}

function pairOf(link: string, account: string): string {
  // A link has no space in it.
  return `${link} ${comparable(account)}`;
}

function knownNetwork(address: Address): string {
  return formatNetwork(networkOf(address, KNOWN_BITS[address.family]));
}
