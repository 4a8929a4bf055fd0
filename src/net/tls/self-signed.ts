/** A certificate that vouches for itself: TLS from the first start on, until somebody brings one of an authority. */
import { type KeyObject, createPrivateKey, generateKeyPairSync, randomBytes } from "node:crypto";
import {
  USAGE,
  basicConstraints,
  commonNames,
  extendedKeyUsage,
  keyUsage,
  signCertificate,
  subjectAltName,
  subjectKeyIdentifier,
} from "./certificate.ts";
import { plainName } from "./host-names.ts";
import { COMMON_NAME_LIMIT, DAYS_LIMIT, NAMES_LIMIT } from "./limits.ts";
import { pemOf } from "./pem.ts";

/** P-256 as OpenSSL names it: the one curve that every TLS client knows. */
const CURVE = "prime256v1";
const DAY_MS = 86_400_000;
/** Octets of a serial number: 126 random bits, and 20 at most (RFC 5280 §4.1.2.2). */
const SERIAL_LENGTH = 16;

export type SelfSignedTerms = {
  /** DNS names (a whole leftmost label may be `*`) and IP addresses: 1 to `NAMES_LIMIT`. The first is the common name. */
  readonly names: readonly string[];
  /** From `now` on: 1 to `DAYS_LIMIT`. It is valid from a day earlier, for clients whose clock is slow. */
  readonly days: number;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  /** A P-256 private key in PEM that is there already; absent: a new one. */
  readonly key?: string;
};

/**
 * An ECDSA P-256 certificate, signed with SHA-256, for servers alone (RFC 5280), and its key as PKCS#8, both in PEM.
 * @throws {RangeError} for names, days or a key that it cannot hold.
 */
export function makeSelfSigned(terms: SelfSignedTerms): { readonly cert: string; readonly key: string } {
  const { days, now } = terms;
  if (!Number.isInteger(days) || days < 1 || days > DAYS_LIMIT) {
    throw new RangeError(`a certificate is valid for 1 to ${DAYS_LIMIT} days, not for ${days}`);
  }
  const names = checkedNames(terms.names);
  const key = terms.key === undefined ? newKey() : checkedKey(terms.key);
  const subject = commonNames(names.find((name) => name.length <= COMMON_NAME_LIMIT) ?? "Ferryman");
  const certificate = signCertificate(
    {
      serial: newSerial(),
      issuer: subject,
      subject,
      notBefore: now - DAY_MS,
      // The last second counts too (RFC 5280 §4.1.2.5).
      notAfter: now + days * DAY_MS - 1000,
      publicKey: key,
      extensions: [
        basicConstraints(false),
        keyUsage("digitalSignature"),
        extendedKeyUsage(USAGE.server),
        subjectKeyIdentifier(key),
        subjectAltName(...names),
      ],
    },
    key,
  );
  return { cert: pemOf("CERTIFICATE", certificate), key: key.export({ type: "pkcs8", format: "pem" }).toString() };
}

/** Random, positive and never shorter: the first octet is 0x40 to 0x7f. */
export function newSerial(): bigint {
  const octets = randomBytes(SERIAL_LENGTH);
  octets[0] = ((octets[0] ?? 0) & 0x7f) | 0x40;
  return BigInt(`0x${octets.toString("hex")}`);
}

/** A new P-256 key. */
export function newKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: CURVE }).privateKey;
}

/** Whether `makeSelfSigned` can use a key. */
export function isOwnKind({ asymmetricKeyDetails }: KeyObject): boolean {
  return asymmetricKeyDetails?.namedCurve === CURVE;
}

function checkedKey(pem: string): KeyObject {
  const key = createPrivateKey(pem);
  if (isOwnKind(key)) return key;
  throw new RangeError("a self-signed certificate is made for a P-256 key alone");
}

function checkedNames(given: readonly string[]): readonly string[] {
  const names = given.map((name) => {
    const plain = plainName(name);
    if (plain === undefined) throw new RangeError(`${JSON.stringify(name)} is neither a host name nor an IP address`);
    return plain;
  });
  const different = [...new Set(names)];
  if (different.length === 0) throw new RangeError("a certificate needs at least one host name or IP address");
  if (different.length > NAMES_LIMIT) {
    throw new RangeError(`a certificate is made for ${NAMES_LIMIT} names at most, not for ${different.length}`);
  }
  return different;
}
