/**
 * Scripts of the ftp.exe of Windows (`-s:FILE`): lines of words, answers in the lines that follow a command that asks. As
 * there, a failure ends nothing; unlike there, files are moved as octets unless the script says `ascii`, and the end says
 * that something failed.
 */
import { hasGlob } from "../../protocol/glob.ts";
import type { Step } from "./parse.ts";
import type { Word } from "./words.ts";

type CommandStep = Extract<Step, { readonly kind: "command" }>;

/** What ftp.exe asks for where a command was given too little. */
const ASKS: Readonly<Record<string, number>> = {
  append: 1,
  cd: 1,
  delete: 1,
  get: 1,
  literal: 1,
  mdelete: 1,
  mget: 1,
  mkdir: 1,
  mput: 1,
  open: 1,
  put: 1,
  quote: 1,
  recv: 1,
  rename: 2,
  rmdir: 1,
  send: 1,
};
/** Words that ftp.exe knows and that change nothing here. */
const IDLE = new Set(["trace", "bell", "hash", "prompt", "verbose"]);
/** Commands whose second word is a file here for what they show. */
const LISTS = new Set(["ls", "dir", "mls", "mdir", "nlist"]);
/** Commands whose words are patterns. */
const PATTERNS = new Set(["mget", "mput", "mdelete", "mls", "mdir"]);

/** The commands of ftp.exe: a beginning means one of these before it means one of ours. */
const EXE_COMMANDS: readonly string[] = (
  "append ascii bell binary bye cd close debug delete dir disconnect get glob hash help lcd literal ls mdelete mdir mget " +
  "mkdir mls mput open prompt put pwd quit quote recv remotehelp rename rmdir send status trace type user verbose"
).split(" ");
/** What finds files here: `*.*` is all of them there, with a dot or without. */
const FETCHING = new Set(["mget", "mput"]);

/** What a script wants next. */
export type ScriptAction =
  | { readonly kind: "nothing" }
  | { readonly kind: "program"; readonly program: string }
  | { readonly kind: "open"; readonly host: string; readonly port: string | undefined }
  /** Who logs in, where the server is named already. */
  | { readonly kind: "user"; readonly user: string; readonly password: string }
  | { readonly kind: "step"; readonly step: CommandStep };

export type ScriptState = {
  /** The next line, without what stands around it; undefined at the end. */
  readonly nextLine: () => string | undefined;
  /** The command that a word means, in its full name; undefined: none. */
  readonly nameOf: (word: string) => string | undefined;
  /** Whether a server is named and nobody has logged in: `quote USER` and `quote PASS` are a login then. */
  readonly isWaitingForUser: boolean;
  readonly usesGlobs: boolean;
};

/** Words at blanks; double quotes hold them together. There are no escapes: `C:\temp` is what it looks like. */
export function scriptWords(line: string): readonly string[] {
  const words: string[] = [];
  for (const [, quotedText, bare] of line.matchAll(/"([^"]*)"?|(\S+)/g)) words.push(quotedText ?? bare ?? "");
  return words;
}

/** @param line of the script. Further ones are taken where it asks for more. */
export function scriptAction(line: string, state: ScriptState): ScriptAction {
  const text = line.trim();
  if (text === "" || text.startsWith("#")) return { kind: "nothing" };
  if (text.startsWith("!")) return { kind: "program", program: text.slice(1).trim() };
  const [written = "", ...rest] = scriptWords(text);
  const given = exeName(written) ?? written;
  const name = given === "?" ? "help" : (state.nameOf(given) ?? given);
  const lower = given.toLowerCase();
  if (IDLE.has(lower) || IDLE.has(name)) return { kind: "nothing" };
  const words = completed(lower in ASKS ? lower : name, rest, state);
  return commandAction([given, ...words], { name, lower, state });
}

/** @returns undefined where ftp.exe knows none, or several. */
function exeName(written: string): string | undefined {
  const word = written.toLowerCase();
  if (word === "") return undefined;
  const likely = EXE_COMMANDS.filter((name) => name.startsWith(word));
  return likely.find((name) => name === word) ?? (likely.length === 1 ? likely[0] : undefined);
}

type Naming = { readonly name: string; readonly lower: string; readonly state: ScriptState };

function commandAction([given = "", ...words]: readonly string[], naming: Naming): ScriptAction {
  const { name, state } = naming;
  if (name === "open") return { kind: "open", host: words[0] ?? "", port: words[1] };
  if (name === "user") return userAction(words, state);
  if (name === "quote" && state.isWaitingForUser) {
    const login = quotedLogin(words, state);
    if (login !== undefined) return login;
  }
  return { kind: "step", step: stepOf([given, ...words], naming) };
}

/** With the lines that ftp.exe would read as answers. */
function completed(name: string, given: readonly string[], state: ScriptState): readonly string[] {
  const words = [...given];
  while (words.length < (ASKS[name] ?? 0)) {
    const line = state.nextLine();
    if (line === undefined) break;
    words.push(...(words.length === 0 ? scriptWords(line) : [line]));
  }
  return words;
}

function userAction(words: readonly string[], { nextLine }: ScriptState): ScriptAction {
  const user = words[0] ?? nextLine() ?? "";
  return { kind: "user", user, password: words[1] ?? nextLine() ?? "" };
}

/** `quote USER ann`, and the `quote PASS secret` behind it. */
function quotedLogin(words: readonly string[], { nextLine }: ScriptState): ScriptAction | undefined {
  const [verb = "", user = ""] = words;
  if (verb.toUpperCase() !== "USER") return undefined;
  const [first = "", second = "", password = ""] = scriptWords(nextLine() ?? "");
  const isPass = /^(?:quote|literal|quot|lit)/i.test(first) && second.toUpperCase() === "PASS";
  return { kind: "user", user, password: isPass ? password : "" };
}

function stepOf(words: readonly string[], { name, lower, state }: Naming): CommandStep {
  const isPattern = state.usesGlobs && (PATTERNS.has(lower) || PATTERNS.has(name));
  const isAll = isPattern && FETCHING.has(name);
  const made = words.map((text, at) =>
    scriptWord(isAll ? text.replace(/(^|[\\/])\*\.\*$/, "$1*") : text, at > 0 && isPattern),
  );
  // `ls FOLDER FILE` writes to the file; "-" means the screen.
  const target = (LISTS.has(lower) || LISTS.has(name)) && made.length > 2 ? made.at(-1) : undefined;
  if (target === undefined) return { kind: "command", joiner: "always", ignoresFailure: false, words: made };
  const shown = made.slice(0, -1);
  const redirect = target.text === "-" ? undefined : { file: target, isAppend: false };
  return { kind: "command", joiner: "always", ignoresFailure: false, words: shown, redirect };
}

function scriptWord(text: string, isPattern: boolean): Word {
  const pattern = isPattern ? text.replaceAll("\\", "\\\\") : text.replace(/[*?[\]{},\\~]/g, "\\$&");
  return { text, pattern, isGlob: isPattern && hasGlob(text), isHome: false, start: 0, end: 0, open: "" };
}
