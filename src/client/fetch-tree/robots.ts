/** robots.txt (RFC 9309): which paths of a host a crawler is asked to leave alone. */
import { ROBOTS_RULES } from "./limits.ts";

type Rule = { readonly isAllowed: boolean; readonly pattern: string };

/** Our product token (RFC 9309 §2.2.1). */
const TOKEN = "ferryman";

export class Robots {
  readonly #rules: readonly Rule[];

  private constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  /** What holds where there is no such file (RFC 9309 §2.3.1.3), and where it cannot be had (§2.3.1.4). */
  static readonly all: Robots = new Robots([]);
  static readonly none: Robots = new Robots([{ isAllowed: false, pattern: "/" }]);

  /** The group for us, else that for everybody; groups of the same name are one (RFC 9309 §2.2.1). */
  static read(text: string): Robots {
    const groups = new Map<string, Rule[]>();
    let current: Rule[][] = [];
    let isNaming = false;
    let count = 0;
    for (const line of text.split(/\r\n|\r|\n/)) {
      const [name, value] = fieldOf(line);
      if (name === "user-agent") {
        const agent = value.toLowerCase();
        if (agent !== TOKEN && agent !== "*") {
          if (!isNaming) current = [];
        } else {
          const group = groups.get(agent) ?? [];
          groups.set(agent, group);
          current = isNaming ? [...current, group] : [group];
        }
        isNaming = true;
      } else if (name === "allow" || name === "disallow") {
        isNaming = false;
        // An empty Disallow allows all.
        if (value === "" || (count += 1) > ROBOTS_RULES) continue;
        for (const group of current) group.push({ isAllowed: name === "allow", pattern: encoded(value) });
      }
    }
    return new Robots(groups.get(TOKEN) ?? groups.get("*") ?? []);
  }

  /** The longest pattern that fits decides, and of two that are as long the one that allows (RFC 9309 §2.2.2). */
  allows({ pathname, search }: URL): boolean {
    const path = `${pathname}${search}`;
    if (path === "/robots.txt") return true;
    let best: Rule | undefined;
    for (const rule of this.#rules) {
      if (best !== undefined && rule.pattern.length < best.pattern.length) continue;
      if (best !== undefined && rule.pattern.length === best.pattern.length && !rule.isAllowed) continue;
      if (fits(rule.pattern, path)) best = rule;
    }
    return best?.isAllowed ?? true;
  }
}

/** `Name: value # comment`. */
function fieldOf(line: string): readonly [name: string, value: string] {
  const [text = ""] = line.split("#", 1);
  const colon = text.indexOf(":");
  return colon === -1 ? ["", ""] : [text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim()];
}

function encoded(pattern: string): string {
  return pattern.replaceAll(/[^\0-\x7f]+/g, (text) => encodeURIComponent(text.toWellFormed()));
}

/** `*` is any text, `$` at the end the end (RFC 9309 §2.2.3). Pieces are looked for from left to right: no backtracking. */
function fits(pattern: string, path: string): boolean {
  const isWhole = pattern.endsWith("$");
  const pieces = (isWhole ? pattern.slice(0, -1) : pattern).split("*");
  const [first = "", ...rest] = pieces;
  if (!path.startsWith(first)) return false;
  let at = first.length;
  for (const [index, piece] of rest.entries()) {
    if (isWhole && index === rest.length - 1) return path.length - piece.length >= at && path.endsWith(piece);
    const found = path.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return !isWhole || at === path.length;
}
