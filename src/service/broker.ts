/**
 * The broker's policy: what it answers its workers, and what it knows of their sessions. It believes a worker nothing
 * that it can know itself: whose session it is, from where its client comes, which account it has.
 */
import { systemCode } from "../base/system-code.ts";
import type { Account } from "../account/account.ts";
import type { Configuration } from "../config/sections.ts";
import { RequestError, WithHandle } from "../jail/channel.ts";
import type { Handlers } from "../jail/broker-side.ts";
import { HANDLER_TIME_MS } from "../jail/limits.ts";
import { connectActive } from "../net/active-connection.ts";
import { type Endpoint, familyOf, sameAddress } from "../net/addresses.ts";
import type { Verdict } from "../guard/verdict.ts";
import type { LocalAuthority } from "../server/local-authority.ts";
import type { FerrymanEvent } from "../workspace/events.ts";
import type { REQUESTS } from "./requests.ts";
import { Shares, type TellShare } from "./shares.ts";
import type { WorkerEvent } from "./worker-events.ts";

export type BrokerTerms = {
  readonly authority: LocalAuthority;
  /** The ports that we listen on: active connections come from the one below (RFC 959 §3.2). */
  readonly ports: () => readonly number[];
  /** As it is now: a reload changes it. */
  readonly configuration: () => Pick<Configuration, "server" | "tls">;
  /** Hears the events of all workers. */
  readonly onEvent: (event: FerrymanEvent) => void;
  readonly tellShare: TellShare;
  /** Ends a session, with the words of its 421. */
  readonly expel: (session: string, reason: string) => void;
  /** The worker takes clients. */
  readonly onListening: (worker: number) => void;
};

type Known = { readonly worker: number; readonly peer: Endpoint; readonly localPort: number; account?: Account };
/** A session that the log has heard of, let in or not; it hears of its end too, whoever tells. */
type Heard = { readonly worker: number; readonly peer: Endpoint; account?: string };

/** Sessions of one worker that `who` and the log may hear of at once: each needs a descriptor, of which it has no more. */
const SESSIONS_LIMIT = 65_536;
/** The words for guests who were let in at the moment in which they were not any more. */
const NO_GUESTS = "Guests are not let in as before; sign in again.";
/** Milliseconds less than the channel's own limit: a client that does not answer is no fault of a handler. */
const CONNECT_LIMIT_MS = HANDLER_TIME_MS - 2_000;

export class Broker {
  readonly #terms: BrokerTerms;
  readonly #sessions = new Map<string, Known>();
  readonly #heard = new Map<string, Heard>();
  /** How many of `#heard` each worker has. */
  readonly #counts = new Map<number, number>();
  /** How many of `#sessions` each worker has. */
  readonly #loads = new Map<number, number>();
  readonly #shares: Shares;

  constructor(terms: BrokerTerms) {
    this.#terms = terms;
    this.#shares = new Shares(terms.tellShare);
  }

  /** The worker in which a session lives. */
  workerOf(session: string): number | undefined {
    return this.#sessions.get(session)?.worker;
  }

  /** How many sessions a worker has. */
  sessionsOf(worker: number): number {
    return this.#loads.get(worker) ?? 0;
  }

  /** A client who has come, before anything is said to him; let in, he has a session of this worker. */
  admit(session: string, { worker, peer, localPort }: Omit<Known, "account">): Verdict {
    const verdict = this.#terms.authority.judge(session, peer);
    if (verdict.ok) {
      this.#sessions.set(session, { worker, peer, localPort });
      this.#loads.set(worker, this.sessionsOf(worker) + 1);
      this.#hearOpened(session, { worker, peer });
    }
    return verdict;
  }

  /** What the worker with this index may ask. */
  handlers(worker: number): Handlers<typeof REQUESTS> {
    const { authority } = this.#terms;
    const own = (session: string): Known => {
      const known = this.#sessions.get(session);
      if (known?.worker !== worker) throw new RequestError("refused", "no session of this worker");
      return known;
    };
    return {
      release: ({ session }) => {
        if (this.#sessions.get(session)?.worker === worker) this.#release(session);
        return null;
      },
      signIn: async ({ session, name, password }) => {
        const known = own(session);
        // Who stands for it is the worker, which has seen it: only where that is configured.
        if (password === undefined && this.#terms.configuration().tls.certificateLogin !== "instead") {
          throw new RequestError("refused", "certificates stand for no password here");
        }
        const proof =
          password === undefined ? ({ kind: "certificate" } as const) : ({ kind: "password", password } as const);
        const answer = await authority.signIn(session, { name, proof, from: known.peer.address });
        if (answer.kind === "accepted") known.account = answer.account;
        return answer;
      },
      guestIn: ({ session, name }) => {
        const known = own(session);
        const account = authority.guestIn(session, name);
        // A ban, a limit or a reload has come between. A worker that lets in whom it should not gains nothing by it.
        if (account === undefined) this.#terms.expel(session, NO_GUESTS);
        else known.account = account;
        return null;
      },
      signInFailed: async ({ session, name }) => {
        delete own(session).account;
        return authority.signInFailed(session, name);
      },
      signOut: ({ session }) => {
        delete own(session).account;
        authority.signOut(session);
        return null;
      },
      transferBegins: async ({ session }) => {
        const { account } = own(session);
        if (account === undefined) throw new RequestError("refused", "nobody is signed in there");
        const verdict = authority.transferBegins(session, account);
        if (verdict.ok) this.#shares.begins(worker, account);
        return verdict;
      },
      transferEnds: ({ session }) => {
        const { account } = own(session);
        if (account === undefined) return null;
        authority.transferEnds(session);
        this.#shares.ends(worker, account);
        return null;
      },
      offence: ({ source, kind }) => {
        // An address is named only for strangers at a passive port: for all else it must be the worker's own session.
        if (kind === "foreign-data" || this.#sessions.get(source)?.worker === worker) authority.offence(source, kind);
        return null;
      },
      connect: async ({ session, address, port, from }, { signal }) =>
        this.#connect(own(session), { remote: { address, port }, localAddress: from, signal }),
      listening: () => {
        this.#terms.onListening(worker);
        return null;
      },
      events: (events) => {
        for (const event of events) this.#hear(worker, event);
        return null;
      },
    };
  }

  /** The worker's process has ended: its sessions are over, whatever it could still say of them. */
  workerGone(worker: number, why: string): void {
    for (const [session, known] of this.#sessions) if (known.worker === worker) this.#release(session);
    for (const [session, { worker: whose, ...facts }] of this.#heard) {
      if (whose !== worker) continue;
      this.#heard.delete(session);
      this.#terms.onEvent({ type: "session.closed", session, ...facts, reason: why, commands: 0, at: Date.now() });
    }
    this.#counts.delete(worker);
    this.#loads.delete(worker);
    this.#shares.forget(worker);
  }

  #release(session: string): void {
    const worker = this.#sessions.get(session)?.worker;
    if (worker !== undefined) this.#loads.set(worker, this.sessionsOf(worker) - 1);
    this.#sessions.delete(session);
    this.#terms.authority.release(session);
  }

  /** From the port below the control port, which may be a low one; checked as the worker has checked it. */
  async #connect(
    { peer, localPort }: Known,
    { remote, localAddress, signal }: Connecting,
  ): Promise<{ code?: string } | WithHandle<{ code?: string }>> {
    const { fxp, dataOpenTimeout } = this.#terms.configuration().server;
    if (!this.#terms.ports().includes(localPort)) throw new RequestError("refused", "we do not listen on that port");
    if (!fxp && !sameAddress(remote.address, peer.address)) {
      throw new RequestError("refused", "not the address of the session's client");
    }
    if (familyOf(remote.address) !== familyOf(peer.address)) {
      throw new RequestError("refused", "not the family of the session's client");
    }
    const limit = Math.min(dataOpenTimeout * 1000, CONNECT_LIMIT_MS);
    try {
      const socket = await connectActive({
        remote,
        localPort: localPort - 1,
        signal: AbortSignal.any([signal, AbortSignal.timeout(limit)]),
        paused: true,
        ...(localAddress === undefined ? {} : { localAddress }),
      });
      return new WithHandle({}, socket);
    } catch (error) {
      return { code: systemCode(error) || "ETIMEDOUT" };
    }
  }

  /** An event of a worker, if it is one of its own sessions; where its client comes from is not the worker's to say. */
  #hear(worker: number, event: WorkerEvent): void {
    if (event.type === "server.fault") return this.#terms.onEvent(event);
    if (!event.session.startsWith(`${worker}.`)) return;
    const heard = this.#heard.get(event.session);
    const peer = this.#sessions.get(event.session)?.peer ?? heard?.peer;
    // Of nobody who ever came in; or of so many that the worker never lets one of them go.
    if (peer === undefined) return;
    if (event.type === "session.closed") this.#forgetHeard(worker, event.session);
    else if (event.type === "login.accepted" && heard !== undefined && event.account !== undefined) {
      heard.account = event.account;
    }
    this.#terms.onEvent({ ...event, peer });
  }

  #hearOpened(session: string, { worker, peer }: Heard): void {
    const count = this.#counts.get(worker) ?? 0;
    if (count >= SESSIONS_LIMIT) return;
    this.#heard.set(session, { worker, peer });
    this.#counts.set(worker, count + 1);
    this.#terms.onEvent({ type: "session.opened", session, peer, at: Date.now() });
  }

  #forgetHeard(worker: number, session: string): void {
    if (this.#heard.delete(session)) this.#counts.set(worker, (this.#counts.get(worker) ?? 1) - 1);
  }
}

type Connecting = {
  readonly remote: Endpoint;
  readonly localAddress: string | undefined;
  readonly signal: AbortSignal;
};
