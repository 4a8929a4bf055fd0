/**
 * What a mirror looks at. Rules are tried in order and the last one that matches decides, so that an exception follows
 * what it is an exception of. What matches none is included, unless the first rule includes: then it is left out, but
 * folders are still gone through. An excluded folder is not gone into.
 */
import { bytesOfText } from "../../base/bytes.ts";
import { compilePathGlob } from "../../protocol/glob.ts";
import { type FtpError, usageError } from "../errors.ts";
import { PATTERN_LENGTH } from "../limits.ts";
import { RULES_OCTETS } from "./limits.ts";
import type { Item } from "./side.ts";

/**
 * A glob without `/` matches the last part of a path at any depth; with one the path from the mirrored folder, where
 * `**` is any number of parts. A glob that ends in `/` matches folders alone. A regular expression is tried on the path
 * from the mirrored folder; that of a folder ends in `/`.
 */
export type FilterRule =
  | { readonly action: "include" | "exclude"; readonly glob: string }
  | { readonly action: "include" | "exclude"; readonly regex: string | RegExp };

export type FilterSpec = {
  readonly rules?: readonly FilterRule[] | undefined;
  /** Octets, of files. */
  readonly minSize?: number | undefined;
  readonly maxSize?: number | undefined;
  /** Milliseconds since a file was changed, when the mirror begins. */
  readonly minAgeMs?: number | undefined;
  readonly maxAgeMs?: number | undefined;
};

export interface Filter {
  /** Whether a path is looked at. */
  takes(path: string, item: Pick<Item, "type" | "size" | "modified">): boolean;
}

type Matcher = { readonly includes: boolean; readonly matches: (path: string, isFolder: boolean) => boolean };

/** @param now milliseconds since 1970, for ages. @throws {FtpError} USAGE for a pattern that is none. */
export function compileFilter(spec: FilterSpec = {}, now: number = Date.now()): Filter {
  const matchers = (spec.rules ?? []).map(compileRule);
  const [first] = matchers;
  const takesRest = first === undefined || !first.includes;
  return {
    takes(path, item) {
      const isFolder = item.type === "directory";
      const rule = matchers.findLast(({ matches }) => matches(path, isFolder));
      if (!(rule?.includes ?? (takesRest || isFolder))) return false;
      return item.type !== "file" || fits(spec, item, now);
    },
  };
}

function compileRule(rule: FilterRule): Matcher {
  const includes = rule.action === "include";
  const source = "glob" in rule ? rule.glob : typeof rule.regex === "string" ? rule.regex : rule.regex.source;
  if (source === "" || source.length > PATTERN_LENGTH) {
    throw wrongPattern(source, source === "" ? "it is empty" : `it has more than ${PATTERN_LENGTH} characters`);
  }
  if ("glob" in rule) {
    const isForFolders = source.endsWith("/");
    const glob = compilePathGlob(isForFolders ? source.replace(/\/+$/, "") : source);
    return { includes, matches: (path, isFolder) => (isFolder || !isForFolders) && glob(bytesOfText(path)) };
  }
  const regex = compileRegex(rule.regex);
  return { includes, matches: (path, isFolder) => regex.test(isFolder ? `${path}/` : path) };
}

function compileRegex(regex: string | RegExp): RegExp {
  try {
    // Without g and y, whose lastIndex would make a second look at the same path differ.
    if (typeof regex === "string") return new RegExp(regex, "u");
    return new RegExp(regex.source, regex.flags.replace(/[gy]/g, ""));
  } catch (error) {
    throw wrongPattern(String(regex), error instanceof Error ? error.message : "it is no regular expression");
  }
}

function wrongPattern(source: string, why: string): FtpError {
  return usageError(`The filter pattern "${source.slice(0, 80)}" cannot be used: ${why}.`);
}

/** What does not say its size or time is taken: leaving it out would remove or miss it by chance. */
function fits(spec: FilterSpec, { size, modified }: Pick<Item, "size" | "modified">, now: number): boolean {
  if (size !== undefined && (size < (spec.minSize ?? 0) || size > (spec.maxSize ?? Infinity))) return false;
  if (modified === undefined) return true;
  const age = now - modified.ms;
  return age >= (spec.minAgeMs ?? -Infinity) && age <= (spec.maxAgeMs ?? Infinity);
}

/**
 * The rules of a file's text, one a line: `+ glob` includes, `- glob` excludes, `+~ regex` and `-~ regex` do so by regular
 * expression. A line without a sign excludes. Empty lines and those that begin with `#` say nothing.
 * @throws {FtpError} USAGE for more than `RULES_OCTETS` characters.
 */
export function rulesFromText(text: string): readonly FilterRule[] {
  if (text.length > RULES_OCTETS) {
    throw usageError(`A file of filter rules may have ${RULES_OCTETS} octets at most.`);
  }
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, sign = "-", tilde = "", pattern = line] = /^([+-])(~?)\s+(.+)$/.exec(line) ?? [];
      const action = sign === "+" ? "include" : "exclude";
      return tilde === "" ? { action, glob: pattern } : { action, regex: pattern };
    });
}
