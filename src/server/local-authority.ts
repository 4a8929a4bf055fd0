/** The authority of a server in one process, and the broker's: a guard, the stores of accounts, and its own sockets. */
import type { Socket } from "node:net";
import type { Account } from "../account/account.ts";
import type { Login, LoginResult } from "../account/login.ts";
import { GUEST_NAMES, isGuestName } from "../account/names.ts";
import type { ByteString } from "../base/bytes.ts";
import type { Guard } from "../guard/guard.ts";
import type { Offence } from "../guard/offences.ts";
import type { Verdict } from "../guard/verdict.ts";
import { type ActiveTerms, connectActive } from "../net/active-connection.ts";
import type { Endpoint } from "../net/addresses.ts";
import type { Authority, Ends, SignInAnswer, SignInOrder } from "./authority.ts";

/** The words of the 421 for sessions that a ban hits. Its reason is for our log. */
const BANNED = "You are banned from this server for now.";

export class LocalAuthority implements Authority {
  readonly #guard: Guard;
  readonly #login: Login;

  constructor(guard: Guard, login: Login) {
    this.#guard = guard;
    this.#login = login;
  }

  async admit(session: string, { peer }: Ends): Promise<Verdict> {
    return this.judge(session, peer);
  }

  /** The same at once. */
  judge(session: string, { address }: Endpoint): Verdict {
    return this.#guard.admit(session, address);
  }

  release(session: string): void {
    this.#guard.release(session);
  }

  async signIn(session: string, order: SignInOrder): Promise<SignInAnswer> {
    const { name, proof, from } = order;
    const allowed = this.#guard.mayTryLogin(session, name);
    if (!allowed.ok) {
      const { rule, delayMs, endSession } = allowed;
      // It must take as long as a wrong password does, and be put off as one is, or guessing would be told from being heard.
      if (proof.kind === "password" && !(await this.#login.spendTime({ name, password: proof.password, from }))) {
        return { kind: "busy" };
      }
      return { kind: "failed", reason: rule, delayMs, endSession };
    }
    const result = await this.#prove(order);
    if (result.kind === "busy") return result;
    if (result.kind === "refused") {
      return { kind: "failed", reason: result.reason, ...this.#guard.loginFailed(session, name) };
    }
    const { account } = result;
    const place = this.#guard.signedIn(session, account.name, { sessions: account.limits.sessions });
    if (!place.ok) return { kind: "limited", rule: place.rule, text: place.text };
    this.#guard.loginSucceeded(session, name);
    return { kind: "accepted", account };
  }

  /** The account that any guest would get now, for certain: nothing depends on who he is or how many there are. */
  guest(): Account | undefined {
    const account = this.#login.guest?.();
    return account !== undefined && this.#guard.letsAllIn(GUEST_NAMES, account.limits) ? account : undefined;
  }

  /** A guest who was let in already, as `guest` said. @returns undefined when that does not hold any more: he must go. */
  guestIn(session: string, name: ByteString): Account | undefined {
    const account = this.#login.guest?.();
    if (account === undefined || !isGuestName(name) || !this.#guard.mayTryLogin(session, name).ok) return undefined;
    if (!this.#guard.signedIn(session, account.name, { sessions: account.limits.sessions }).ok) return undefined;
    this.#guard.loginSucceeded(session, name);
    return account;
  }

  async signInFailed(session: string, name: ByteString): Promise<{ delayMs: number; endSession: boolean }> {
    this.#guard.signedOut(session);
    return this.#guard.loginFailed(session, name);
  }

  signOut(session: string): void {
    this.#guard.signedOut(session);
  }

  transferBegins(session: string, { limits }: Account): Verdict {
    return this.#guard.transferBegins(session, { transfers: limits.transfers });
  }

  transferEnds(session: string): void {
    this.#guard.transferEnds(session);
  }

  offence(source: string, kind: Offence): void {
    this.#guard.offence(source, kind);
  }

  async connect(_session: string, terms: ActiveTerms): Promise<Socket> {
    return connectActive(terms);
  }

  onEnd(listener: (session: string, reason: string) => void): void {
    this.#guard.events.subscribe((event) => {
      if (event.type === "ban") for (const session of event.sessions) listener(session, BANNED);
    });
  }

  async #prove({ name, proof, from }: SignInOrder): Promise<LoginResult> {
    if (proof.kind === "certificate") return this.#login.vouchFor({ name, from });
    return this.#login.authenticate({ name, password: proof.password, from });
  }
}
