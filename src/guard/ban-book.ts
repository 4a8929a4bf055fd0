/** All bans that are in force: found by address within microseconds, bounded, and sites banned whole when they are many. */
import { type Ban, type BanTarget, type LiftReason, formatBanTarget } from "./ban.ts";
import { type Address, type Network, covers, formatNetwork, networkOf } from "./cidr.ts";
import { BANS_DROPPED, BANS_KEPT, SITE_BITS } from "./limits.ts";

type Entry = { readonly ban: Ban; readonly target: BanTarget };
export type Lifted = { readonly ban: Ban; readonly why: LiftReason };
export type BookChange = { readonly added: readonly Ban[]; readonly lifted: readonly Lifted[] };
export type BookLimits = { readonly kept: number; readonly droppedAtOnce: number };

export class BanBook {
  readonly #limits: BookLimits;
  readonly #entries = new Map<string, Entry>();
  /** How many bans there are of each family and prefix: a look-up asks once for each. */
  readonly #prefixes = { ipv4: new Map<number, number>(), ipv6: new Map<number, number>() } as const;
  #automatic = 0;

  constructor(limits: BookLimits = { kept: BANS_KEPT, droppedAtOnce: BANS_DROPPED }) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  get manual(): number {
    return this.#entries.size - this.#automatic;
  }

  /** In the order of making. */
  list(): readonly Ban[] {
    return [...this.#entries.values()].map(({ ban }) => ban);
  }

  /** Of exactly this target. */
  get(target: string): Ban | undefined {
    return this.#entries.get(target)?.ban;
  }

  /** The narrowest ban that holds for an address. */
  holding(address: Address): Ban | undefined {
    const prefixes = [...this.#prefixes[address.family].keys()].toSorted((one, other) => other - one);
    for (const prefix of prefixes) {
      const ban = this.get(formatNetwork(networkOf(address, prefix)));
      if (ban !== undefined) return ban;
    }
    return undefined;
  }

  /** Takes the place of a ban of the same target. */
  set(ban: Ban, target: BanTarget): BookChange {
    this.#take(ban.target);
    this.#entries.set(ban.target, { ban, target });
    this.#count(ban, { target, by: 1 });
    if (this.#automatic <= this.#limits.kept) return { added: [ban], lifted: [] };
    return this.#shrink(ban);
  }

  remove(target: string): Ban | undefined {
    return this.#take(target)?.ban;
  }

  /** Takes away what is over. @param now milliseconds since 1970. */
  expire(now: number): readonly Ban[] {
    const over = this.list().filter(({ until }) => until !== undefined && until <= now);
    for (const { target } of over) this.#take(target);
    return over;
  }

  /** Automatic bans of networks inside of a wider one. */
  inside(outer: Network): readonly Ban[] {
    return [...this.#entries.values()]
      .filter(({ ban, target }) => ban.automatic && target.kind === "network" && isInside(outer, target.network))
      .map(({ ban }) => ban);
  }

  #take(target: string): Entry | undefined {
    const entry = this.#entries.get(target);
    if (entry === undefined) return undefined;
    this.#entries.delete(target);
    this.#count(entry.ban, { target: entry.target, by: -1 });
    return entry;
  }

  #count(ban: Ban, { target, by }: { target: BanTarget; by: 1 | -1 }): void {
    if (ban.automatic) this.#automatic += by;
    if (target.kind === "account") return;
    const prefixes = this.#prefixes[target.network.family];
    const count = (prefixes.get(target.network.prefix) ?? 0) + by;
    if (count === 0) prefixes.delete(target.network.prefix);
    else prefixes.set(target.network.prefix, count);
  }

  /**
   * Too many: the site with the most banned links is banned whole, so that whoever owns a site cannot free his own bans
   * by earning more of them. Only when no site has two, those go that end first.
   */
  #shrink(newest: Ban): BookChange {
    const site = this.#crowdedSite();
    if (site !== undefined) {
      const inner = this.inside(site);
      const target: BanTarget = { kind: "network", network: site };
      const until = Math.max(...inner.map((ban) => ban.until ?? Infinity));
      const merged: Ban = {
        ...newest,
        target: formatBanTarget(target),
        reason: `${inner.length} of its links were banned`,
        until: Number.isFinite(until) ? until : undefined,
      };
      for (const ban of inner) this.#take(ban.target);
      this.#entries.set(merged.target, { ban: merged, target });
      this.#count(merged, { target, by: 1 });
      const lifted = inner.filter((ban) => ban !== newest).map((ban) => ({ ban, why: "merged" }) as const);
      return { added: inner.includes(newest) ? [merged] : [newest, merged], lifted };
    }
    const soonest = this.list()
      .filter((ban) => ban.automatic && ban !== newest)
      .toSorted((one, other) => (one.until ?? Infinity) - (other.until ?? Infinity))
      .slice(0, this.#limits.droppedAtOnce);
    for (const { target } of soonest) this.#take(target);
    return { added: [newest], lifted: soonest.map((ban) => ({ ban, why: "dropped" })) };
  }

  #crowdedSite(): Network | undefined {
    const counts = new Map<string, { network: Network; count: number }>();
    for (const { ban, target } of this.#entries.values()) {
      if (!ban.automatic || target.kind !== "network" || target.network.family !== "ipv6") continue;
      if (target.network.prefix <= SITE_BITS) continue;
      const network = networkOf(target.network, SITE_BITS);
      const key = formatNetwork(network);
      counts.set(key, { network, count: (counts.get(key)?.count ?? 0) + 1 });
    }
    let most: { network: Network; count: number } | undefined;
    for (const each of counts.values()) if (each.count > (most?.count ?? 1)) most = each;
    return most?.network;
  }
}

function isInside(outer: Network, inner: Network): boolean {
  return covers(outer, inner) && formatNetwork(outer) !== formatNetwork(inner);
}
