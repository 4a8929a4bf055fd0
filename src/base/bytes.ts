/**
 * Names and lines of a client are octets of no known character set. Inside we hold them as byte strings:
 * one UTF-16 unit (U+0000 to U+00FF) per octet, which compares, hashes and slices like text and costs one
 * byte a character in V8. A character set is applied at the wire and on the terminal alone.
 */
declare const brand: unique symbol;

/** Octets, one per character. Made by `bytesOf`, `bytesOfText` and the readers of sockets and folders. */
export type ByteString = string & { readonly [brand]: "ByteString" };

/** The octets of a buffer as a byte string; those from `start` up to, not with, `end`, where they are given. */
export function bytesOf(octets: Buffer, start?: number, end?: number): ByteString {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one of the two places that make the brand
  return octets.toString("latin1", start, end) as ByteString;
}

/** The octets of a text in UTF-8 (RFC 2640 §2.2). ASCII text, and only that, is its own byte string. */
export function bytesOfText(text: string): ByteString {
  // oxlint-disable-next-line no-control-regex -- ASCII is what is meant
  if (/^[\0-\x7f]*$/.test(text)) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one of the two places that make the brand
    return text as ByteString;
  }
  return bytesOf(Buffer.from(text, "utf8"));
}

/** The buffer that a byte string stands for. */
export function octetsOf(bytes: ByteString): Buffer {
  return Buffer.from(bytes, "latin1");
}

/** For people and logs: the byte string read as UTF-8; octets that are none become U+FFFD. Never used to find a file. */
export function textOf(bytes: ByteString): string {
  return octetsOf(bytes).toString("utf8");
}
