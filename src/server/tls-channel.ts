/** TLS on one control connection: put on by AUTH or from the start, taken off by CCC and REIN (RFC 4217). */
import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { OptionValues } from "../base/option.ts";
import type { ControlConnection } from "../net/control-connection.ts";
import { handshake } from "../net/tls/handshake.ts";
import { problemOfPeer } from "../net/tls/peer-problem.ts";
import { TlsSession, type TlsTerms } from "../net/tls/session.ts";
import type { Listener } from "./server.ts";
import type { TLS_OPTIONS, TlsLevel } from "./tls-options.ts";

export type TlsSettings = OptionValues<typeof TLS_OPTIONS>;

/** What a server knows of TLS, shared by its connections. */
export type TlsService = {
  readonly settings: TlsSettings;
  /** Certificates as they are now; connections that have begun keep theirs. undefined: TLS is not offered. */
  readonly terms: () => TlsTerms | undefined;
};

/** What was agreed, for STAT and the log. */
export type TlsFacts = { readonly protocol: string; readonly cipher: string; readonly serverName?: string };

/** A client certificate as it was shown. `trusted` only if an authority of ours stands for it and it is in force. */
export type ShownCertificate = { readonly certificate: X509Certificate; readonly problem: string | undefined };

export class TlsChannel {
  readonly level: TlsLevel;
  /** TLS comes with the port, and stays as long as the connection. */
  readonly isImplicit: boolean;
  readonly #control: ControlConnection;
  readonly #service: TlsService;
  readonly #onSecured: (facts: TlsFacts) => void;
  #session: TlsSession | undefined;
  #facts: TlsFacts | undefined;
  #shown: ShownCertificate | undefined;

  constructor(
    control: ControlConnection,
    { service, listener, onSecured }: { service: TlsService; listener: Listener; onSecured: (facts: TlsFacts) => void },
  ) {
    this.#control = control;
    this.#service = service;
    this.#onSecured = onSecured;
    this.isImplicit = listener.implicit;
    this.level = service.terms() === undefined ? "off" : listener.tls;
  }

  get settings(): TlsSettings {
    return this.#service.settings;
  }

  /** Whether AUTH may be said here. */
  get isOffered(): boolean {
    return this.level !== "off";
  }

  /** For the data connections of this session. */
  get session(): TlsSession | undefined {
    return this.#session;
  }

  get facts(): TlsFacts | undefined {
    return this.#facts;
  }

  get clientCertificate(): ShownCertificate | undefined {
    return this.#shown;
  }

  /** Before the 234: what the client has sent already is forgotten (attack 9). */
  hold(): void {
    this.#control.hold();
  }

  /**
   * The handshake. The connection is closed when it fails.
   * @param hostName of HOST, for the choice of a certificate.
   * @throws {TlsFailed}
   */
  async start({ hostName, signal }: { hostName: string | undefined; signal: AbortSignal }): Promise<void> {
    const terms = this.#service.terms();
    if (terms === undefined) throw new Error("TLS is not offered");
    const session = new TlsSession(terms, hostName);
    const { socket, tap } = this.#control.secure(session);
    try {
      await handshake(socket, { timeoutMs: this.settings.handshakeTimeout * 1000, signal, tap });
    } catch (error) {
      this.#control.drop();
      throw error;
    }
    this.#session = session;
    this.#facts = factsOf(socket);
    this.#shown = shownBy(socket);
    this.#onSecured(this.#facts);
  }

  /** CCC: commands in clear from here on; data connections stay bound to the TLS session that was. */
  clearControl(): void {
    this.#control.clear();
  }

  /** REIN: as if there had never been TLS (RFC 4217 §13). @param cleared whether CCC took it off already. */
  end(cleared: boolean): void {
    if (!cleared) this.#control.clear();
    this.#session = undefined;
    this.#facts = undefined;
    this.#shown = undefined;
  }
}

function factsOf(socket: TLSSocket): TlsFacts {
  // oxlint-disable-next-line typescript/no-unnecessary-condition -- false where the client sent none, whatever the types say
  const name = typeof socket.servername === "string" ? socket.servername : undefined;
  return {
    protocol: socket.getProtocol() ?? "TLS",
    cipher: socket.getCipher().name,
    ...(name === undefined ? {} : { serverName: name }),
  };
}

function shownBy(socket: TLSSocket): ShownCertificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return { certificate, problem: problemOfPeer(socket) };
}
