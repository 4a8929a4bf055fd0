/** Text in aligned columns, as a terminal shows it. */
import { withoutPassword } from "../base/masked.ts";

/** @param rows all of them, with the header. @returns how to write one of them: cells two blanks apart. */
export function alignment(rows: readonly (readonly string[])[]): (cells: readonly string[]) => string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, widthOf(cell));
  }
  return (cells) =>
    cells
      .map((cell, at) => cell + " ".repeat(Math.max(0, (widths[at] ?? 0) - widthOf(cell))))
      .join("  ")
      .trimEnd();
}

/** Text of a file on a terminal: control characters are shown, not obeyed. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, (char) => {
    return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** What somebody typed where a URL may stand, for a message: no password of it is repeated. */
export function shownTyped(text: string): string {
  return printable(withoutPassword(text));
}

/** Columns on a terminal: two for the wide letters of East Asia and for pictures, none for marks without a letter. */
export function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (WIDE.test(segment)) width += 2;
    else if (!UNSEEN.test(segment)) width += 1;
  }
  return width;
}

const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const UNSEEN = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
