/**
 * Writes DER, the one spelling of ASN.1 values that certificates are signed in (ITU-T X.690 §8 and §10). Writing alone:
 * Node reads certificates itself.
 */

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;
/** Context-specific tags [0] to [30] fit into one octet (X.690 §8.1.2.4 has the longer form, which no certificate needs). */
const HIGHEST_SHORT_TAG = 30;
/** Milliseconds since 1970 of 0000-01-01 and the end of 9999: a GeneralizedTime has four digits for the year. */
const YEAR_0_MS = -62_167_219_200_000;
const YEAR_9999_MS = 253_402_300_799_999;

export function sequence(...parts: readonly Buffer[]): Buffer {
  return element(TAG.sequence, Buffer.concat(parts));
}

/** The parts in the order that DER asks of a set: by their octets (X.690 §11.6). */
export function setOf(...parts: readonly Buffer[]): Buffer {
  return element(TAG.set, Buffer.concat(parts.toSorted((one, other) => Buffer.compare(one, other))));
}

/** @throws {RangeError} for a negative value, which no certificate has. */
export function integer(value: bigint): Buffer {
  if (value < 0n) throw new RangeError(`a negative integer cannot be written: ${value}`);
  const hex = value.toString(16);
  const octets = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  const isNegativeLooking = ((octets[0] ?? 0) & 0x80) !== 0;
  return element(TAG.integer, isNegativeLooking ? Buffer.concat([Buffer.of(0), octets]) : octets);
}

export function boolean(value: boolean): Buffer {
  return element(TAG.boolean, Buffer.of(value ? 0xff : 0));
}

export function octetString(octets: Buffer): Buffer {
  return element(TAG.octetString, octets);
}

/** @param unused bits at the end of the last octet that do not count, 0 to 7; they must be 0 (X.690 §11.2.1). */
export function bitString(octets: Buffer, unused = 0): Buffer {
  return element(TAG.bitString, Buffer.concat([Buffer.of(unused), octets]));
}

export function utf8String(text: string): Buffer {
  return element(TAG.utf8String, Buffer.from(text, "utf8"));
}

/** @param dotted like "2.5.29.17". @throws {RangeError} for anything else. */
export function oid(dotted: string): Buffer {
  const [first = 0n, second = 0n, ...rest] = /^[0-2](?:\.\d{1,39})+$/.test(dotted)
    ? dotted.split(".").map((arc) => BigInt(arc))
    : refuse(`not an object identifier: ${dotted}`);
  if (first < 2n && second > 39n) refuse(`the second number of ${dotted} is above 39`);
  return element(TAG.oid, Buffer.from([first * 40n + second, ...rest].flatMap(base128)));
}

/**
 * A time as certificates hold it: UTCTime up to 2049, GeneralizedTime from 2050 on and before 1950 (RFC 5280 §4.1.2.5).
 * @param ms since 1970 UTC; parts of a second are cut off. @throws {RangeError} outside of the years 0 to 9999.
 */
export function time(ms: number): Buffer {
  if (!(ms >= YEAR_0_MS && ms <= YEAR_9999_MS)) throw new RangeError(`no time for a certificate: ${ms}`);
  const digits = new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/, "")
    .replace(/[-:T]/g, "");
  const year = Number(digits.slice(0, 4));
  const isShort = year >= 1950 && year < 2050;
  const text = `${isShort ? digits.slice(2) : digits}Z`;
  return element(isShort ? TAG.utcTime : TAG.generalizedTime, Buffer.from(text, "ascii"));
}

/** `[number] EXPLICIT`: a whole element inside of another. */
export function explicit(number: number, inner: Buffer): Buffer {
  return element(contextTag(number) | 0x20, inner);
}

/** `[number] IMPLICIT` of a simple type: content alone, whose type the number tells. */
export function implicit(number: number, content: Buffer): Buffer {
  return element(contextTag(number), content);
}

function contextTag(number: number): number {
  if (!Number.isInteger(number) || number < 0 || number > HIGHEST_SHORT_TAG) {
    throw new RangeError(`no short context tag: ${number}`);
  }
  return 0x80 | number;
}

function element(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag), length(content.length), content]);
}

/** Up to 127 one octet; beyond it the count of octets that follow, and no more of them than needed (X.690 §10.1). */
function length(count: number): Buffer {
  if (count < 0x80) return Buffer.of(count);
  const octets: number[] = [];
  for (let rest = count; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Buffer.from([0x80 | octets.length, ...octets]);
}

/** Seven bits an octet, the highest bit set on all but the last (X.690 §8.19.2). */
function base128(arc: bigint): readonly number[] {
  const octets = [Number(arc & 0x7fn)];
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) octets.unshift(Number(rest & 0x7fn) | 0x80);
  return octets;
}

function refuse(message: string): never {
  throw new RangeError(message);
}
