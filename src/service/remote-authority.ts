/** The authority as a worker has it: every question goes to the broker. */
import { Socket } from "node:net";
import type { Account } from "../account/account.ts";
import { isGuestName } from "../account/names.ts";
import type { ByteString } from "../base/bytes.ts";
import type { Offence } from "../guard/offences.ts";
import { OK, type Verdict, refused } from "../guard/verdict.ts";
import { closeHandle } from "../jail/channel.ts";
import type { WorkerSide } from "../jail/worker-side.ts";
import { type ActiveTerms, connectActive } from "../net/active-connection.ts";
import { FIRST_FREE_PORT } from "../net/limits.ts";
import type { Authority, SignInAnswer, SignInOrder } from "../server/authority.ts";
import type { NOTICES, REQUESTS } from "./requests.ts";
import { Turns } from "./turns.ts";

export type BrokerLine = Pick<
  WorkerSide<typeof REQUESTS, typeof NOTICES>,
  "ask" | "askForHandle" | "note" | "noteLater"
>;

/** Password checks asked for at once; the broker queues them, and 421 is said to more than it may hold. */
const LOGINS_AT_ONCE = 96;
/** Other questions at once. */
const QUESTIONS_AT_ONCE = 120;
/**
 * Active connections asked for at once: each may take as long as its client lets us wait, so they have turns of their
 * own and hold no other question up. All three together stay below what the channel takes.
 */
const CONNECTS_AT_ONCE = 32;

export class RemoteAuthority implements Authority {
  readonly #broker: BrokerLine;
  readonly #logins = new Turns(LOGINS_AT_ONCE);
  readonly #questions = new Turns(QUESTIONS_AT_ONCE);
  readonly #connects = new Turns(CONNECTS_AT_ONCE);
  /** Whether transfers are to be counted for the limits of all. */
  readonly #countsTransfers: (account: Account) => boolean;
  #guest: Account | undefined;
  #onEnd: (session: string, reason: string) => void = () => {};

  constructor(broker: BrokerLine, countsTransfers: (account: Account) => boolean) {
    this.#broker = broker;
    this.#countsTransfers = countsTransfers;
  }

  /** The broker has let in whom it hands over. */
  async admit(): Promise<Verdict> {
    return OK;
  }

  release(session: string): void {
    this.#broker.note("release", { session });
  }

  /** What guests get without a question; undefined: the broker is asked for each. */
  set guest(account: Account | undefined) {
    this.#guest = account;
  }

  async signIn(session: string, { name, proof }: SignInOrder): Promise<SignInAnswer> {
    if (this.#guest !== undefined && proof.kind === "password" && isGuestName(name)) {
      this.#broker.noteLater("guestIn", { session, name });
      return { kind: "accepted", account: this.#guest };
    }
    const password = proof.kind === "password" ? { password: proof.password } : {};
    try {
      return await this.#logins.take(async () => this.#broker.ask("signIn", { session, name, ...password }));
    } catch {
      return { kind: "busy" };
    }
  }

  async signInFailed(session: string, name: ByteString): Promise<{ delayMs: number; endSession: boolean }> {
    try {
      return await this.#questions.take(async () => this.#broker.ask("signInFailed", { session, name }));
    } catch {
      return { delayMs: 0, endSession: true };
    }
  }

  signOut(session: string): void {
    this.#broker.note("signOut", { session });
  }

  transferBegins(session: string, account: Account): Verdict | Promise<Verdict> {
    return this.#countsTransfers(account) ? this.#askForTransfer(session) : OK;
  }

  async #askForTransfer(session: string): Promise<Verdict> {
    try {
      return await this.#questions.take(async () => this.#broker.ask("transferBegins", { session }));
    } catch {
      return refused("unjudged", 450, "The server cannot begin a transfer now; try again in a minute.");
    }
  }

  transferEnds(session: string, account: Account): void {
    if (this.#countsTransfers(account)) this.#broker.note("transferEnds", { session });
  }

  offence(source: string, kind: Offence): void {
    this.#broker.note("offence", { source, kind });
  }

  /** From a low port by the broker, which checks that the session may; else by ourselves. */
  async connect(session: string, terms: ActiveTerms): Promise<Socket> {
    if (terms.localPort < 1 || terms.localPort >= FIRST_FREE_PORT) return connectActive(terms);
    const { remote, localAddress, signal } = terms;
    const { address, port } = remote;
    const from = localAddress === undefined ? {} : { from: localAddress };
    const asked = this.#connects.take(async () => {
      // It may have waited for longer than its session lasts.
      signal.throwIfAborted();
      return this.#broker.askForHandle("connect", { session, address, port, ...from });
    });
    // Nobody waits for a client that does not answer once the session has given it up.
    asked.then(({ handle }) => signal.aborted && closeHandle(handle)).catch(() => {});
    const { answer, handle } = await Promise.race([asked, abortion(signal)]);
    signal.throwIfAborted();
    if (handle instanceof Socket) {
      // Passed on, it has forgotten that an upload ends on one side first.
      handle.allowHalfOpen = true;
      return handle;
    }
    throw Object.assign(new Error("the broker could not connect"), { code: answer.code ?? "ETIMEDOUT" });
  }

  onEnd(listener: (session: string, reason: string) => void): void {
    this.#onEnd = listener;
  }

  /** A notice of the broker. */
  expel(session: string, reason: string): void {
    this.#onEnd(session, reason);
  }
}

/** Rejects with the signal's reason. */
async function abortion(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
