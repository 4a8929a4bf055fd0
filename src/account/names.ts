/** What an account may be called. A name ends up in logs, in paths (`%username%`) and on terminals (attacks 22, 33). */
import { type ByteString, octetsOf } from "../base/bytes.ts";

/** Octets in UTF-8. useradd(8) of Linux allows 32 characters; e-mail addresses as names are longer. */
export const NAME_LIMIT = 64;

/** The names that RFC 1635 §2 gives to guests, and that clients send by themselves. */
export const GUEST_NAMES: readonly string[] = ["anonymous", "ftp"];

/** In any case (RFC 1635 §2). */
export function isGuestName(name: string): boolean {
  return GUEST_NAMES.includes(name.toLowerCase());
}

/** @returns what is wrong with a name, as the end of a sentence that begins with "the name"; undefined for a good one. */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "is empty";
  if (!name.isWellFormed()) return "is not valid Unicode";
  if (Buffer.byteLength(name) > NAME_LIMIT) return `is longer than ${NAME_LIMIT} octets in UTF-8`;
  if (name === "." || name === "..") return `is "${name}", which means a folder`;
  if (/[/\\]/.test(name)) return "holds a slash or backslash";
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)) return "holds a control character or a line end";
  // U+202E and its like turn the rest of a log line around.
  if (/\p{Bidi_Control}/u.test(name)) return "holds a character that changes the direction of writing";
  if (name.trim() !== name) return "begins or ends with a space";
  return undefined;
}

/** The name that a client sent, as text. @returns undefined for one that no account can have. */
export function nameOfClient(name: ByteString): string | undefined {
  // No longer name is decoded at all: the line limit allows more.
  if (name.length > NAME_LIMIT) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octetsOf(name));
    return nameProblem(text) === undefined ? text : undefined;
  } catch {
    return undefined;
  }
}
