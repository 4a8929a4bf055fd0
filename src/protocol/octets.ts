/** Byte strings made from byte strings: the brand is lost when a string is sliced or joined, and put back here. */
import { isUtf8 as isUtf8Buffer } from "node:buffer";
import { type ByteString, octetsOf } from "../base/bytes.ts";

/** @param octets built from byte strings and ASCII alone, so that no character stands above U+00FF. */
export function joined(octets: string): ByteString {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- slices and joins of byte strings are byte strings
  return octets as ByteString;
}

/** Whether the octets are well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates. ASCII is. */
export function isUtf8(bytes: ByteString): boolean {
  // oxlint-disable-next-line no-control-regex -- ASCII is what is meant
  return /^[\0-\x7f]*$/.test(bytes) || isUtf8Buffer(octetsOf(bytes));
}
