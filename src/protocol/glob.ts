/**
 * Glob patterns over names and virtual paths. A matcher never tries combinations, and what braces may expand to is
 * limited, so that no pattern of a client costs time (attack 46).
 */
import { type ByteString, bytesOfText } from "../base/bytes.ts";
import { GLOB_ALTERNATIVES, GLOB_TOKENS } from "./limits.ts";

type Token =
  | { readonly kind: "char"; readonly char: string }
  | { readonly kind: "one" }
  | { readonly kind: "star" }
  /** `matching[octet]` is 1 for each octet that it takes. */
  | { readonly kind: "set"; readonly matching: Uint8Array }
  /** Of braces; a plain character wherever the braces are none. */
  | { readonly kind: "open" | "comma" | "close"; readonly char: string };
type Pattern = readonly Token[];

const STAR: Token = { kind: "star" };
const BRACES: Readonly<Record<string, "open" | "comma" | "close">> = { "{": "open", ",": "comma", "}": "close" };

/** Whether a pattern could match anything but its own spelling: it holds `*`, `?`, `[…]` or `{…,…}`. */
export function hasGlob(pattern: string): boolean {
  if (pattern.includes("*") || pattern.includes("?")) return true;
  const bracket = pattern.indexOf("[");
  if (bracket !== -1 && pattern.includes("]", bracket + 2)) return true;
  const brace = pattern.indexOf("{");
  const comma = brace === -1 ? -1 : pattern.indexOf(",", brace);
  return comma !== -1 && pattern.includes("}", comma);
}

/**
 * A pattern for one name: `*`, `?` (one UTF-8 character, or one octet where there is none), `[a-z]`, `[!a-z]`,
 * `{one,two}`, `\` before a character that stands for itself. A leading dot is a character like others.
 */
export function compileGlob(pattern: ByteString): (name: string) => boolean {
  const patterns = expandBraces(tokenize(pattern)).map(collapseStars);
  return (name) => patterns.some((each) => matches(each, name));
}

/**
 * A pattern of a rule over whole virtual paths. Without `/` it matches the last part at any depth. Else it is anchored
 * at the root: `*` stays within a part, a part `**` is any number of parts. At the end `**` is at least one, so that
 * `/in/**` is all that is below `/in`; only `/**` holds the root too.
 * @param pattern text of our own configuration; paths are compared as its UTF-8.
 */
export function compilePathGlob(pattern: string): (path: string) => boolean {
  const octets = bytesOfText(pattern);
  if (!octets.includes("/")) {
    const last = compileGlob(octets);
    return (path) => last(path.slice(path.lastIndexOf("/") + 1));
  }
  const patterns = expandBraces(tokenize(octets)).map(partPatterns);
  return (path) => {
    const parts = path.split("/").filter((part) => part !== "");
    return patterns.some((each) => matchesParts(each, parts));
  };
}

function tokenize(pattern: ByteString): Pattern {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern.charAt(at);
    const end = char === "[" ? endOfSet(pattern, at) : -1;
    const brace = BRACES[char];
    if (end !== -1) {
      tokens.push(setToken(pattern.slice(at + 1, end)));
      at = end;
    } else if (char === "*") tokens.push(STAR);
    else if (char === "?") tokens.push({ kind: "one" });
    else if (char === "\\" && at + 1 < pattern.length) tokens.push({ kind: "char", char: pattern.charAt(++at) });
    else if (brace !== undefined) tokens.push({ kind: brace, char });
    else tokens.push({ kind: "char", char });
  }
  return tokens;
}

/** The `]` of the set that begins at `start`; one that comes first is a member. -1 if there is none. */
function endOfSet(pattern: string, start: number): number {
  const negated = pattern[start + 1] === "!" || pattern[start + 1] === "^";
  return pattern.indexOf("]", start + (negated ? 3 : 2));
}

function setToken(content: string): Token {
  const negated = content.startsWith("!") || content.startsWith("^");
  const matching = new Uint8Array(256).fill(negated ? 1 : 0);
  for (let at = negated ? 1 : 0; at < content.length; at++) {
    const first = content.charCodeAt(at);
    const isRange = content[at + 1] === "-" && at + 2 < content.length;
    if (isRange) at += 2;
    matching.fill(negated ? 0 : 1, first, content.charCodeAt(at) + 1);
  }
  return { kind: "set", matching };
}

/** All patterns that the braces stand for; the pattern itself, with braces as characters, where that is too much. */
function expandBraces(pattern: Pattern): readonly Pattern[] {
  let patterns: readonly Pattern[] = [pattern];
  for (;;) {
    const next = patterns.flatMap((each) => expandOnce(each));
    const tokens = next.reduce((count, each) => count + each.length, 0);
    if (next.length > GLOB_ALTERNATIVES || tokens > GLOB_TOKENS) return [pattern];
    if (next.length === patterns.length) return next;
    patterns = next;
  }
}

/** The pattern with the first braces that close written out, so inner ones first; itself, alone, without any. */
function expandOnce(pattern: Pattern): readonly Pattern[] {
  /** Of each brace that is open: where it and its commas stand. */
  const open: number[][] = [];
  for (const [at, { kind }] of pattern.entries()) {
    if (kind === "open") open.push([at]);
    else if (kind === "comma") open.at(-1)?.push(at);
    else if (kind === "close") {
      const [start, ...commas] = open.pop() ?? [];
      if (start !== undefined && commas.length > 0) return alternatives(pattern, [start, ...commas, at]);
    }
  }
  return [pattern];
}

/** @param cuts where the opening brace, the commas and the closing brace stand. */
function alternatives(pattern: Pattern, cuts: readonly number[]): readonly Pattern[] {
  const before = pattern.slice(0, cuts[0]);
  const after = pattern.slice(cuts.at(-1)).slice(1);
  // One more than are allowed is enough to be refused.
  const ends = cuts.slice(1, GLOB_ALTERNATIVES + 2);
  return ends.map((end, index) => [...before, ...pattern.slice(cuts[index], end).slice(1), ...after]);
}

/** `**` matches what `*` does, but each star costs. */
function collapseStars(pattern: Pattern): Pattern {
  return pattern.filter((token, at) => token.kind !== "star" || pattern[at - 1]?.kind !== "star");
}

/** The patterns of a path's parts; "any" is `**`, any number of parts. */
type PartPattern = Pattern | "any";

function partPatterns(pattern: Pattern): readonly PartPattern[] {
  const parts: Token[][] = [[]];
  for (const token of pattern) {
    if (token.kind === "char" && token.char === "/") parts.push([]);
    else parts.at(-1)?.push(token);
  }
  const patterns = parts
    .filter((part) => part.length > 0)
    .map((part) => (part.length > 1 && part.every(({ kind }) => kind === "star") ? "any" : collapseStars(part)));
  if (patterns.at(-1) === "any" && patterns.length > 1) patterns.push([STAR]);
  return patterns.filter((part, at) => part !== "any" || patterns[at - 1] !== "any");
}

/**
 * As `matches`, a level up. When a later "any" is reached, what an earlier one took never needs to change, so going
 * back to the last one alone is enough; at worst each pattern meets each part once.
 */
function matchesParts(patterns: readonly PartPattern[], parts: readonly string[]): boolean {
  let at = 0;
  let retryAt = -1;
  let retryFrom = 0;
  for (let part = 0, text = parts[0]; text !== undefined; text = parts[part]) {
    const pattern = patterns[at];
    if (pattern === "any") {
      retryAt = at++;
      retryFrom = part;
    } else if (pattern !== undefined && matches(pattern, text)) {
      at++;
      part++;
    } else if (retryAt !== -1) {
      at = retryAt + 1;
      part = ++retryFrom;
    } else return false;
  }
  while (patterns[at] === "any") at++;
  return at === patterns.length;
}

/** One pass with the last star's place to go back to: time of name times pattern at worst, never more. */
function matches(pattern: Pattern, name: string): boolean {
  let at = 0;
  let retryAt = -1;
  let retryFrom = 0;
  for (let from = 0; from < name.length;) {
    const token = pattern[at];
    const width = token === undefined ? 0 : matchWidth(token, name, from);
    if (token?.kind === "star") {
      retryAt = at++;
      retryFrom = from;
    } else if (width > 0) {
      at++;
      from += width;
    } else if (retryAt !== -1) {
      at = retryAt + 1;
      from = ++retryFrom;
    } else return false;
  }
  // Stars are collapsed, so one at most is left.
  if (pattern[at]?.kind === "star") at++;
  return at === pattern.length;
}

/** Octets of `name` at `from` that a token takes: 0 if it does not match. */
function matchWidth(token: Token, name: string, from: number): number {
  switch (token.kind) {
    case "one":
      return characterWidth(name, from);
    case "set":
      return token.matching[name.charCodeAt(from)] === 1 ? 1 : 0;
    case "star":
      return 0;
    default:
      return token.char === name.charAt(from) ? 1 : 0;
  }
}

/** Octets of the UTF-8 character at `from`; 1 where the octets are none. */
function characterWidth(name: string, from: number): number {
  const lead = name.charCodeAt(from);
  const width = lead >= 0xf0 && lead < 0xf8 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc0 && lead < 0xe0 ? 2 : 1;
  for (let after = from + 1; after < from + width; after++) {
    const octet = name.charCodeAt(after);
    if (!(octet >= 0x80 && octet < 0xc0)) return 1;
  }
  return width;
}
