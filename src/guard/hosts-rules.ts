/** The lines of hosts.allow and hosts.deny: which of them concern us, what they decide, and what is wrong with them. */
import { shown } from "./cidr.ts";
import {
  type Match,
  type Pattern,
  type PatternLists,
  any,
  exceptions,
  isLike,
  parsePattern,
  wordLists,
} from "./hosts-patterns.ts";

export type HostsRule = {
  readonly clients: PatternLists;
  /** A match lets in; otherwise it refuses. */
  readonly opens: boolean;
  /** `hosts.deny:3`. */
  readonly where: string;
};
export type HostsProblem = {
  /** An error stands in a file that denies: what it was to keep out is not known, so nobody gets past it. */
  readonly severity: "warning" | "error";
  readonly line: number;
  /** With the file and the line. */
  readonly text: string;
};
export type HostsRules = { readonly rules: readonly HostsRule[]; readonly problems: readonly HostsProblem[] };

export type RuleTerms = {
  /** The file is hosts.allow: its rules open unless they say `deny`. */
  readonly opens: boolean;
  /** Our names. */
  readonly daemons: readonly string[];
};

/** Logical lines of one file; more are no list of rules. */
const MOST_LINES = 10_000;
/** Problems that are told; the rest is more of the same. */
const MOST_PROBLEMS = 100;
/** Options that change how a wrapped daemon is started, not who may come in: nothing to do for us. */
const HARMLESS: ReadonlySet<string> = new Set([
  "severity",
  "keepalive",
  "linger",
  "nice",
  "rfc931",
  "setenv",
  "umask",
  "user",
  "group",
  "banners",
]);
const EVERYONE: PatternLists = [[{ kind: "all" }]];

type Line = { readonly number: number; readonly text: string };
type Draft = HostsRules & { readonly rules: HostsRule[]; readonly problems: HostsProblem[] };

export function parseHostsRules(file: { readonly name: string; readonly text: string }, terms: RuleTerms): HostsRules {
  const draft: Draft = { rules: [], problems: [] };
  const lines = logicalLines(file.text);
  for (const line of lines.slice(0, MOST_LINES)) takeLine(draft, line, { ...terms, name: file.name });
  if (lines.length > MOST_LINES) {
    const more = lines[MOST_LINES];
    if (more !== undefined) broken(draft, more, { ...terms, name: file.name, what: `more than ${MOST_LINES} rules` });
  }
  return draft;
}

type FileTerms = RuleTerms & { readonly name: string };

function takeLine(draft: Draft, line: Line, terms: FileTerms): void {
  const [daemons = "", clients, ...options] = fieldsOf(line.text);
  if (clients === undefined) {
    broken(draft, line, { ...terms, what: 'no ":" between daemons and clients; write DAEMONS : CLIENTS' });
    return;
  }
  const lists = wordLists(clients);
  if ([...wordLists(daemons), ...lists].some((list) => list.length === 0)) {
    broken(draft, line, { ...terms, what: "a list is empty; write DAEMONS : CLIENTS, and something behind EXCEPT" });
    return;
  }
  const concerned = concerns(daemons, terms);
  if (concerned === "no") return;
  const patterns = lists.map((list) => list.map(parsePattern));
  const decision = decisionOf(options, terms.opens);
  const found = [
    ...(concerned === "unknown"
      ? [`"${shown(daemons.trim())}": which of our addresses is meant is not looked at`]
      : []),
    ...patterns.flat().flatMap(problemOf),
  ];
  for (const text of found) note(draft, line, { ...terms, severity: terms.opens ? "warning" : "error", text });
  for (const text of decision.problems) note(draft, line, { ...terms, severity: "warning", text });
  const opens = decision.opens;
  if (opens && (!decision.mayOpen || concerned === "unknown")) return;
  draft.rules.push({ clients: patterns, opens, where: `${terms.name}:${line.number}` });
}

/** An unreadable line opens nothing in a file that allows, and lets nobody past in one that denies. */
function broken(draft: Draft, line: Line, { what, ...terms }: FileTerms & { readonly what: string }): void {
  const outcome = terms.opens ? "it lets nobody in" : "it refuses everyone until it is put right";
  note(draft, line, { ...terms, severity: terms.opens ? "warning" : "error", text: `${what}; ${outcome}` });
  if (!terms.opens) draft.rules.push({ clients: EVERYONE, opens: false, where: `${terms.name}:${line.number}` });
}

type Note = FileTerms & { readonly severity: HostsProblem["severity"]; readonly text: string };

function note(draft: Draft, { number }: Line, { name, severity, text }: Note): void {
  if (draft.problems.length < MOST_PROBLEMS)
    draft.problems.push({ severity, line: number, text: `${name}:${number}: ${text}` });
}

/** Lines ended by a backslash go on in the next one; empty ones and comments are left out. */
function logicalLines(text: string): readonly Line[] {
  const lines: Line[] = [];
  let open: Line | undefined;
  for (const [at, raw] of text.split("\n").entries()) {
    const part = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    const goesOn = part.endsWith("\\");
    const content = goesOn ? part.slice(0, -1) : part;
    open = { number: open?.number ?? at + 1, text: (open?.text ?? "") + content };
    if (goesOn) continue;
    lines.push(open);
    open = undefined;
  }
  if (open !== undefined) lines.push(open);
  return lines.filter((line) => !/^\s*(?:#|$)/.test(line.text));
}

/** Cuts at colons that stand outside of brackets and behind no backslash. */
function fieldsOf(text: string): readonly string[] {
  const fields = [""];
  let bracketed = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === "[") bracketed = true;
    else if (char === "]") bracketed = false;
    if (char === ":" && !bracketed) fields.push("");
    else if (char === "\\" && text[at + 1] === ":") fields.push(`${fields.pop()}${text[++at]}`);
    else fields.push(`${fields.pop()}${char}`);
  }
  return fields;
}

/**
 * Whether a daemon list means us. We answer to several names: an opening rule that excepts one of them does not open.
 */
function concerns(text: string, { opens, daemons }: RuleTerms): Match {
  const lists = wordLists(text);
  const outcomes = daemons.map((name) =>
    exceptions(lists.map((list) => any(list.map((word) => isDaemon(word, name))))),
  );
  const excepted = opens && lists.length > 1 && outcomes.includes("no");
  return excepted ? "no" : any(outcomes);
}

function isDaemon(word: string, name: string): Match {
  const [daemon = "", host] = word.toLowerCase().split("@");
  if (daemon !== "all" && !isLike(name, daemon)) return "no";
  return host === undefined ? "yes" : "unknown";
}

type Decision = { readonly opens: boolean; readonly mayOpen: boolean; readonly problems: readonly string[] };

/** The options behind the clients (hosts_options), the last of which may turn the rule round. */
function decisionOf(options: readonly string[], fileOpens: boolean): Decision {
  const problems: string[] = [];
  let opens = fileOpens;
  let mayOpen = true;
  for (const option of options) {
    const [word = ""] = option.trim().toLowerCase().split(/[\s=]/);
    if (word === "allow" || word === "deny") opens = word === "allow";
    else if (word === "twist") {
      problems.push("twist runs no program here; whom it matches is refused");
      opens = false;
    } else if (HARMLESS.has(word)) problems.push(`the option "${word}" has no meaning here and is left out`);
    else {
      mayOpen = false;
      const what =
        word === "spawn" ? "spawn runs no program here" : `"${shown(option.trim())}" is no option known here`;
      problems.push(`${what}; the rule lets nobody in`);
    }
  }
  return { opens, mayOpen, problems };
}

function problemOf(pattern: Pattern): readonly string[] {
  if (pattern.kind === "unknown") return [pattern.problem];
  if (pattern.kind !== "local") return [];
  return ["LOCAL means this machine alone here: names are not looked up"];
}
