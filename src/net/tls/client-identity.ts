/** The user whom a client's certificate names. What could mean two users, or is no plain name, means none. */
import { X509Certificate, createHash } from "node:crypto";
import { altNames } from "./alt-names.ts";
import { IDENTITY_LIMIT } from "./limits.ts";

/**
 * Where the name stands: the subject's only common name, the only mail address or DNS name of subjectAltName, or the
 * whole subject as `openssl x509 -nameopt RFC2253` shows it (`CN=ann,O=Example`).
 */
export type IdentitySource = "cn" | "email" | "dns" | "subject";

/** Controls of both blocks, what stands for octets that were no text, and what ends a line or turns its direction. */
// oxlint-disable-next-line no-control-regex -- control characters are what is meant
const UNFIT = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufffd]/;
/** A control character as the subject shows it: `\0A`. */
const ESCAPED = /\\[0-9A-Fa-f]{2}/;

/**
 * @param certificate one that TLS has verified already, or its DER (`raw` of a `PeerCertificate`): this reads names alone
 * and believes each of them.
 * @returns 1 to `IDENTITY_LIMIT` octets of UTF-8 without control characters and without spaces around; undefined when the
 * certificate has no such name, several, or one that is not plain text.
 */
export function clientIdentity(certificate: X509Certificate | Buffer, how: IdentitySource): string | undefined {
  const read = certificate instanceof X509Certificate ? certificate : readCertificate(certificate);
  const name = read === undefined ? undefined : nameIn(read, how);
  return name !== undefined && isPlain(name) ? name : undefined;
}

/** SHA-256 of a certificate in DER, as `AA:BB:…`: 95 characters. */
export function fingerprintOf(raw: Buffer): string {
  const hex = createHash("sha256").update(raw).digest("hex").toUpperCase();
  return (hex.match(/../g) ?? []).join(":");
}

function nameIn(certificate: X509Certificate, how: IdentitySource): string | undefined {
  if (how === "subject") return subjectOf(certificate);
  if (how === "cn") return commonName(certificate);
  const [only, another] = altNames(certificate).filter(({ kind }) => kind === how);
  return another === undefined ? only?.value : undefined;
}

/** The only common name of the subject, as it is, control characters and all; undefined for none and for several. */
export function commonName(certificate: X509Certificate): string | undefined {
  // Without a subject Node has no object here, whatever its types say.
  const subject: Readonly<Record<string, unknown>> | undefined = certificate.toLegacyObject().subject;
  const name = subject?.["CN"];
  return typeof name === "string" ? name : undefined;
}

/** The subject on one line, its last part first, as in LDAP; undefined when there is none. */
export function subjectOf({ subject }: X509Certificate): string | undefined {
  // Without a subject Node gives undefined, whatever its types say. Its lines are parts, with `,` `+` and controls escaped.
  const given: string | undefined = subject;
  if (given === undefined || given === "" || ESCAPED.test(given)) return undefined;
  // Several attributes in one part have no order of their own: two spellings of one name.
  return given.includes(" + ") ? undefined : given.split("\n").toReversed().join(",");
}

function isPlain(name: string): boolean {
  const length = Buffer.byteLength(name);
  return length > 0 && length <= IDENTITY_LIMIT && !UNFIT.test(name) && name.trim() === name;
}

function readCertificate(raw: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(raw);
  } catch {
    return undefined;
  }
}
