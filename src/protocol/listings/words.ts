/** Lines of listings as words: only the first few, so that a line costs no more than its length. */
import { LISTING_WORDS } from "../limits.ts";

export type Word = {
  readonly text: string;
  /** Where it begins in the line, and the octet after its last one. */
  readonly start: number;
  readonly end: number;
};

const TAB = 9;
const SPACE = 32;

/** The words from `from` on, between spaces and tabs. @param options.most words. */
export function wordsOf(
  line: string,
  { from = 0, most = LISTING_WORDS }: { readonly from?: number; readonly most?: number } = {},
): readonly Word[] {
  const words: Word[] = [];
  let at = from;
  while (words.length < most) {
    while (isBlank(line.charCodeAt(at))) at++;
    if (at >= line.length) break;
    const start = at;
    while (at < line.length && !isBlank(line.charCodeAt(at))) at++;
    words.push({ text: line.slice(start, at), start, end: at });
  }
  return words;
}

function isBlank(octet: number): boolean {
  return octet === SPACE || octet === TAB;
}

/** The text of a word, "" where the line has no such word. */
export function textAt(words: readonly Word[], index: number): string {
  return words[index]?.text ?? "";
}

/** What stands behind a word and the one space after it: a name with its own spaces. */
export function afterWord(line: string, word: Word): string {
  return line.slice(word.end + 1);
}

/** Decimal digits alone, so many as a number of any server has. */
export function isNumber(text: string): boolean {
  return /^\d{1,40}$/.test(text);
}

/** @returns undefined for what is no decimal number, and above 2^53-1, where it would no longer be exact. */
export function exactNumber(text: string): number | undefined {
  return isNumber(text) ? safe(Number(text)) : undefined;
}

/** `number` unless it is beyond what a number holds exactly. */
export function safe(number: number): number | undefined {
  return Number.isSafeInteger(number) ? number : undefined;
}
