/** Numbers in arguments, strictly: digits alone, and never beyond what a number holds exactly (attack 51). */

/** The offset of REST (RFC 3659 §5.3), in octets. @returns undefined for anything but 0 to 2^53-1 in decimal digits. */
export function parseOffset(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const offset = Number(text);
  return Number.isSafeInteger(offset) ? offset : undefined;
}

export type ByteRange =
  /** Octets `start` to `end`, both within. */
  { readonly kind: "range"; readonly start: number; readonly end: number } | { readonly kind: "reset" };

/** The argument of RANG (draft-bryan-ftp-range): `0 99` is the first hundred octets, `1 0` takes a range back. */
export function parseRange(text: string): ByteRange | undefined {
  const space = text.indexOf(" ");
  const start = parseOffset(text.slice(0, Math.max(space, 0)));
  const end = parseOffset(text.slice(space + 1));
  if (start === undefined || end === undefined) return undefined;
  if (start === 1 && end === 0) return { kind: "reset" };
  return start <= end ? { kind: "range", start, end } : undefined;
}

/** Permission bits of SITE CHMOD: 1 to 4 octal digits, so 0 to 0o7777. Which bits one may set is the storage's rule. */
export function parseMode(text: string): number | undefined {
  return /^[0-7]{1,4}$/.test(text) ? Number.parseInt(text, 8) : undefined;
}
