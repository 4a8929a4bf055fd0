/**
 * Where each header and each key of a TOML text stands. The parser gives values without places; findings need a line,
 * and edits that keep comments need the exact characters.
 */
import { parse } from "smol-toml";

/** From the root down: keys, and the index after an array of tables. */
export type TomlPath = readonly (string | number)[];

export type Statement = {
  /** `[a.b]`, `[[a.b]]` or `key = value`. */
  readonly kind: "table" | "element" | "pair";
  readonly path: TomlPath;
  /** For a pair the path of the table above it; else the statement's own path. */
  readonly header: TomlPath;
  /** From 1. */
  readonly line: number;
  /** Offsets: of the first character of its first line, and after the end of its last line. */
  readonly start: number;
  readonly end: number;
  /** Offsets of a pair's value, without the comment behind it; empty for headers. */
  readonly value: { readonly start: number; readonly end: number };
  /** Dates within the value as they are written: the parser lets the 31st of February pass. */
  readonly dates: readonly string[];
};

/** @param text valid TOML: what `parse` takes. */
export function tomlStatements(text: string): readonly Statement[] {
  return new Scanner(text).statements();
}

/** Whether `path` is `prefix` or lies below it. */
export function isUnder(path: TomlPath, prefix: TomlPath): boolean {
  return path.length >= prefix.length && prefix.every((key, at) => path[at] === key);
}

export function isSame(left: TomlPath, right: TomlPath): boolean {
  return left.length === right.length && isUnder(left, right);
}

const BLANK = /(?:[ \t\r\n]|#[^\n]*)*/y;
const KEY = /[ \t]*("(?:\\.|[^"\\\n])*"|'[^'\n]*'|[\w-]+)[ \t]*/y;
/** Strings first, since all the other signs mean nothing within them. Up to two quotes may stand before the closing three. */
const VALUE_TOKEN =
  /"""(?:\\[^]|(?!"""(?!"))[^\\])*"""|'''(?:(?!'''(?!'))[^])*'''|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|[[{]|[\]}]|\r?\n|,|[^"'#[\]{}\r\n,]+|\r/y;
const DATE = /(?:^|=)[ \t]*(\d{4}-\d{2}-\d{2})/;

class Scanner {
  readonly #text: string;
  #at = 0;
  #line = 1;
  #counted = 0;
  #header: TomlPath = [];
  /** Array of tables, as JSON of its path → index of its last element. */
  readonly #arrays = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
    if (text.startsWith("\ufeff")) this.#at = 1;
  }

  statements(): readonly Statement[] {
    const found: Statement[] = [];
    for (;;) {
      this.#take(BLANK);
      if (this.#at >= this.#text.length) return found;
      found.push(this.#text[this.#at] === "[" ? this.#headerHere() : this.#pairHere());
    }
  }

  #headerHere(): Statement {
    const from = this.#at;
    const isElement = this.#text.startsWith("[[", from);
    this.#at += isElement ? 2 : 1;
    const keys = this.#keys();
    this.#header = this.#resolve(keys, isElement);
    this.#toLineEnd();
    const place = { ...this.#place(from), value: { start: this.#at, end: this.#at }, dates: [] };
    return { kind: isElement ? "element" : "table", path: this.#header, header: this.#header, ...place };
  }

  #pairHere(): Statement {
    const from = this.#at;
    const path = [...this.#header, ...this.#keys()];
    // The "=" and the blanks behind it.
    this.#at += 1;
    this.#take(/[ \t]*/y);
    const start = this.#at;
    const { end, dates } = this.#value();
    this.#toLineEnd();
    return { kind: "pair", path, header: this.#header, ...this.#place(from), value: { start, end }, dates };
  }

  /** Stops before the comment or line end behind a value. */
  #value(): { end: number; dates: readonly string[] } {
    const dates: string[] = [];
    let depth = 0;
    let end = this.#at;
    while (this.#at < this.#text.length) {
      const before = this.#at;
      const token = this.#take(VALUE_TOKEN);
      if (depth === 0 && /^[#\r\n]/.test(token)) {
        this.#at = before;
        break;
      }
      if (token === "[" || token === "{") depth += 1;
      if (token === "]" || token === "}") depth -= 1;
      if (token.trim() !== "") end = before + token.trimEnd().length;
      const date = DATE.exec(token)?.[1];
      if (date !== undefined) dates.push(date);
    }
    return { end, dates };
  }

  #keys(): readonly string[] {
    const keys: string[] = [];
    for (;;) {
      keys.push(keyText(this.#take(KEY).trim()));
      if (this.#text[this.#at] !== ".") return keys;
      this.#at += 1;
    }
  }

  /** The path of a header's keys, through the last element of each array of tables on the way. */
  #resolve(keys: readonly string[], isElement: boolean): TomlPath {
    const path: (string | number)[] = [];
    for (const [at, key] of keys.entries()) {
      path.push(key);
      const array = JSON.stringify(path);
      const last = this.#arrays.get(array);
      const index = isElement && at === keys.length - 1 ? (last ?? -1) + 1 : last;
      if (index === undefined) continue;
      this.#arrays.set(array, index);
      path.push(index);
    }
    return path;
  }

  #toLineEnd(): void {
    const newline = this.#text.indexOf("\n", this.#at);
    this.#at = newline === -1 ? this.#text.length : newline + 1;
  }

  #place(from: number): { line: number; start: number; end: number } {
    for (let at = this.#text.indexOf("\n", this.#counted); at !== -1 && at < from;) {
      this.#line += 1;
      this.#counted = at + 1;
      at = this.#text.indexOf("\n", this.#counted);
    }
    return { line: this.#line, start: this.#text.lastIndexOf("\n", from - 1) + 1, end: this.#at };
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const token = pattern.exec(this.#text)?.[0] ?? "";
    // Valid TOML always has a token here; anything else must not hold us up.
    this.#at += token === "" && pattern === VALUE_TOKEN ? 1 : token.length;
    return token;
  }
}

function keyText(key: string): string {
  if (key.startsWith("'")) return key.slice(1, -1);
  // The escapes of a basic string are the parser's to know.
  if (!key.startsWith('"')) return key;
  const { text } = parse(`text = ${key}`);
  return typeof text === "string" ? text : key;
}
