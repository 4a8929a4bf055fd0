/**
 * The data connection of a session, from plan to connection. One plan at a time, one owner; every rule about who may
 * connect to whom stands here, between the two (design.md, "Data connections").
 */
import type { Socket } from "node:net";
import { FIRST_FREE_PORT } from "../net/limits.ts";
import { connectActive, systemCode } from "../net/active-connection.ts";
import { type Endpoint, familyOf, sameAddress, showEndpoint } from "../net/addresses.ts";
import { NoPassivePort, type PassiveLease, type PassivePool } from "../net/passive-pool.ts";
import { Refusal } from "./errors.ts";

type Plan =
  | { readonly kind: "none" }
  | { readonly kind: "passive"; readonly lease: PassiveLease }
  | { readonly kind: "active"; readonly remote: Endpoint };

export type DataChannelTerms = {
  readonly peer: Endpoint;
  readonly local: Endpoint;
  readonly pool: PassivePool;
  readonly openTimeoutMs: number;
  readonly fxp: boolean;
  /** Told of each data connection that was not let in or did not come about. */
  readonly onRefused: (from: Endpoint, reason: string) => void;
};

export class DataChannel implements Disposable {
  readonly #terms: DataChannelTerms;
  #plan: Plan = { kind: "none" };
  #stranger: Endpoint | undefined;

  constructor(terms: DataChannelTerms) {
    this.#terms = terms;
  }

  get planned(): Plan["kind"] {
    return this.#plan.kind;
  }

  /** Leases a passive port; an older plan is given up (attack 8: one lease per session). @returns the port. */
  async planPassive(): Promise<number> {
    this.clear();
    const { local, peer, pool, onRefused } = this.#terms;
    try {
      const lease = await pool.lease({
        address: local.address,
        from: peer.address,
        onStranger: (stranger) => {
          this.#stranger = stranger;
          onRefused(stranger, "a data connection from an address other than the control connection's was dropped");
        },
      });
      // The session may have planned anew meanwhile only if it ran two commands at once, which it never does.
      this.#plan = { kind: "passive", lease };
      return lease.port;
    } catch (error) {
      if (!(error instanceof NoPassivePort)) throw error;
      throw new Refusal(425, "No passive port is free: all ports of the server's passive range are in use; try again.");
    }
  }

  /**
   * Plans to connect to the client.
   * @throws {Refusal} 500 for an address that is not the client's own (attacks 1 and 3), or a low port (attack 2).
   */
  planActive(remote: Endpoint): void {
    this.clear();
    const { peer, fxp } = this.#terms;
    if (!fxp && !sameAddress(remote.address, peer.address)) {
      throw new Refusal(
        500,
        `Won't open a data connection to ${remote.address}, only to ${peer.address}: if a NAT stands between us, use EPSV or PASV.`,
        "active.foreign-address",
      );
    }
    if (remote.port < FIRST_FREE_PORT) {
      throw new Refusal(
        500,
        `Won't open a data connection to port ${remote.port}, only to ports from ${FIRST_FREE_PORT} on.`,
        "active.low-port",
      );
    }
    this.#plan = { kind: "active", remote };
  }

  /** Gives up the plan, its port with it. */
  clear(): void {
    if (this.#plan.kind === "passive") this.#plan.lease[Symbol.dispose]();
    this.#plan = { kind: "none" };
    this.#stranger = undefined;
  }

  /** Whether `open` will settle at once: the client's connection is here already. */
  get ready(): boolean {
    return this.#plan.kind === "passive" && this.#plan.lease.ready;
  }

  /** @throws {Refusal} 425 when there is no plan; said before a file is touched. */
  demandPlan(): void {
    if (this.#plan.kind === "none")
      throw new Refusal(425, "No data connection is planned: send EPSV, PASV, EPRT or PORT first.");
  }

  /**
   * Makes the plan a connection; the plan is used up whatever happens.
   * @throws {Refusal} 425 with the reason in words; the signal's reason when that was aborted.
   */
  async open(signal: AbortSignal): Promise<Socket> {
    const plan = this.#plan;
    const patience = new AbortController();
    const giveUp = (): void => patience.abort();
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    const timer = setTimeout(giveUp, this.#terms.openTimeoutMs);
    try {
      if (plan.kind === "passive") return await plan.lease.accept(patience.signal);
      if (plan.kind === "active") return await this.#connect(plan.remote, patience.signal);
      throw new Refusal(425, "No data connection is planned: send EPSV, PASV, EPRT or PORT first.");
    } catch (error) {
      if (signal.aborted || error instanceof Refusal) throw error;
      const reason = this.#explain(plan, error);
      this.#terms.onRefused(plan.kind === "active" ? plan.remote : this.#terms.peer, reason);
      throw new Refusal(425, reason);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      this.clear();
    }
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  async #connect(remote: Endpoint, signal: AbortSignal): Promise<Socket> {
    const { local } = this.#terms;
    const localAddress = familyOf(local.address) === familyOf(remote.address) ? local.address : undefined;
    return connectActive({
      remote,
      localPort: local.port - 1,
      signal,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
  }

  /** The words of the 425: what we did, what came of it, what to change. Later the doctor reads the same table. */
  #explain(plan: Plan, error: unknown): string {
    const seconds = Math.round(this.#terms.openTimeoutMs / 1000);
    if (plan.kind === "passive") {
      if (this.#stranger !== undefined) {
        return `Data connection came from ${this.#stranger.address} and not from ${this.#terms.peer.address}; only the control connection's address may connect.`;
      }
      return `No data connection came to port ${plan.lease.port} within ${seconds} s: a firewall or NAT before the server may not let that port through.`;
    }
    const to = plan.kind === "active" ? showEndpoint(plan.remote) : "you";
    const cure = "a firewall or NAT before the client is the usual cause; use EPSV or PASV instead.";
    switch (systemCode(error)) {
      case "ECONNREFUSED":
        return `Data connection to ${to} was refused: nothing listens there, or ${cure}`;
      case "EHOSTUNREACH":
      case "ENETUNREACH":
        return `There is no way to ${to} for a data connection: ${cure}`;
      default:
        return `Data connection to ${to} got no answer within ${seconds} s: ${cure}`;
    }
  }
}
