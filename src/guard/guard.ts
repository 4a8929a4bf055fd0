/**
 * Who may come in, how often and how many: every question is one synchronous call on state in memory, so that one guard
 * can answer for many processes. It opens nothing and waits for nothing; what it decides is carried out by its caller.
 */
import { loadavg } from "node:os";
import { EventStream } from "../base/event-stream.ts";
import type { Ban, BanTarget, GuardEvent } from "./ban.ts";
import { type BanOutcome, type BanTerms, Bans } from "./bans.ts";
import { type Address, covers, parseAddress } from "./cidr.ts";
import type { HostsAccess } from "./hosts-access.ts";
import { PAIRS_KEPT, RATES_KEPT, SITE_SHARE } from "./limits.ts";
import { type KnownNetworks, LoginHistory, comparable } from "./login-history.ts";
import { type Offence, pointsOf } from "./offences.ts";
import { CommandRate, Rates } from "./rates.ts";
import { Scores } from "./scores.ts";
import { type GuardedSession, SessionTable, placeOf } from "./sessions.ts";
import { type GivenSettings, type GuardSettings, guardSettings } from "./settings.ts";
import { OK, type Refused, type Verdict, refused } from "./verdict.ts";

export type GuardTerms = GivenSettings & {
  /** What the files of `hosts-allow` and `hosts-deny` say. */
  readonly hosts?: HostsAccess | undefined;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** The system's 1-minute load average; asked only if `maximum-load` is set. */
  readonly load?: () => number;
};

/** How a failed or refused login is answered. */
export type LoginAnswer = {
  /** Milliseconds for which the answer is held back. */
  readonly delayMs: number;
  /** The session has had all its tries: 421 in place of 530. */
  readonly endSession: boolean;
};
export type LoginVerdict = { readonly ok: true } | (Refused & LoginAnswer);

/** What an account may have beside the limits for all. */
export type AccountLimits = { readonly sessions?: number | undefined; readonly transfers?: number | undefined };

/** What outlives a restart. */
export type GuardState = { readonly bans: readonly Ban[]; readonly known: KnownNetworks };

const MINUTE_MS = 60_000;

export class Guard {
  /** Bans and lifts, as they happen. A ban carries the sessions that it hits: the caller ends them. */
  readonly events = new EventStream<GuardEvent>();
  readonly #now: () => number;
  readonly #load: () => number;
  #settings: GuardSettings;
  #hosts: HostsAccess | undefined;
  readonly #sessions = new SessionTable();
  readonly #rates = new Rates(RATES_KEPT);
  readonly #logins = new LoginHistory();
  readonly #pairPoints = new Scores(PAIRS_KEPT);
  readonly #bans: Bans;

  /** @throws {z.ZodError} for a value that its option does not allow. */
  constructor(terms: GuardTerms = {}) {
    this.#now = terms.now ?? Date.now;
    this.#load = terms.load ?? (() => loadavg()[0] ?? 0);
    this.#settings = guardSettings(terms);
    this.#hosts = terms.hosts;
    this.#bans = new Bans({
      settings: () => this.#settings,
      now: this.#now,
      emit: (event) => this.events.emit(event),
      sessionsUnder: (ban, target) => this.#sessionsUnder(ban, target),
    });
  }

  /** Other options from now on, all of them: what is absent has its default. Sessions, points and bans stay. @throws {z.ZodError} and then nothing has changed. */
  reconfigure({ hosts, ...given }: GivenSettings & Pick<GuardTerms, "hosts">): void {
    this.#settings = guardSettings(given);
    this.#hosts = hosts;
  }

  /**
   * A new connection, before anything is said to it. One that is let in counts until `release`.
   * @param session any id that no living session has.
   */
  admit(session: string, address: string): Verdict {
    if (this.#sessions.get(session) !== undefined) {
      return refused("session-known", 421, "This session exists already.");
    }
    const parsed = parseAddress(address);
    if (parsed === undefined) return refused("address-unreadable", 421, "Your address cannot be read.");
    const verdict = this.#admission(parsed, address);
    if (verdict.ok) this.#sessions.open(session, parsed);
    else if (verdict.rule === "connection-rate") this.#offend(parsed, "connection-rate");
    return verdict;
  }

  /** The session is over. Harmless for one that is not there. */
  release(session: string): void {
    this.#sessions.close(session);
  }

  /** A good login takes its place; refused (530), the session is as it was before. The account is compared octet by octet. */
  signedIn(session: string, account: string, limits: AccountLimits = {}): Verdict {
    const known = this.#sessions.get(session);
    if (known === undefined) return refused("session-unknown", 421, "This session is over.");
    const most = limits.sessions ?? this.#settings.limits.sessionsPerAccount;
    const others = this.#sessions.ofAccount(account) - (known.account === account ? 1 : 0);
    if (most !== undefined && others >= most) {
      const text = `Too many sessions of this account (limit ${most}); close one and sign in again.`;
      return refused("sessions-per-account", 530, text);
    }
    this.#sessions.change(session, { account });
    return OK;
  }

  /** USER or REIN: the account's place is free again. */
  signedOut(session: string): void {
    this.#sessions.change(session, { account: undefined });
  }

  /**
   * Asked before a password is looked at. A refusal is to be answered like a wrong password, after as long a time:
   * whoever guesses must not learn that his guesses are not looked at.
   */
  mayTryLogin(session: string, account: string): LoginVerdict {
    const known = this.#sessions.get(session);
    if (known === undefined) {
      return { ...refused("session-unknown", 421, "This session is over."), delayMs: 0, endSession: true };
    }
    const ban = this.#bans.ofAccount(account);
    if (ban === undefined || (ban.automatic && this.#logins.isKnownFrom(known.address, account))) return { ok: true };
    return { ...refused("account-banned", 530, "Login incorrect."), ...this.#failed(known, account) };
  }

  /** Whether each session that signs in by one of these names is certain to get its place: no ban, no limit of sessions. */
  letsAllIn(names: readonly string[], limits: AccountLimits): boolean {
    const most = limits.sessions ?? this.#settings.limits.sessionsPerAccount;
    return most === undefined && names.every((name) => this.#bans.ofAccount(name) === undefined);
  }

  /** A wrong password, an unknown name, a refused account: all the same (attack 36). */
  loginFailed(session: string, account: string): LoginAnswer {
    const known = this.#sessions.get(session);
    if (known === undefined) return { delayMs: 0, endSession: true };
    const answer = this.#failed(known, account);
    const points = pointsOf("login-failed");
    this.#pairPoints.add(`${known.link} ${comparable(account)}`, points, this.#fading());
    this.#bans.accountOffence(account, points);
    // Last, because it may ban the session's address: listeners then see the counts as they are.
    this.#bans.offence(known.address, points, "login-failed");
    return answer;
  }

  /** Forgives this address its failures with this account, and no others. */
  loginSucceeded(session: string, account: string): void {
    const known = this.#sessions.get(session);
    if (known === undefined) return;
    const now = this.#now();
    const pair = `${known.link} ${comparable(account)}`;
    this.#logins.succeeded(known.link, account, now);
    this.#logins.know(known.address, account);
    this.#bans.forgive(known.address, account, this.#pairPoints.of(pair, this.#fading()));
    this.#pairPoints.forget(pair);
    this.#sessions.change(session, { failed: known.failed.filter((name) => name !== comparable(account)) });
  }

  /** A transfer of the session is about to begin; let in, it counts until `transferEnds`. */
  transferBegins(session: string, limits: AccountLimits = {}): Verdict {
    const known = this.#sessions.get(session);
    if (known === undefined) return refused("session-unknown", 421, "This session is over.");
    const { transfersPerAccount, transfersPerAddress } = this.#settings.limits;
    const most = limits.transfers ?? transfersPerAccount;
    const { account } = known;
    if (most !== undefined && account !== undefined && this.#sessions.transfersOfAccount(account) >= most) {
      const text = `Too many transfers of this account (limit ${most}); wait until one has ended.`;
      return refused("transfers-per-account", 450, text);
    }
    if (transfersPerAddress !== undefined && this.#sessions.transfersOnLink(known.link) >= transfersPerAddress) {
      const text = `Too many transfers from your address (limit ${transfersPerAddress}); wait until one has ended.`;
      return refused("transfers-per-address", 450, text);
    }
    this.#sessions.change(session, { transfers: known.transfers + 1 });
    return OK;
  }

  /** Harmless without a transfer. */
  transferEnds(session: string): void {
    const known = this.#sessions.get(session);
    if (known !== undefined && known.transfers > 0) {
      this.#sessions.change(session, { transfers: known.transfers - 1 });
    }
  }

  /** The commands of one session: decided where they are read, without asking here again. */
  commandRate(): CommandRate {
    const { commandRate, commandBurst } = this.#settings.limits;
    return new CommandRate({ rate: commandRate, burst: commandBurst });
  }

  /** Something that no honest client does, or not often. @param source a session's id or an address; others are ignored. */
  offence(source: string, kind: Offence): void {
    const address = this.#sessions.get(source)?.address ?? parseAddress(source);
    if (address !== undefined) this.#offend(address, kind);
  }

  /** The ban that holds for an address. */
  isBanned(address: string): Ban | undefined {
    const parsed = parseAddress(address);
    return parsed === undefined ? undefined : this.#bans.holding(parsed);
  }

  /** Bans by hand, from everywhere and for good if no time is given. @param target address, network or `account:NAME`. */
  ban(target: string, terms: BanTerms = {}): BanOutcome {
    return this.#bans.ban(target, terms);
  }

  /** Ends a ban, and forgets the points and delays that its target had. */
  lift(target: string): BanOutcome {
    const outcome = this.#bans.lift(target);
    if (outcome.ok) this.#logins.forget(outcome.ban.target);
    return outcome;
  }

  /** All bans in force, the oldest first. */
  bans(): readonly Ban[] {
    return this.#bans.list();
  }

  /** Lifts what is over, so that listeners hear of it. To be called about once a minute. */
  expire(): void {
    this.#bans.expire();
  }

  /** Sessions that count now. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** What outlives a restart: bans, and from where accounts are known. */
  state(): GuardState {
    return { bans: this.bans(), known: this.#logins.known() };
  }

  /** Adds what an earlier run has left; emits a ban for each, so that a firewall learns them. */
  restore({ bans, known }: GuardState): void {
    this.#logins.restore(known);
    this.#bans.restore(bans);
  }

  #admission(address: Address, text: string): Verdict {
    const { limits, allow, deny } = this.#settings;
    if (!allow.has(address)) {
      const no = "This server does not serve your address.";
      if (deny.has(address)) return refused("deny-list", 421, no);
      if (this.#hosts?.decide(text).allowed === false) return refused("hosts-access", 421, no);
      const ban = this.#bans.holding(address);
      if (ban !== undefined) return refused("banned", 421, `Your address is banned${this.#howLong(ban)}.`);
    }
    if (limits.maximumLoad !== undefined && this.#load() > limits.maximumLoad) {
      return refused("load", 421, "The server is too busy at this moment; try again in some minutes.");
    }
    return this.#withinRate(address) ?? this.#withinCounts(address) ?? OK;
  }

  #howLong({ until }: Ban): string {
    if (until === undefined) return "; ask the administrator";
    const minutes = Math.max(1, Math.ceil((until - this.#now()) / MINUTE_MS));
    return ` for ${minutes} more minute${minutes === 1 ? "" : "s"}; try again after that`;
  }

  #withinRate(address: Address): Refused | undefined {
    const { connectionRate } = this.#settings.limits;
    const { link, site } = placeOf(address);
    const now = this.#now();
    const rate = { count: connectionRate, per: MINUTE_MS };
    const siteRate = { count: connectionRate * SITE_SHARE, per: MINUTE_MS };
    if (!this.#rates.has(link, rate, now) || (site !== undefined && !this.#rates.has(site, siteRate, now))) {
      const text = `Too many new connections from your address (limit ${connectionRate} a minute); wait a minute.`;
      return refused("connection-rate", 421, text);
    }
    this.#rates.take(link, rate, now);
    if (site !== undefined) this.#rates.take(site, siteRate, now);
    return undefined;
  }

  #withinCounts(address: Address): Refused | undefined {
    const { sessions, sessionsPerAddress } = this.#settings.limits;
    const { link, site } = placeOf(address);
    if (this.#sessions.onLink(link) >= sessionsPerAddress) {
      const text = `Too many connections from your address (limit ${sessionsPerAddress}); close one and try again.`;
      return refused("sessions-per-address", 421, text);
    }
    const ofSite = sessionsPerAddress * SITE_SHARE;
    if (site !== undefined && this.#sessions.onSite(site) >= ofSite) {
      const text = `Too many connections from your network (limit ${ofSite}); close one and try again.`;
      return refused("sessions-per-site", 421, text);
    }
    if (this.#sessions.size < sessions) return undefined;
    return refused("sessions", 421, `The server is full (limit ${sessions} sessions); try again in some minutes.`);
  }

  #failed(session: GuardedSession, account: string): LoginAnswer {
    const { loginTries, loginDelay, loginDelayLongest } = this.#settings.limits;
    const now = this.#now();
    const before = this.#logins.failuresOn(session.link, now);
    this.#logins.failed(session.link, account, now);
    // Names beyond the tries would only take room: the session is to end.
    const failed = [...session.failed, comparable(account)].slice(-loginTries);
    this.#sessions.change(session.id, { failed });
    const delayMs = Math.min(loginDelay * 2 ** before, loginDelayLongest);
    return { delayMs, endSession: failed.length >= loginTries };
  }

  #offend(address: Address, kind: Offence): void {
    this.#bans.offence(address, pointsOf(kind), kind);
  }

  #fading(): { readonly now: number; readonly halfLife: number } {
    return { now: this.#now(), halfLife: this.#settings.bans.banHalfLife * 1000 };
  }

  /** Sessions that a ban hits; the guard's own ban of an account leaves those alone that are in already. */
  #sessionsUnder(ban: Ban, target: BanTarget): readonly string[] {
    const isHit = ({ address, account }: GuardedSession): boolean =>
      target.kind === "account"
        ? !ban.automatic && account !== undefined && comparable(account) === target.name
        : covers(target.network, address) && !this.#settings.allow.has(address);
    return [...this.#sessions.all()].filter(isHit).map(({ id }) => id);
  }
}
