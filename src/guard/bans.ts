/** Points become bans, bans end: the guard's own and those made by hand (docs/decisions/011-bans.md). */
import {
  type Ban,
  type BanTarget,
  type GuardEvent,
  type LiftReason,
  cleanReason,
  formatBanTarget,
  parseBanTarget,
} from "./ban.ts";
import { BanBook } from "./ban-book.ts";
import { type Address, type Network, covers, formatNetwork, networkOf, parseNetwork, shown } from "./cidr.ts";
import { ACCOUNT_TIMES, IPV4_LEVELS, IPV6_LEVELS, LONGEST_BAN, MANUAL_BANS_KEPT, SCORES_KEPT } from "./limits.ts";
import { comparable } from "./login-history.ts";
import { RecentMap } from "./recent-map.ts";
import { type Fading, Scores } from "./scores.ts";
import type { GuardSettings } from "./settings.ts";

export type BanTerms = {
  /** Until it is lifted, if absent. */
  readonly seconds?: number | undefined;
  readonly reason?: string | undefined;
};
export type BanOutcome = { readonly ok: true; readonly ban: Ban } | { readonly ok: false; readonly problem: string };

export type BansPorts = {
  readonly settings: () => GuardSettings;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly emit: (event: GuardEvent) => void;
  /** Ids of the sessions that a ban hits. */
  readonly sessionsUnder: (ban: Ban, target: BanTarget) => readonly string[];
};

export class Bans {
  readonly #ports: BansPorts;
  readonly #book = new BanBook();
  readonly #scores = new Scores(SCORES_KEPT);
  readonly #accountScores = new Scores(SCORES_KEPT);
  /** Target → its last automatic ban, also when that is over: the next one is longer. */
  readonly #last = new RecentMap<string, { readonly repeat: number; readonly until: number }>(SCORES_KEPT);

  constructor(ports: BansPorts) {
    this.#ports = ports;
  }

  /** The narrowest ban in force for an address; none for those on the allow list. */
  holding(address: Address): Ban | undefined {
    if (this.#ports.settings().allow.has(address)) return undefined;
    const ban = this.#book.holding(address);
    if (ban === undefined || !this.#isOver(ban)) return ban;
    this.expire();
    return this.#book.holding(address);
  }

  ofAccount(account: string): Ban | undefined {
    const ban = this.#book.get(formatBanTarget({ kind: "account", name: comparable(account) }));
    if (ban === undefined || !this.#isOver(ban)) return ban;
    this.expire();
    return undefined;
  }

  list(): readonly Ban[] {
    this.expire();
    return this.#book.list();
  }

  /** Adds points to an address and the networks around it, and bans what has too many. */
  offence(address: Address, points: number, reason: string): void {
    const { bans, allow } = this.#ports.settings();
    // Whoever is banned is on his way out already; what he still does must not earn his neighbours a ban.
    if (!bans.automaticBans || allow.has(address) || this.holding(address) !== undefined) return;
    const fading = this.#fading();
    const levels = address.family === "ipv4" ? IPV4_LEVELS : IPV6_LEVELS;
    const reached = levels.flatMap(({ prefix, times }) => {
      const network = networkOf(address, prefix);
      const key = formatNetwork(network);
      if (this.#scores.add(key, points, fading) < bans.banThreshold * times) return [];
      this.#scores.forget(key);
      return [network];
    });
    const widest = reached.at(-1);
    if (widest !== undefined) this.#banItself({ kind: "network", network: widest }, reason);
  }

  /** Takes points back that `offence` and `accountOffence` added. */
  forgive(address: Address, account: string, points: number): void {
    if (points <= 0) return;
    this.#accountScores.add(comparable(account), -points, this.#fading());
    for (const { prefix } of address.family === "ipv4" ? IPV4_LEVELS : IPV6_LEVELS) {
      this.#scores.add(formatNetwork(networkOf(address, prefix)), -points, this.#fading());
    }
  }

  /** Adds points to an account that somebody guesses at, from wherever; enough of them close it to strangers. */
  accountOffence(account: string, points: number): void {
    const { bans } = this.#ports.settings();
    if (!bans.automaticBans) return;
    const name = comparable(account);
    if (this.#accountScores.add(name, points, this.#fading()) < bans.banThreshold * ACCOUNT_TIMES) return;
    this.#accountScores.forget(name);
    this.#banItself({ kind: "account", name }, "guessed at from many addresses");
  }

  /** By hand. @param text an address, a network or `account:NAME`. */
  ban(text: string, { seconds, reason = "" }: BanTerms): BanOutcome {
    const reading = parseBanTarget(text);
    if (!reading.ok) return reading;
    const target = kept(reading.target);
    if (seconds !== undefined && !(seconds >= 1 && seconds <= LONGEST_BAN)) {
      return {
        ok: false,
        problem: `a ban lasts from 1 s to 10 years (${LONGEST_BAN} s); leave the time out for no end`,
      };
    }
    if (target.kind === "network" && this.#isAllowed(target.network)) {
      return { ok: false, problem: `${shown(text)} is on the list "allow"; take it off there first` };
    }
    if (this.#book.manual >= MANUAL_BANS_KEPT) {
      return { ok: false, problem: `there are ${MANUAL_BANS_KEPT} bans made by hand; lift some, or use a network` };
    }
    const since = this.#ports.now();
    const until = seconds === undefined ? undefined : since + seconds * 1000;
    const facts = { reason: cleanReason(reason), since, until, automatic: false, repeat: 0 };
    const ban: Ban = { target: formatBanTarget(target), kind: target.kind, ...facts };
    this.#enter(ban, target);
    return { ok: true, ban };
  }

  /** Ends a ban and forgets the points that led to it. */
  lift(text: string): BanOutcome {
    const reading = parseBanTarget(text);
    if (!reading.ok) return reading;
    this.expire();
    const target = kept(reading.target);
    const key = formatBanTarget(target);
    const ban = this.#book.remove(key);
    if (ban === undefined) return { ok: false, problem: this.#notBanned(key, target) };
    this.#last.delete(key);
    if (target.kind === "account") this.#accountScores.forget(target.name);
    else this.#forgetScores(target.network);
    this.#ports.emit({ type: "lift", ban, why: "lifted" });
    return { ok: true, ban };
  }

  /** Lifts what is over. Asked for whenever bans are looked at, and by the server from time to time. */
  expire(): void {
    this.#lifted(this.#book.expire(this.#ports.now()), "over");
  }

  /** Takes in bans of an earlier run; those that are over, or that no target can be made of, are left out. */
  restore(bans: readonly Ban[]): void {
    for (const ban of bans) {
      const reading = parseBanTarget(ban.target);
      if (!reading.ok || this.#isOver(ban)) continue;
      const target = kept(reading.target);
      const known = { ...ban, target: formatBanTarget(target), kind: target.kind, reason: cleanReason(ban.reason) };
      if (ban.automatic && ban.until !== undefined) {
        this.#last.set(known.target, { repeat: ban.repeat, until: ban.until });
      }
      this.#enter(known, target);
    }
  }

  #banItself(target: BanTarget, reason: string): void {
    const key = formatBanTarget(target);
    const held = this.#book.get(key);
    if (held?.automatic === false && !this.#isOver(held)) return;
    const { banTime, banGrowth, banLongest } = this.#ports.settings().bans;
    const since = this.#ports.now();
    const last = this.#last.get(key);
    const repeat = last === undefined || since - last.until > banLongest * 1000 ? 1 : last.repeat + 1;
    const seconds = Math.min(banTime * banGrowth ** (repeat - 1), Math.max(banLongest, banTime));
    const until = since + seconds * 1000;
    this.#last.set(key, { repeat, until });
    this.#enter({ target: key, kind: target.kind, reason, since, until, automatic: true, repeat }, target);
  }

  #enter(ban: Ban, target: BanTarget): void {
    const inner = target.kind === "network" && ban.automatic ? this.#book.inside(target.network) : [];
    // Whoever has earned a longer ban inside does not get out sooner because his neighbours are banned too.
    const until = inner.reduce((end, each) => later(end, each.until), ban.until);
    for (const each of inner) this.#book.remove(each.target);
    const { added, lifted } = this.#book.set({ ...ban, until }, target);
    for (const each of added) this.#announce(each);
    this.#lifted(inner, "merged");
    for (const each of lifted) this.#ports.emit({ type: "lift", ...each });
  }

  #announce(ban: Ban): void {
    const reading = parseBanTarget(ban.target);
    const sessions = reading.ok ? this.#ports.sessionsUnder(ban, reading.target) : [];
    this.#ports.emit({ type: "ban", ban, sessions });
  }

  #lifted(bans: readonly Ban[], why: LiftReason): void {
    for (const ban of bans) this.#ports.emit({ type: "lift", ban, why });
  }

  #notBanned(key: string, target: BanTarget): string {
    const wider = target.kind === "network" ? this.#book.holding(target.network) : undefined;
    const covering = wider !== undefined && target.kind === "network" && isRelated(wider.target, target.network);
    return `${shown(key)} is not banned${covering ? ` by itself, but by ${wider.target}: lift that` : ""}`;
  }

  /** Of the network, of those around it and of those in it. */
  #forgetScores(network: Network): void {
    const levels = network.family === "ipv4" ? IPV4_LEVELS : IPV6_LEVELS;
    for (const { prefix } of levels) this.#scores.forget(formatNetwork(networkOf(network, prefix)));
    // Only a network wider than what one customer has can hold others: no need to look at all scores for the usual lift.
    if (levels.some(({ prefix }) => prefix > network.prefix))
      this.#scores.forgetThose((key) => isRelated(key, network));
  }

  #isAllowed(network: Network): boolean {
    return this.#ports.settings().bans.allow.some((text) => {
      const reading = parseNetwork(text);
      return reading.ok && covers(reading.network, network);
    });
  }

  #isOver({ until }: Ban): boolean {
    return until !== undefined && until <= this.#ports.now();
  }

  #fading(): Fading {
    return { now: this.#ports.now(), halfLife: this.#ports.settings().bans.banHalfLife * 1000 };
  }
}

/** Names are compared as far as they are kept. */
function kept(target: BanTarget): BanTarget {
  return target.kind === "account" ? { kind: "account", name: comparable(target.name) } : target;
}

function later(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.max(one, other);
}

/** Whether a network, as text, holds another or lies in it. */
function isRelated(text: string, network: Network): boolean {
  const reading = parseNetwork(text);
  return reading.ok && (covers(reading.network, network) || covers(network, reading.network));
}
