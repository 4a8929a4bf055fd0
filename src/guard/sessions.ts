/** Who is connected, and how many there are of each kind: the counts that the limits are held against. */
import { type Address, formatAddress, formatNetwork, networkOf } from "./cidr.ts";
import { LINK_BITS, SITE_BITS } from "./limits.ts";

export type GuardedSession = {
  readonly id: string;
  readonly address: Address;
  /** The IPv4 address, or the /64: what limits count as one. */
  readonly link: string;
  /** The /48 of an IPv6 address. */
  readonly site: string | undefined;
  readonly account: string | undefined;
  readonly transfers: number;
  /** Names that it failed to sign in as, one for each failure. */
  readonly failed: readonly string[];
};

export class SessionTable {
  readonly #sessions = new Map<string, GuardedSession>();
  readonly #links = new Counts();
  readonly #sites = new Counts();
  readonly #accounts = new Counts();
  readonly #linkTransfers = new Counts();
  readonly #accountTransfers = new Counts();

  get size(): number {
    return this.#sessions.size;
  }

  get(id: string): GuardedSession | undefined {
    return this.#sessions.get(id);
  }

  all(): Iterable<GuardedSession> {
    return this.#sessions.values();
  }

  onLink(link: string): number {
    return this.#links.of(link);
  }

  onSite(site: string): number {
    return this.#sites.of(site);
  }

  ofAccount(account: string): number {
    return this.#accounts.of(account);
  }

  transfersOnLink(link: string): number {
    return this.#linkTransfers.of(link);
  }

  transfersOfAccount(account: string): number {
    return this.#accountTransfers.of(account);
  }

  open(id: string, address: Address): void {
    this.close(id);
    const { link, site } = placeOf(address);
    this.#put({ id, address, link, site, account: undefined, transfers: 0, failed: [] });
  }

  close(id: string): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#count(session, -1);
    this.#sessions.delete(id);
  }

  /** Does nothing for a session that is not there. */
  change(id: string, facts: Partial<Pick<GuardedSession, "account" | "transfers" | "failed">>): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    const changed = { ...session, ...facts };
    this.#sessions.set(id, changed);
    const { link, account } = session;
    if (changed.account !== account) {
      this.#count(session, -1);
      this.#count(changed, 1);
    } else if (changed.transfers !== session.transfers) {
      const more = changed.transfers - session.transfers;
      this.#linkTransfers.add(link, more);
      if (account !== undefined) this.#accountTransfers.add(account, more);
    }
  }

  #put(session: GuardedSession): void {
    this.#sessions.set(session.id, session);
    this.#count(session, 1);
  }

  #count({ link, site, account, transfers }: GuardedSession, sign: 1 | -1): void {
    this.#links.add(link, sign);
    if (site !== undefined) this.#sites.add(site, sign);
    this.#linkTransfers.add(link, sign * transfers);
    if (account === undefined) return;
    this.#accounts.add(account, sign);
    this.#accountTransfers.add(account, sign * transfers);
  }
}

/** What limits count an address as. */
export function placeOf(address: Address): { readonly link: string; readonly site: string | undefined } {
  if (address.family === "ipv4") return { link: formatAddress(address), site: undefined };
  return {
    link: formatNetwork(networkOf(address, LINK_BITS)),
    site: formatNetwork(networkOf(address, SITE_BITS)),
  };
}

/** Counts that take no room at 0; there are never more of them than sessions. */
class Counts {
  readonly #counts = new Map<string, number>();

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string, by: number): void {
    const count = this.of(key) + by;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }
}
