/**
 * Whether the server at the other end of TLS is believed: by an authority, by a pinned fingerprint, or because it shows what
 * it showed the first time. What is not believed gets an error that says what is wrong and what one can do. And whether a
 * server that spoke TLS before may now go on without (a downgrade, RFC 4217 §15).
 */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { type PeerCertificate, type TLSSocket, checkServerIdentity } from "node:tls";
import { altNames } from "../net/tls/alt-names.ts";
import { type FtpConnection, FtpError, type FtpReply, printable, shownReply } from "./errors.ts";
import { fingerprintOf, readFingerprint, showFingerprint } from "./fingerprint.ts";
import type { ClientStore, Server } from "./store.ts";
import type { TlsMode, TlsOptions } from "./types.ts";

/** Names of a certificate that a message lists: some certificates have a hundred. */
const NAMES_SHOWN = 5;

/** How it came to be believed. */
export type Trust = {
  readonly by: "authority" | "pin" | "first-use" | "known" | "any";
  /** SHA-256, 64 small hexadecimal digits. */
  readonly fingerprint: string;
  /** Believed for the first time: worth the event `trust`. */
  readonly isNew: boolean;
};

export type PeerTerms = {
  /** As the store knows it. */
  readonly server: Server;
  /** The server's certificate in DER. */
  readonly der: Uint8Array;
  /** What is wrong, as OpenSSL or Node call it; absent when an authority vouches for it. See `peerOf`. */
  readonly problem?: string | Error | null | undefined;
  readonly tls: TlsOptions;
  readonly store: Pick<ClientStore, "knownHost" | "believe" | "knownHostsFile">;
  /** Milliseconds since 1970 UTC. Default: now. */
  readonly now?: number | undefined;
  /** For the error. Default "control". */
  readonly connection?: FtpConnection | undefined;
};

/**
 * With `tls.fingerprint` that certificate alone is believed, whoever vouches for it. Else: an authority's word, and after it
 * what `tls.trust` allows (default "ca": nothing more).
 * @throws {FtpError} TLS_UNTRUSTED; USAGE for a `fingerprint` that is none.
 */
export async function judgePeer(terms: PeerTerms): Promise<Trust> {
  const { server, der, problem, tls, store } = terms;
  const fingerprint = fingerprintOf(der);
  if (tls.fingerprint !== undefined) {
    if (pinOf(tls.fingerprint) === fingerprint) return { by: "pin", fingerprint, isNew: false };
    throw notPinned(terms, fingerprint);
  }
  if (problem === undefined || problem === null) return { by: "authority", fingerprint, isNew: false };
  if (tls.trust === "any") return { by: "any", fingerprint, isNew: false };
  if (tls.trust !== "first-use") throw untrusted(terms, fingerprint);
  const known = await store.knownHost(server);
  if (known === undefined) {
    store.believe(server, fingerprint);
    return { by: "first-use", fingerprint, isNew: true };
  }
  if (known.fingerprint !== fingerprint) throw hasChanged(terms, { fingerprint, known });
  return { by: "known", fingerprint, isNew: false };
}

/**
 * What `judgePeer` wants to know of a socket after its handshake, which was made with `rejectUnauthorized: false`.
 * @param name that the certificate must be for: Node itself compares with "localhost" where no name was sent, as for an
 * address, and not at all when a session was resumed.
 */
export function peerOf(socket: TLSSocket, name: string): Pick<PeerTerms, "der" | "problem"> {
  // Node 24 gives a client `getPeerX509Certificate` once only, and afterwards nothing by any call.
  const shown: Partial<PeerCertificate> | null = socket.getPeerCertificate();
  const der = shown?.raw;
  if (der === undefined) throw refusal("the server shows no certificate", { hint: NO_CERTIFICATE });
  if (!socket.authorized) {
    // Node's types call it an Error; it is the code of one.
    const said: unknown = socket.authorizationError;
    const code = typeof said === "string" ? said : codeOf(said instanceof Error ? said : undefined);
    if (code !== WRONG_NAME) return { der, problem: code === "" ? "the certificate could not be checked" : code };
  }
  return { der, problem: checkServerIdentity(name, new X509Certificate(der).toLegacyObject()) };
}

const WRONG_NAME = "ERR_TLS_CERT_ALTNAME_INVALID";
const NO_CERTIFICATE = "It offers ciphers without authentication alone; whoever runs it should give it a certificate.";

/** What is wrong with a certificate, in words: all that can be seen in it, and what OpenSSL said where that is something else. */
export function peerProblems(terms: Pick<PeerTerms, "der" | "problem" | "tls" | "server" | "now">): readonly string[] {
  const { der, problem, tls, server, now = Date.now() } = terms;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    return ["it is no certificate that can be read"];
  }
  const code = typeof problem === "string" ? problem : codeOf(problem);
  const name = tls.serverName ?? server.host;
  const issuer = printable(lastPart(certificate.issuer));
  const found: string[] = [];
  // OpenSSL names one fault, mostly the last that it met: an old self-signed certificate is "expired" to it.
  const isOwn = tls.ca === undefined && isSelfSigned(certificate);
  if (isOwn || code === "DEPTH_ZERO_SELF_SIGNED_CERT") found.push("it vouches for itself (self-signed)");
  else if (UNKNOWN_ISSUER.has(code)) found.push(`its authority is not known here (${issuer})`);
  if (certificate.validToDate.getTime() < now) found.push(`it expired on ${day(certificate.validToDate)}`);
  if (certificate.validFromDate.getTime() > now) found.push(`it is valid from ${day(certificate.validFromDate)} only`);
  if (!isFor(certificate, name)) found.push(`it is for ${namesOf(certificate)}, not for ${name}`);
  if (found.length === 0) found.push(WORDS[code] ?? `OpenSSL says ${printable(code)}`);
  return found;
}

const UNKNOWN_ISSUER: ReadonlySet<string> = new Set([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);
/** What OpenSSL's other codes mean, where one can do something about it. */
const WORDS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "a certificate of its chain has expired",
  CERT_NOT_YET_VALID: "a certificate of its chain is not valid yet; is this machine's clock right?",
  CERT_REVOKED: "it was revoked",
  CERT_SIGNATURE_FAILURE: "its signature is wrong",
  INVALID_PURPOSE: "it is not meant for servers",
  CERT_UNTRUSTED: "its authority is not trusted for servers",
  ERR_TLS_CERT_ALTNAME_INVALID: "it is for another name",
};

export type DowngradeTerms = {
  readonly server: Server;
  readonly mode: TlsMode;
  /** `HostMemory.tlsSeen`. */
  readonly tlsSeen: number | undefined;
  /** To AUTH TLS; absent: the server does not name it in FEAT, or hung up. */
  readonly reply?: FtpReply | undefined;
};

/**
 * What to make of a server that does not begin TLS: undefined for "go on in clear text, and say so", which "auto" allows with
 * a server that never spoke TLS.
 */
export function withoutTls({ server, mode, tlsSeen, reply }: DowngradeTerms): FtpError | undefined {
  if (mode === "off" || (mode === "auto" && tlsSeen === undefined)) return undefined;
  const said = reply === undefined ? "" : `: ${shownReply(reply)}`;
  const details = { phase: "tls", reply, retryable: false } as const;
  if (tlsSeen === undefined) {
    return new FtpError("TLS_DOWNGRADE", `${server.host} does not offer TLS${said}`, {
      ...details,
      hint: "With --tls auto or ftp:// the connection goes on in clear text: name, password and files can be read on the way.",
    });
  }
  const since = day(new Date(tlsSeen));
  return new FtpError("TLS_DOWNGRADE", `${server.host} spoke TLS on ${since} and does not now${said}`, {
    ...details,
    hint: "Somebody on the way may be taking it out. If the server was changed on purpose: --tls off.",
  });
}

function pinOf(text: string): string {
  const digits = readFingerprint(text);
  if (digits !== undefined) return digits;
  throw new FtpError("USAGE", "the pinned fingerprint is no SHA-256: 64 hexadecimal digits, with or without colons", {
    phase: "tls",
  });
}

function notPinned({ server, tls, connection }: PeerTerms, fingerprint: string): FtpError {
  const pinned = showFingerprint(pinOf(tls.fingerprint ?? ""));
  const message = `the certificate of ${server.host} is not the pinned one: it is ${showFingerprint(fingerprint)}, pinned is ${pinned}`;
  const hint = `If the server has a new certificate (ask who runs it): --tls-pin ${fingerprint}`;
  return refusal(message, { hint, connection });
}

function hasChanged(
  { server, store, connection }: PeerTerms,
  { fingerprint, known }: { fingerprint: string; known: { readonly fingerprint: string; readonly firstSeen: number } },
): FtpError {
  const [now, before] = [showFingerprint(fingerprint), showFingerprint(known.fingerprint)];
  const since = day(new Date(known.firstSeen));
  const message = `the certificate of ${server.host} has changed since ${since}: it is ${now}, it was ${before}`;
  const file = store.knownHostsFile === undefined ? "" : `, or take its entry out of ${store.knownHostsFile}`;
  const hint = `Somebody may be in between. If the server has a new certificate (ask who runs it): --tls-pin ${fingerprint}${file}`;
  return refusal(message, { hint, connection });
}

function untrusted(terms: PeerTerms, fingerprint: string): FtpError {
  const { server, connection } = terms;
  const message = `the certificate of ${server.host} is not to be trusted: ${peerProblems(terms).join("; ")}`;
  const hint =
    `Its SHA-256 is ${showFingerprint(fingerprint)}. If that is the server's (ask who runs it): --tls-pin ${fingerprint}, ` +
    "or --tls-trust first-use to remember it; for an authority of your own: --tls-ca FILE.";
  return refusal(message, { hint, connection });
}

type RefusalTerms = { readonly hint: string; readonly connection?: FtpConnection | undefined };

function refusal(message: string, { hint, connection = "control" }: RefusalTerms): FtpError {
  return new FtpError("TLS_UNTRUSTED", message, { phase: "tls", hint, connection });
}

/** OpenSSL's own check, `checkIssued`, wants the right to sign others too, which such a certificate need not have. */
function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.issuer === certificate.subject && certificate.verify(certificate.publicKey);
}

/** As Node judges it: the common name counts where there is no other name, and an address as an address alone. */
function isFor(certificate: X509Certificate, name: string): boolean {
  if (isIP(name) !== 0) return certificate.checkIP(name.replace(/%.*$/s, "")) !== undefined;
  return certificate.checkHost(name) !== undefined;
}

function namesOf(certificate: X509Certificate): string {
  const names = altNames(certificate).map(({ value }) => printable(value));
  if (names.length === 0) return printable(lastPart(certificate.subject)) || "no host at all";
  const more = names.length - NAMES_SHOWN;
  return `${names.slice(0, NAMES_SHOWN).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** The common name mostly, which Node writes last. */
function lastPart(distinguishedName: string): string {
  return distinguishedName.split("\n").at(-1) ?? "";
}

function codeOf(problem: Error | null | undefined): string {
  if (problem === undefined || problem === null) return "";
  return "code" in problem && typeof problem.code === "string" ? problem.code : problem.message;
}

function day(date: Date): string {
  return Number.isNaN(date.getTime()) ? "an unknown day" : date.toISOString().slice(0, 10);
}
