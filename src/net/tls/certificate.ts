/** Makes X.509 certificates (RFC 5280) out of DER: the fields, the few extensions that a server's has, the signature. */
import { type KeyObject, createHash, createPublicKey, sign } from "node:crypto";
import { isIP } from "node:net";
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  time,
  utf8String,
} from "./der.ts";

const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";
const EXTENSION = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extKeyUsage: "2.5.29.37",
} as const;
/** For `extendedKeyUsage`: what the other side may use the certificate for (RFC 5280 §4.2.1.12). */
export const USAGE = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2", any: "2.5.29.37.0" } as const;
/** Version 3 is written as 2. */
const VERSION_3 = 2n;
/** Octets of a key identifier, as of the SHA-1 that other programs use. */
const KEY_IDENTIFIER_LENGTH = 20;
/** Choices of a GeneralName (RFC 5280 §4.2.1.6). */
const GENERAL_NAME = { email: 1, dns: 2, ip: 7 } as const;

export type CertificateFields = {
  /** Positive, at most 20 octets (RFC 5280 §4.1.2.2). */
  readonly serial: bigint;
  readonly issuer: Buffer;
  readonly subject: Buffer;
  /** Milliseconds since 1970 UTC, both inclusive. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
};

/** A certificate in DER, signed with ECDSA and SHA-256. @param signer a P-256 key: the issuer's, or the subject's own. */
export function signCertificate(fields: CertificateFields, signer: KeyObject): Buffer {
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const signed = sequence(
    explicit(0, integer(VERSION_3)),
    integer(fields.serial),
    algorithm,
    fields.issuer,
    sequence(time(fields.notBefore), time(fields.notAfter)),
    fields.subject,
    publicKeyInfo(fields.publicKey),
    explicit(3, sequence(...fields.extensions)),
  );
  return sequence(signed, algorithm, bitString(sign("sha256", signed, signer)));
}

/** A distinguished name of common names alone, each its own part; more than one is for tests of what reads them. */
export function commonNames(...names: readonly string[]): Buffer {
  return sequence(...names.map((name) => setOf(sequence(oid(COMMON_NAME), utf8String(name)))));
}

/** Says whether the certificate may sign others. Critical: who does not understand it must refuse (RFC 5280 §4.2.1.9). */
export function basicConstraints(isAuthority: boolean): Buffer {
  // FALSE is the default, and DER leaves defaults out (X.690 §11.5).
  const content = isAuthority ? sequence(boolean(true)) : sequence();
  return extension(EXTENSION.basicConstraints, { content, critical: true });
}

/** RFC 5280 §4.2.1.3: bits counted from the left, digitalSignature is bit 0, keyCertSign bit 5. */
export function keyUsage(what: "digitalSignature" | "keyCertSign"): Buffer {
  const content = what === "digitalSignature" ? bitString(Buffer.of(0x80), 7) : bitString(Buffer.of(0x04), 2);
  return extension(EXTENSION.keyUsage, { content, critical: true });
}

/** @param usages of `USAGE`. */
export function extendedKeyUsage(...usages: readonly string[]): Buffer {
  return extension(EXTENSION.extKeyUsage, { content: sequence(...usages.map((usage) => oid(usage))) });
}

/** A short name of the key, by which chains are put together. Any unique value will do (RFC 5280 §4.2.1.2). */
export function subjectKeyIdentifier(key: KeyObject): Buffer {
  const digest = createHash("sha256").update(publicKeyInfo(key)).digest();
  const content = octetString(digest.subarray(0, KEY_IDENTIFIER_LENGTH));
  return extension(EXTENSION.subjectKeyIdentifier, { content });
}

/** @param names host names in ASCII, IP addresses without zone, mail addresses: told apart by their form. */
export function subjectAltName(...names: readonly string[]): Buffer {
  return extension(EXTENSION.subjectAltName, { content: sequence(...names.map(generalName)) });
}

function generalName(name: string): Buffer {
  if (isIP(name) !== 0) return implicit(GENERAL_NAME.ip, addressOctets(name));
  return implicit(name.includes("@") ? GENERAL_NAME.email : GENERAL_NAME.dns, Buffer.from(name, "latin1"));
}

/** The 4 or 16 octets of an address without zone. */
function addressOctets(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  // The URL parser puts every spelling into one, without dotted parts: groups of hexadecimal digits and one "::" at most.
  const [left = "", right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const head = left.split(":").filter((group) => group !== "");
  const tail = (right ?? "").split(":").filter((group) => group !== "");
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  const groups = [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16));
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

function extension(id: string, { content, critical = false }: { content: Buffer; critical?: boolean }): Buffer {
  const flag = critical ? [boolean(true)] : [];
  return sequence(oid(id), ...flag, octetString(content));
}

/** The SubjectPublicKeyInfo of a private or a public key, as OpenSSL writes it. */
function publicKeyInfo(key: KeyObject): Buffer {
  const open = key.type === "private" ? createPublicKey(key) : key;
  return open.export({ type: "spki", format: "der" });
}
