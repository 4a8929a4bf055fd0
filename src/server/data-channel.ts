/**
 * The data connection of a session, from plan to connection. One plan at a time, one owner; every rule about who may
 * connect to whom stands here, between the two (design.md, "Data connections").
 */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { systemCode } from "../base/system-code.ts";
import { DATA_LINGER_MS, FIRST_FREE_PORT } from "../net/limits.ts";
import { type ActiveTerms } from "../net/active-connection.ts";
import { type Endpoint, familyOf, sameAddress, showEndpoint } from "../net/addresses.ts";
import { NoPassivePort, type PassiveLease, type PassivePool } from "../net/passive-pool.ts";
import { DataConnection, type DataStream, type DataTerms } from "../net/data-connection.ts";
import { type DataEnd, SocketEnd } from "../net/data-end.ts";
import type { DataPath } from "../net/data-path.ts";
import { NativeConnection } from "../net/native-connection.ts";
import type { DataTransport } from "../net/transport.ts";
import { TlsFailed, handshake } from "../net/tls/handshake.ts";
import type { TlsSession } from "../net/tls/session.ts";
import { DescriptorTap } from "../net/tls/descriptor-tap.ts";
import { Inflow } from "../net/tls/inflow.ts";
import { TlsTap } from "../net/tls/tap.ts";
import { Refusal } from "./errors.ts";
import type { Security } from "./session.ts";
import type { TlsSettings } from "./tls-channel.ts";
import type { TlsLevel } from "./tls-options.ts";
import { demandPrivateData } from "./tls-policy.ts";

type Plan =
  | { readonly kind: "none" }
  | { readonly kind: "passive"; readonly lease: PassiveLease }
  | { readonly kind: "active"; readonly remote: Endpoint };

/** What a data connection needs to know of its session. Read each time, as a session changes. */
export type DataChannelTerms = {
  readonly peer: Endpoint;
  readonly local: Endpoint;
  readonly pool: PassivePool;
  readonly path: DataPath;
  readonly openTimeoutMs: number;
  readonly fxp: boolean;
  /** The control connection's, which private data connections resume. */
  readonly tlsSession: TlsSession | undefined;
  /** Undefined: the session is over. */
  readonly security: Security | undefined;
  readonly tlsLevel: TlsLevel;
  readonly tlsSettings: TlsSettings;
  /** Told of the first data connection that resumed no TLS session and was let in all the same. */
  onUnbound(): void;
  /** Opens an active data connection. @throws as `connectActive` */
  connect(terms: ActiveTerms): Promise<Socket>;
  /** Told of each address that came to a passive port which was not its own. */
  onStranger(address: string): void;
  /** Told of each data connection that was not let in or did not come about. */
  onRefused(from: Endpoint, reason: string): void;
};

type Carrier = { readonly raw: Socket | DescriptorTap; readonly tap?: TlsTap | DescriptorTap };

function endSoftly(secured: TLSSocket, raw: Socket | DescriptorTap): void {
  secured.on("error", () => {});
  secured.resume();
  secured.end();
  const timer = setTimeout(() => raw.destroy(), DATA_LINGER_MS);
  raw.once("close", () => clearTimeout(timer));
}

function refuseDrained(error: unknown): never {
  if (!(error instanceof NoPassivePort)) throw error;
  throw new Refusal(425, "No passive port is free: all ports of the server's passive range are in use; try again.");
}

/** Names the settings of clients, as RFC 4217 §10.2 asks that the reply tell this reason. */
const UNBOUND =
  "The data connection did not resume this session's TLS session: switch on TLS session reuse for data connections " +
  "(WinSCP: Reuse TLS session ID; curl: leave out --no-sessionid; ftplib: wrap_socket(session=...)).";

export class DataChannel implements Disposable {
  readonly #terms: DataChannelTerms;
  #plan: Plan = { kind: "none" };
  #stranger: Endpoint | undefined;
  #wasUnbound = false;

  constructor(terms: DataChannelTerms) {
    this.#terms = terms;
  }

  get planned(): Plan["kind"] {
    return this.#plan.kind;
  }

  /** Leases a passive port; an older plan is given up (attack 8: one lease per session). @returns the port. */
  planPassive(): number | Promise<number> {
    this.clear();
    const terms = this.#terms;
    const { local, peer, pool, fxp } = terms;
    const lease = pool.lease({
      address: local.address,
      // With FXP it is another server that connects, whose address only the client knows.
      from: fxp ? undefined : peer.address,
      onStranger: (stranger) => {
        this.#stranger = stranger;
        terms.onStranger(stranger.address);
        terms.onRefused(stranger, "a data connection from an address other than the control connection's was dropped");
      },
    });
    // The session may have planned anew meanwhile only if it ran two commands at once, which it never does.
    const planned = (leased: PassiveLease): number => {
      this.#plan = { kind: "passive", lease: leased };
      return leased.port;
    };
    return lease instanceof Promise ? lease.then(planned, refuseDrained) : planned(lease);
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

  /** Whether data connections are made private (RFC 4217 §9). */
  get isPrivate(): boolean {
    return this.#privateBy !== undefined;
  }

  get #privateBy(): TlsSession | undefined {
    const { security, tlsSession } = this.#terms;
    return security?.prot === "private" ? tlsSession : undefined;
  }

  /** The client's connection if it is here already; the plan is used up then, and stays otherwise. */
  takeReady(): DataEnd | undefined {
    if (this.#plan.kind !== "passive") return undefined;
    const end = this.#plan.lease.take();
    if (end !== undefined) this.clear();
    return end;
  }

  /**
   * Said before a file is touched.
   * @throws {Refusal} 521 when data must be private and would not be; 425 when there is no plan.
   */
  demandPlan(): void {
    demandPrivateData(this.#terms.tlsLevel, this.#terms.security);
    if (this.#plan.kind === "none")
      throw new Refusal(425, "No data connection is planned: send EPSV, PASV, EPRT or PORT first.");
  }

  /**
   * Makes the plan a connection; the plan is used up whatever happens.
   * @throws {Refusal} 425 with the reason in words; the signal's reason when that was aborted.
   */
  async open(signal: AbortSignal): Promise<DataEnd> {
    const plan = this.#plan;
    const patience = new AbortController();
    const giveUp = (): void => patience.abort();
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    const timer = setTimeout(giveUp, this.#terms.openTimeoutMs);
    try {
      if (plan.kind === "none") {
        throw new Refusal(425, "No data connection is planned: send EPSV, PASV, EPRT or PORT first.");
      }
      const passive = plan.kind === "passive";
      return await (passive ? plan.lease.accept(patience.signal) : this.#connect(plan.remote, patience.signal));
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

  /**
   * Makes a connection what a transfer moves octets by. If PROT P was said it is made private, and proves that it
   * belongs to this session: it must resume the control connection's TLS session, whose ticket keys nobody else has
   * (attack 6). Not before the 150 has gone out: clients begin TLS when they have seen it (RFC 4217 §10.2).
   * @throws {Refusal} 522 with the reason in words; the signal's reason when that was aborted.
   */
  async begin(end: DataEnd, direction: "in" | "out", terms: DataTerms): Promise<DataTransport> {
    const { path } = this.#terms;
    const session = this.#privateBy;
    if (session !== undefined) {
      return new DataConnection(await this.#secure(session, end, { direction, ...terms }), terms);
    }
    const descriptor = path.kind === "native" ? end.toDescriptor() : undefined;
    if (path.kind === "native" && descriptor !== undefined) {
      return new NativeConnection({ descriptor, peer: end.remote }, terms, path.calls);
    }
    return new DataConnection({ socket: end.toSocket(), peer: end.remote }, terms);
  }

  async #secure(
    session: TlsSession,
    end: DataEnd,
    { direction, signal }: { readonly direction: "in" | "out"; readonly signal: AbortSignal },
  ): Promise<DataStream> {
    const { tlsSettings } = this.#terms;
    const { raw, tap } = this.#carrierOf(end, direction);
    const secured = session.wrapData(tap ?? raw);
    const inflow = tap instanceof DescriptorTap ? Inflow.of(secured, tap) : undefined;
    try {
      await handshake(secured, { timeoutMs: tlsSettings.handshakeTimeout * 1000, signal, tap });
    } catch (error) {
      // A TLS socket that has not begun leaves the one below it open when it is destroyed.
      raw.destroy();
      if (!(error instanceof TlsFailed)) throw error;
      throw this.#refuse(end.remote, `TLS on the data connection failed: ${error.message}.`);
    }
    if (!secured.isSessionReused()) this.#meetUnbound(secured, { raw, from: end.remote });
    return { socket: secured, peer: end.remote, raw, inflow, ...(tap === undefined ? {} : { tap }) };
  }

  /** What TLS is put on: uploads must tell its end from TCP's (attack 14), and are read without Node's sockets where that works. */
  #carrierOf(end: DataEnd, direction: "in" | "out"): Carrier {
    const { tlsSettings, path } = this.#terms;
    const isTapped = direction === "in" && tlsSettings.requireCloseNotify;
    const descriptor = isTapped && path.kind === "native" ? end.toDescriptor() : undefined;
    if (path.kind === "native" && descriptor !== undefined) {
      const tap = new DescriptorTap({ descriptor, peer: end.remote }, path.calls);
      return { raw: tap, tap };
    }
    const raw = end.toSocket();
    return isTapped ? { raw, tap: new TlsTap(raw) } : { raw };
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  #meetUnbound(
    secured: TLSSocket,
    { raw, from }: { readonly raw: Socket | DescriptorTap; readonly from: Endpoint },
  ): void {
    const { tlsSettings } = this.#terms;
    if (tlsSettings.dataBinding === "require") {
      const refusal = this.#refuse(from, UNBOUND, "tls.binding");
      // A proper end lets the client read the 522 instead of an error of its own TLS library.
      endSoftly(secured, raw);
      throw refusal;
    }
    if (tlsSettings.dataBinding === "off" || this.#wasUnbound) return;
    this.#wasUnbound = true;
    this.#terms.onUnbound();
  }

  #refuse(from: Endpoint, reason: string, rule?: string): Refusal {
    this.#terms.onRefused(from, reason);
    return new Refusal(522, reason, rule);
  }

  async #connect(remote: Endpoint, signal: AbortSignal): Promise<DataEnd> {
    const { local, path } = this.#terms;
    const localAddress = familyOf(local.address) === familyOf(remote.address) ? local.address : undefined;
    const socket = await this.#terms.connect({
      remote,
      localPort: local.port - 1,
      // Whoever moves the octets reads the first of them.
      paused: path.kind === "native",
      signal,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    return new SocketEnd(socket, path.kind === "native" ? path.calls : undefined);
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
