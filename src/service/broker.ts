/**
 * The broker's policy: what it answers its workers, and what it knows of their sessions. It believes a worker nothing
 * that it can know itself: whose session it is, from where its client comes, which account it has.
 */
import type { Account } from "../account/account.ts";
import { RequestError, WithHandle } from "../jail/channel.ts";
import type { Handlers } from "../jail/broker-side.ts";
import { connectActive, systemCode } from "../net/active-connection.ts";
import { type Endpoint, familyOf, sameAddress } from "../net/addresses.ts";
import type { LocalAuthority } from "../server/local-authority.ts";
import type { FerrymanEvent } from "../workspace/events.ts";
import type { REQUESTS } from "./requests.ts";
import { Shares, type TellShare } from "./shares.ts";

export type BrokerTerms = {
  readonly authority: LocalAuthority;
  /** The ports that we listen on: active connections come from the one below (RFC 959 §3.2). */
  readonly ports: () => readonly number[];
  readonly fxp: boolean;
  /** Milliseconds in which an active connection must come about. */
  readonly openTimeoutMs: number;
  /** Hears the events of all workers. */
  readonly onEvent: (event: FerrymanEvent) => void;
  readonly tellShare: TellShare;
  /** The worker takes clients. */
  readonly onListening: (worker: number) => void;
};

type Known = { readonly worker: number; readonly peer: Endpoint; readonly localPort: number; account?: Account };

/** Types of events that workers make; others, such as those of bans, are ours alone. */
const WORKER_EVENTS: ReadonlySet<string> = new Set<FerrymanEvent["type"]>([
  "server.fault",
  "session.opened",
  "session.closed",
  "session.refused",
  "session.secured",
  "tls.failed",
  "command",
  "login.accepted",
  "login.failed",
  "refused",
  "transfer",
  "file.changed",
  "data.refused",
  "data.unbound",
]);

export class Broker {
  readonly #terms: BrokerTerms;
  readonly #sessions = new Map<string, Known>();
  readonly #shares: Shares;

  constructor(terms: BrokerTerms) {
    this.#terms = terms;
    this.#shares = new Shares(terms.tellShare);
  }

  /** The worker in which a session lives. */
  workerOf(session: string): number | undefined {
    return this.#sessions.get(session)?.worker;
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
      admit: async ({ session, address, port, localPort }) => {
        if (!session.startsWith(`${worker}.`)) throw new RequestError("refused", "no id of this worker");
        const peer = { address, port };
        const verdict = await authority.admit(session, { peer, local: { address: "", port: localPort } });
        if (verdict.ok) this.#sessions.set(session, { worker, peer, localPort });
        return verdict;
      },
      release: ({ session }) => {
        if (this.#sessions.get(session)?.worker === worker) this.#release(session);
        return null;
      },
      signIn: async ({ session, name, password }) => {
        const known = own(session);
        const proof =
          password === undefined ? ({ kind: "certificate" } as const) : ({ kind: "password", password } as const);
        const answer = await authority.signIn(session, { name, proof, from: known.peer.address });
        if (answer.kind === "accepted") known.account = answer.account;
        return answer;
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
        const verdict = await authority.transferBegins(session, account);
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
      connect: async ({ session, address, port }) => this.#connect(own(session), { address, port }),
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
    for (const [session, known] of this.#sessions) {
      if (known.worker !== worker) continue;
      this.#release(session);
      const { peer, account } = known;
      const facts = { session, peer, ...(account === undefined ? {} : { account: account.name }) };
      this.#terms.onEvent({ type: "session.closed", ...facts, reason: why, commands: 0, at: Date.now() });
    }
    this.#shares.forget(worker);
  }

  #release(session: string): void {
    this.#sessions.delete(session);
    this.#terms.authority.release(session);
  }

  /** From the port below the control port, which may be a low one; checked as the worker has checked it. */
  async #connect(
    { peer, localPort }: Known,
    remote: Endpoint,
  ): Promise<{ code?: string } | WithHandle<{ code?: string }>> {
    const { fxp, ports, openTimeoutMs } = this.#terms;
    if (!ports().includes(localPort)) throw new RequestError("refused", "we do not listen on that port");
    if (!fxp && !sameAddress(remote.address, peer.address)) {
      throw new RequestError("refused", "not the address of the session's client");
    }
    if (familyOf(remote.address) !== familyOf(peer.address)) {
      throw new RequestError("refused", "not the family of the session's client");
    }
    try {
      const socket = await connectActive({
        remote,
        localPort: localPort - 1,
        signal: AbortSignal.timeout(openTimeoutMs),
        paused: true,
      });
      return new WithHandle({}, socket);
    } catch (error) {
      return { code: systemCode(error) || "ETIMEDOUT" };
    }
  }

  /** An event of a worker, if it is one of its own and has what its kind must have. */
  #hear(worker: number, event: Readonly<Record<string, unknown>>): void {
    const { type, at, session, peer } = event;
    if (typeof type !== "string" || !WORKER_EVENTS.has(type) || typeof at !== "number") return;
    if (type !== "server.fault") {
      if (typeof session !== "string" || !session.startsWith(`${worker}.`)) return;
      if (typeof peer !== "object" || peer === null || !("address" in peer)) return;
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- plain data by its schema; who reads it shows it alone
    this.#terms.onEvent(event as FerrymanEvent);
  }
}
