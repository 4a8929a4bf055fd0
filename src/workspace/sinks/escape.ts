/** Names and texts of clients as a log may show them: nothing in them can begin a line or speak to a terminal (attack 57). */
import { type ByteString, textOf } from "../../base/bytes.ts";
import { isUtf8 } from "../../protocol/octets.ts";

/**
 * Controls (C0, DEL, C1), what ends a line elsewhere, what turns the direction of text, what is not seen at all, what is half a character,
 * and the backslash, which begins our escapes.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\\]/gu;

/** Text with escapes as in JavaScript for what is not to be seen, `\\` for a backslash: two texts never look alike by it. */
export function visibleText(text: string): string {
  return text.replace(UNSEEN, (character) => {
    if (character === "\\") return "\\\\";
    const code = character.codePointAt(0) ?? 0;
    return code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** A byte string read as UTF-8; where it is none, its octets beyond ASCII are escaped as `\xe9`. */
export function visible(bytes: ByteString): string {
  if (isUtf8(bytes)) return visibleText(textOf(bytes));
  // oxlint-disable-next-line no-control-regex -- ASCII is what is meant
  return bytes.replace(/[\0-\x7f]+|[^\0-\x7f]/g, (part) =>
    part > "\x7f" ? `\\x${part.charCodeAt(0).toString(16)}` : visibleText(part),
  );
}

/** Text in a format whose fields end at spaces: spaces and what is not to be seen become `_`, as wu-ftpd writes them. */
export function withoutSpaces(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Z}]/gu, "_");
}
