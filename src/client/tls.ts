/**
 * TLS of a client: the control connection's, and that of its data connections, which resume its session so that servers
 * know them for ours (RFC 4217 §10, nat.md). A ticket of TLS 1.3 is used once; servers give a new one with each connection.
 */
import type { Socket } from "node:net";
import { isIP } from "node:net";
import { type SecureContext, type TLSSocket, connect, createSecureContext } from "node:tls";
import { systemCode } from "../base/system-code.ts";
import type { DataStream } from "../net/data-connection.ts";
import type { DataEnd } from "../net/data-end.ts";
import type { DataPath } from "../net/data-path.ts";
import { DescriptorTap } from "../net/tls/descriptor-tap.ts";
import { TlsFailed, handshake } from "../net/tls/handshake.ts";
import { Inflow } from "../net/tls/inflow.ts";
import { TlsTap } from "../net/tls/tap.ts";
import { FtpError } from "./errors.ts";
import { TICKETS_KEPT } from "./limits.ts";
import type { TlsOptions } from "./types.ts";

export type TlsTerms = {
  readonly host: string;
  readonly options: TlsOptions;
  readonly timeoutMs: number;
  /** Believes a server or throws TLS_UNTRUSTED; asked for control connections. */
  readonly judge: (socket: TLSSocket) => Promise<void> | void;
};

/** What a data connection is for, and which way octets go on this host. */
export type DataUse = {
  /** "in" for what we receive: there the end of TLS must be told from that of TCP. */
  readonly direction: "in" | "out";
  readonly path: DataPath;
};

/** For resumed sessions; quickest first, as Node names them. */
const QUICK_CURVES = ["X25519", "prime256v1", "secp384r1", "secp521r1"] as const;

/** The one first that the server took on the control connection: with another it would ask for it, a round trip later. */
function quickCurves(control: TLSSocket | undefined): string {
  const agreed = control?.getEphemeralKeyInfo();
  const name = agreed !== null && agreed !== undefined && "name" in agreed ? agreed.name : undefined;
  return QUICK_CURVES.toSorted((a, b) => Number(b === name) - Number(a === name)).join(":");
}

/** Sessions that data connections of one control connection may resume. */
class Tickets {
  readonly #fresh: Buffer[] = [];
  #last: Buffer | undefined;

  add(session: Buffer, isUsedOnce: boolean): void {
    this.#last = session;
    if (!isUsedOnce) return;
    this.#fresh.push(session);
    if (this.#fresh.length > TICKETS_KEPT) this.#fresh.shift();
  }

  /** The oldest that nobody has used; else the last one again, which most servers take too. */
  take(): Buffer | undefined {
    return this.#fresh.shift() ?? this.#last;
  }
}

export class ClientTls {
  readonly #terms: TlsTerms;
  readonly #context: SecureContext;
  readonly #cap: "TLSv1.2" | undefined;
  #resuming: SecureContext | undefined;
  readonly #tickets = new Tickets();
  #control: TLSSocket | undefined;
  /** Whether the last data connection resumed; undefined: there was none. */
  resumed: boolean | undefined;

  /** @throws {FtpError} USAGE for a certificate or key that cannot be read. */
  constructor(terms: TlsTerms, cap?: "TLSv1.2") {
    this.#terms = terms;
    this.#cap = cap;
    this.#context = this.#newContext();
  }

  #newContext(ecdhCurve?: string): SecureContext {
    const { ca, cert, key, passphrase, minVersion = "TLSv1.2", maxVersion } = this.#terms.options;
    const highest = this.#cap ?? maxVersion;
    try {
      return createSecureContext({
        minVersion,
        ...(highest === undefined ? {} : { maxVersion: highest }),
        ...(ca === undefined ? {} : { ca: typeof ca === "string" ? ca : [...ca] }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(passphrase === undefined ? {} : { passphrase }),
        ...(ecdhCurve === undefined ? {} : { ecdhCurve }),
      });
    } catch (error) {
      throw new FtpError("USAGE", `the TLS options do not fit: ${error instanceof Error ? error.message : ""}`, {
        phase: "tls",
        cause: error,
        hint: "certificate, key and authorities must be PEM, and belong together",
      });
    }
  }

  /**
   * The secret of a session that is resumed goes into the keys of the new one (RFC 8446 §7.1), and with it whatever the
   * control connection has against quantum computers: that key exchange, which costs more than all the rest of a short
   * data connection, is not made again. Not where the last one did not resume.
   */
  #contextFor(session: Buffer | undefined): SecureContext {
    if (session === undefined || this.resumed === false) return this.#context;
    this.#resuming ??= this.#newContext(quickCurves(this.#control));
    return this.#resuming;
  }

  /** The session of the control connection, for what a person may want to know. */
  get control(): TLSSocket | undefined {
    return this.#control;
  }

  async secureControl(bare: Socket, signal: AbortSignal): Promise<TLSSocket> {
    const secured = connect({ socket: bare, ...this.#options() });
    await this.#shake(secured, { signal, what: "TLS on the control connection" });
    await this.#terms.judge(secured);
    this.#control = secured;
    return secured;
  }

  async secureData(end: DataEnd, use: DataUse, signal: AbortSignal): Promise<DataStream> {
    const { raw, tap } = carrierOf(end, use);
    const session = this.#tickets.take();
    const secured = connect({
      socket: tap ?? raw,
      ...this.#options(),
      secureContext: this.#contextFor(session),
      ...(session === undefined ? {} : { session }),
    });
    const inflow = tap instanceof DescriptorTap ? Inflow.of(secured, tap) : undefined;
    try {
      await this.#shake(secured, { signal, tap, what: "TLS on the data connection" });
      this.#know(secured);
    } catch (error) {
      raw.destroy();
      throw error;
    }
    return { socket: secured, peer: end.remote, raw, inflow, ...(tap === undefined ? {} : { tap }) };
  }

  /** A data connection that did not resume must at least show the certificate of the control connection. */
  #know(secured: TLSSocket): void {
    this.resumed = secured.isSessionReused();
    if (this.resumed) return;
    // A server that closes at once, for want of a resumed session, says why on the control connection.
    if (secured.destroyed) return;
    // Not `getPeerX509Certificate`, which Node 24 gives a client once only.
    const [own, wanted] = [secured.getPeerCertificate(), this.#control?.getPeerCertificate()];
    if (own.fingerprint256 === wanted?.fingerprint256) return;
    throw new FtpError("TLS_UNTRUSTED", "the data connection shows another certificate than the control connection", {
      phase: "data-open",
      connection: "data",
      hint: "somebody else may have answered on the data port",
    });
  }

  #options(): { secureContext: SecureContext; rejectUnauthorized: false; servername?: string } {
    const name = this.#terms.options.serverName ?? this.#terms.host;
    // No name is sent for an address (RFC 6066 §3). Judged by us, where there are words for what is wrong.
    return {
      secureContext: this.#context,
      rejectUnauthorized: false,
      ...(isIP(name) === 0 ? { servername: name } : {}),
    };
  }

  async #shake(
    secured: TLSSocket,
    {
      signal,
      tap,
      what,
    }: { readonly signal: AbortSignal; readonly tap?: TlsTap | DescriptorTap | undefined; readonly what: string },
  ): Promise<void> {
    secured.on("session", (session: Buffer) => this.#tickets.add(session, secured.getProtocol() === "TLSv1.3"));
    try {
      await handshake(secured, { timeoutMs: this.#terms.timeoutMs, signal, tap });
    } catch (error) {
      if (!(error instanceof TlsFailed)) throw error;
      const isData = what.endsWith("data connection");
      const isLate = error.message.includes("within");
      throw new FtpError(isLate ? "TIMEOUT" : "TLS_FAILED", `${what} failed: ${explain(error)}`, {
        phase: isData ? "data-open" : "tls",
        connection: isData ? "data" : "control",
        cause: error,
        retryable: isData,
      });
    }
  }
}

type Carrier = { readonly raw: Socket | DescriptorTap; readonly tap?: TlsTap | DescriptorTap };

function carrierOf(end: DataEnd, { direction, path }: DataUse): Carrier {
  if (direction === "out") return { raw: end.toSocket() };
  const descriptor = path.kind === "native" ? end.toDescriptor() : undefined;
  if (path.kind === "native" && descriptor !== undefined) {
    const tap = new DescriptorTap({ descriptor, peer: end.remote }, path.calls);
    return { raw: tap, tap };
  }
  const raw = end.toSocket();
  return { raw, tap: new TlsTap(raw) };
}

/** By OpenSSL's reason: what the server did not like, or what it is. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH|UNEXPECTED_MESSAGE/, "what the server sent is not TLS"],
  [/UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION|VERSION_TOO_LOW/, "the server has no TLS version that is allowed here"],
  [
    /ALERT_HANDSHAKE_FAILURE|NO_SHARED_CIPHER/,
    "client and server have no cipher in common, or a certificate is wanted",
  ],
  [
    /CERTIFICATE_REQUIRED|PEER_DID_NOT_RETURN|ALERT_BAD_CERTIFICATE/,
    "the server wants a client certificate that it knows",
  ],
  [/ALERT_ILLEGAL_PARAMETER/, "the server refused to resume the session"],
];

function explain(failed: TlsFailed): string {
  const { cause } = failed;
  const code = systemCode(cause);
  return REASONS.find(([reason]) => reason.test(code))?.[1] ?? failed.message;
}
