/** SHA-256 fingerprints of certificates: the forms in which people and programs write them, and the one in which we compare. */
import { createHash } from "node:crypto";

/** Hexadecimal digits of a SHA-256. */
const DIGITS = 64;

/** Of a certificate in DER: 64 small hexadecimal digits. */
export function fingerprintOf(der: Uint8Array): string {
  return createHash("sha256").update(der).digest("hex");
}

/**
 * Takes hex in either case, bare or with colons, dashes or spaces between, and `SHA256:` before it.
 * @returns 64 small hexadecimal digits, or undefined for what is no SHA-256.
 */
export function readFingerprint(text: string): string | undefined {
  const digits = text
    .trim()
    .replace(/^sha-?256[:=]/i, "")
    .replaceAll(/[:\- ]/g, "")
    .toLowerCase();
  return digits.length === DIGITS && /^[\da-f]+$/.test(digits) ? digits : undefined;
}

/** For people, as OpenSSL and browsers show it: `AB:CD:…`. */
export function showFingerprint(digits: string): string {
  return digits.toUpperCase().replaceAll(/(..)(?=.)/g, "$1:");
}
