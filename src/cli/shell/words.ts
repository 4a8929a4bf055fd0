/** A command line in pieces: words with quotes and escapes undone, and the operators between them. */
import { hasGlob } from "../../protocol/glob.ts";

export type Word = {
  /** What is meant, without quotes. */
  readonly text: string;
  /** The same as a glob: a backslash stands before what was quoted. */
  readonly pattern: string;
  /** Whether anything that was not quoted makes it a glob. */
  readonly isGlob: boolean;
  /** Whether it begins with a `~` that was not quoted. */
  readonly isHome: boolean;
  /** Where it stands in the line; `end` is the place behind it. */
  readonly start: number;
  readonly end: number;
  /** The quote that is still open at the end of the line. */
  readonly open: "" | "'" | '"';
};

const OPERATORS = ["&&", "||", ">>", ";", "&", "|", ">"] as const;
export type Operator = (typeof OPERATORS)[number] | "\n";

export type Token =
  | { readonly kind: "word"; readonly word: Word }
  | { readonly kind: "operator"; readonly operator: Operator; readonly start: number; readonly end: number };

/** What a backslash takes its meaning from; before anything else it is itself, so that `C:\temp` is that. */
const ESCAPABLE = new Set(" \t\r\n'\"\\;&|<>#*?[]{}!~,");
/** What means something in a glob, or at a word's start. */
const SPECIAL = new Set("*?[]{},\\~");
const BLANK = new Set(" \t\r");
const WORD_END = new Set(" \t\r\n;&|>");

/** The token at or behind `from`; undefined at the end. A `#` where a word could begin hides the rest of its line. */
export function nextToken(line: string, from: number): Token | undefined {
  let at = from;
  while (BLANK.has(line.charAt(at))) at += 1;
  if (line[at] === "#") {
    const end = line.indexOf("\n", at);
    at = end === -1 ? line.length : end;
  }
  if (at >= line.length) return undefined;
  if (line[at] === "\n") return { kind: "operator", operator: "\n", start: at, end: at + 1 };
  const operator = OPERATORS.find((each) => line.startsWith(each, at));
  if (operator !== undefined) return { kind: "operator", operator, start: at, end: at + operator.length };
  return { kind: "word", word: readWord(line, at) };
}

function readWord(line: string, start: number): Word {
  let [text, pattern, bare]: [string, string, string] = ["", "", ""];
  let open: Word["open"] = "";
  let at = start;
  /** Takes a character. What was quoted is hidden from the question whether this is a glob. */
  const take = (char: string, isQuoted: boolean): void => {
    text += char;
    pattern += isQuoted && SPECIAL.has(char) ? `\\${char}` : char;
    bare += isQuoted ? "_" : char;
  };
  for (; at < line.length; at += 1) {
    const char = line.charAt(at);
    const next = line.charAt(at + 1);
    if (open === "" && WORD_END.has(char)) break;
    if (open === "" && (char === "'" || char === '"')) open = char;
    else if (char === open) open = "";
    else if (char === "\\" && isEscape(open, next)) {
      take(next, true);
      at += 1;
    } else take(char, open !== "" || char === "\\");
  }
  return { text, pattern, isGlob: hasGlob(bare), isHome: bare.startsWith("~"), start, end: at, open };
}

function isEscape(open: Word["open"], next: string): boolean {
  if (open === "'") return false;
  return open === '"' ? next === '"' || next === "\\" : ESCAPABLE.has(next);
}

/** A word that stands for itself, for commands that are called by commands. */
export function plainWord(text: string): Word {
  const pattern = text.replace(/[*?[\]{},\\~]/g, "\\$&");
  return { text, pattern, isGlob: false, isHome: false, start: 0, end: 0, open: "" };
}

/** Written so that the shell reads it as this one word. */
export function quoted(text: string): string {
  return text === "" ? "''" : text.replace(/[ \t\r\n'"\\;&|<>#*?[\]{}!~,]/g, "\\$&");
}
