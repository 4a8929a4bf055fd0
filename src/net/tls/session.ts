/**
 * TLS for one control session and its data connections (RFC 4217). Each session has ticket keys of its own, shared
 * with its data sockets alone: a data connection that resumes a TLS session thereby proves that it belongs to this
 * control connection, whatever its address (design.md, "Data connections"; attacks 6 and 15).
 */
import { constants, randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { type SecureContext, type SecureContextOptions, type Server, TLSSocket, createSecureContext } from "node:tls";
import { ContextPool } from "./contexts.ts";
import { TICKET_KEYS } from "./limits.ts";
import type { CutStream } from "./cut.ts";

/** What TlsSession needs to know of certificates: PEM texts, and which pair a client's host name (SNI) asks for. */
export type KeyPair = { readonly cert: string; readonly key: string };
export type KeyPairs = { choose(name: string | undefined): KeyPair };

export type TlsTerms = {
  readonly credentials: KeyPairs;
  readonly minimum: "TLSv1.2" | "TLSv1.3";
  /** Whether clients are asked for a certificate on the control connection. */
  readonly clientCertificates: "off" | "request" | "require";
  /** PEM; the authorities whose client certificates count. */
  readonly clientAuthorities?: string;
  /**
   * PEM; lists of revoked client certificates (RFC 5280 §5). If there are any, each authority needs one of its own that
   * is not out of date, or its certificates count no more.
   */
  readonly clientRevocations?: string;
};

/**
 * The name under which FTP is asked for inside TLS; a client that wants another protocol gets an alert (attack 11).
 * As it stands on the wire (RFC 7301 §3.1), so that it is not put together for each data connection.
 */
const PROTOCOL = Buffer.from("\x03ftp", "latin1");
/**
 * Forward secrecy and authenticated encryption alone (RFC 9325 §4.2); TLS 1.3 has no others. AES-128 comes first in both
 * versions: SHA-384, which goes with AES-256, makes each handshake a fifth dearer, and short files have one each.
 */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");
/** Without it OpenSSL resumes no session for which it asked a certificate. One for all: the ticket keys tell sessions apart. */
const SESSION_ID_CONTEXT = "ferryman";
/** TLS 1.2 sessions that are resumed by id, for clients without tickets; the latest ones count. Some 200 octets each. */
const SESSION_IDS = 8;
/** How a serialised session of TLS 1.3 goes on after its outer length: form 1, version 0x0304 (OpenSSL's SSL_SESSION_ASN1). */
const OF_TLS13 = Buffer.from("02010102020304", "hex");
/** Octets of that outer tag and length at most. */
const OUTER = 4;

export class TlsSession {
  readonly #terms: TlsTerms;
  readonly #contexts: Contexts;
  readonly #pair: KeyPair;
  readonly #ticketKeys = randomBytes(TICKET_KEYS);
  /** Serialised sessions by id, oldest first. */
  readonly #byId = new Map<string, Buffer>();
  readonly #owner: Server;

  /** @param hostName of HOST, if the client sent one before AUTH (RFC 7151 §3.2.2). */
  constructor(terms: TlsTerms, hostName: string | undefined) {
    this.#terms = terms;
    this.#contexts = contextsOf(terms);
    this.#pair = terms.credentials.choose(hostName);
    this.#owner = this.#makeOwner();
  }

  /** The server's side of the control connection. */
  wrapControl(socket: Socket | CutStream): TLSSocket {
    const { clientCertificates } = this.#terms;
    // Judged by us after the handshake, where there are words for what is wrong with a certificate.
    return this.#wrap(socket, { requestCert: clientCertificates !== "off", rejectUnauthorized: false });
  }

  /** The server's side of a data connection: TLS server in active mode too (RFC 4217 §7). */
  wrapData(socket: Socket | CutStream): TLSSocket {
    return this.#wrap(socket, { requestCert: false });
  }

  #wrap(socket: Socket | CutStream, request: { requestCert: boolean; rejectUnauthorized?: boolean }): TLSSocket {
    const { context, giveBack } = this.#contexts.poolOf(this.#pair).lend(this.#ticketKeys);
    const secured = new TLSSocket(socket, {
      isServer: true,
      server: this.#owner,
      secureContext: context,
      ALPNProtocols: PROTOCOL,
      SNICallback: (name, done) => done(null, this.#contexts.forName(name)),
      ...request,
    });
    // The engine calls back before it makes the tickets of TLS 1.3, and goes on with them when this turn's callbacks are done.
    secured.once("secure", () => setImmediate(giveBack));
    return secured;
  }

  /** Node's TLS sockets ask the server that they belong to about session ids (RFC 5246 §7.4.1.2), and nothing else. */
  #makeOwner(): Server {
    const owner = new EventEmitter();
    owner.on("newSession", (id: Buffer, data: Buffer, done: () => void) => {
      // TLS 1.3 resumes by ticket alone, but Node tells of each ticket too.
      if (data.subarray(0, OUTER + OF_TLS13.length).includes(OF_TLS13)) {
        done();
        return;
      }
      this.#byId.set(id.toString("hex"), data);
      const [oldest] = this.#byId.keys();
      if (this.#byId.size > SESSION_IDS && oldest !== undefined) this.#byId.delete(oldest);
      done();
    });
    owner.on("resumeSession", (id: Buffer, done: (error: Error | null, data: Buffer | null) => void) => {
      done(null, this.#byId.get(id.toString("hex")) ?? null);
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a whole tls.Server per session would hold a context of its own, 35 KiB, for two events
    return owner as Server;
  }
}

/** The contexts of all sessions under the same terms. */
class Contexts {
  readonly #terms: TlsTerms;
  readonly #pools = new WeakMap<KeyPair, ContextPool>();
  /** For names that clients ask for inside TLS: a certificate alone, as tickets stay with the context that was first. */
  readonly #named = new WeakMap<KeyPair, SecureContext>();

  constructor(terms: TlsTerms) {
    this.#terms = terms;
  }

  poolOf(pair: KeyPair): ContextPool {
    return entryOf(this.#pools, pair, () => {
      return new ContextPool((ticketKeys) => createSecureContext({ ...this.#options(pair), ticketKeys }));
    });
  }

  /** Another certificate by SNI, if there is one. */
  forName(name: string): SecureContext | undefined {
    const { credentials } = this.#terms;
    const pair = credentials.choose(name);
    if (pair === credentials.choose(undefined)) return undefined;
    return entryOf(this.#named, pair, () => createSecureContext(this.#options(pair)));
  }

  #options({ cert, key }: KeyPair): SecureContextOptions {
    const { minimum, clientCertificates, clientAuthorities, clientRevocations } = this.#terms;
    // Without a list of its own a context gets all public authorities, for nothing where no certificate is asked for.
    const ca = clientAuthorities ?? (clientCertificates === "off" ? [] : undefined);
    return {
      cert,
      key,
      minVersion: minimum,
      ciphers: CIPHERS,
      honorCipherOrder: true,
      // Renegotiation is refused (attack 13); TLS 1.3 has none.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
      sessionIdContext: SESSION_ID_CONTEXT,
      ...(ca === undefined ? {} : { ca }),
      ...(clientRevocations === undefined ? {} : { crl: clientRevocations }),
    };
  }
}

/** With the terms go their contexts, when the last session under them has ended. */
const CONTEXTS = new WeakMap<TlsTerms, Contexts>();

function contextsOf(terms: TlsTerms): Contexts {
  return entryOf(CONTEXTS, terms, () => new Contexts(terms));
}

function entryOf<Key extends object, Value>(map: WeakMap<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
