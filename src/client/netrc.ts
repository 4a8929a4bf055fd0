/** `.netrc`, in which ftp, curl and others look for logins: its grammar, the search in it, and who else may read it. */
import { open } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { text as textFrom } from "node:stream/consumers";
import { didYouMean } from "../base/nearest.ts";
import { systemCode } from "../base/system-code.ts";
import { shellWord } from "../net/tls/credential-file.ts";
import { FtpError, printable } from "./errors.ts";

/** Octets of the file: some ten thousand hosts. */
const FILE_MOST = 1_048_576;
/** Octets of one token: a command cannot carry more. */
const TOKEN_MOST = 4_096;
/** Things in the file that we tell about. */
const WARNINGS_MOST = 20;
/** Mode bits with which others can read. */
const OTHERS_READ = 0o044;
const KEYWORDS = ["machine", "default", "login", "password", "account", "macdef"] as const;
type Keyword = (typeof KEYWORDS)[number];

export type NetrcMacro = { readonly name: string; readonly lines: readonly string[] };

export type NetrcEntry = {
  /** Absent: `default`. */
  readonly machine?: string | undefined;
  readonly login?: string | undefined;
  readonly password?: string | undefined;
  readonly account?: string | undefined;
  /** Those that stand in the entry; `init` runs after the login. */
  readonly macros: readonly NetrcMacro[];
};

export type Netrc = {
  readonly entries: readonly NetrcEntry[];
  /** What could not be understood and was passed over, with its line. */
  readonly warnings: readonly string[];
};

/**
 * Reads the whole grammar: `machine`, `default`, `login`, `password`, `account`, `macdef` up to an empty line, comments where
 * a keyword may stand, tokens in quotes with backslashes. Never throws: a line that nobody understands is a warning.
 */
export function parseNetrc(text: string): Netrc {
  return new Reader(text).read();
}

/**
 * The login for a host: the first entry for it, with `user` the first of that user; else `default`, wherever it stands.
 * An entry without a login fits every user, after those that name him.
 */
export function findLogin(
  text: string,
  { host, user }: { host: string; user?: string | undefined },
): NetrcEntry | undefined {
  const { entries } = parseNetrc(text);
  const wanted = host.toLowerCase();
  const own = entries.filter(({ machine }) => machine?.toLowerCase() === wanted);
  const general = entries.filter(({ machine }) => machine === undefined);
  return fitting(own, user) ?? fitting(general, user);
}

function fitting(entries: readonly NetrcEntry[], user: string | undefined): NetrcEntry | undefined {
  if (user === undefined) return entries[0];
  return entries.find(({ login }) => login === user) ?? entries.find(({ login }) => login === undefined);
}

type Token = { readonly text: string; readonly line: number };
type Draft = { machine?: string; login?: string; password?: string; account?: string; macros: NetrcMacro[] };

/** One pass over the text. */
class Reader {
  readonly #text: string;
  readonly #entries: Draft[] = [];
  readonly #warnings: string[] = [];
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text.replace(/^\ufeff/, "").replaceAll(/\r\n?/g, "\n");
  }

  read(): Netrc {
    for (let token = this.#keyword(); token !== undefined; token = this.#keyword()) this.#take(token);
    return { entries: this.#entries, warnings: this.#warnings };
  }

  #take(token: Token): void {
    const keyword = KEYWORDS.find((known) => known === token.text);
    if (keyword === undefined) {
      const guess = didYouMean(token.text, KEYWORDS);
      // What stands here may be a piece of a password with a space in it: it is not repeated.
      return this.#warn(
        token.line,
        `there is a word that is no keyword.${guess === "" ? ' Words with spaces go in "quotes".' : guess}`,
      );
    }
    if (keyword === "default") return void this.#entries.push({ macros: [] });
    const value = this.#token();
    if (value === undefined) return this.#warn(token.line, `nothing follows "${keyword}"`);
    if (keyword === "machine") return void this.#entries.push({ machine: value.text, macros: [] });
    return this.#put(keyword, value);
  }

  #put(keyword: Exclude<Keyword, "machine" | "default">, { text, line }: Token): void {
    const entry = this.#entries.at(-1);
    if (keyword === "macdef") {
      const lines = this.#macro();
      if (entry === undefined) return this.#warn(line, `the macro "${printable(text)}" belongs to no machine`);
      return void entry.macros.push({ name: text, lines });
    }
    if (entry === undefined) return this.#warn(line, `"${keyword}" stands before any machine`);
    entry[keyword] = text;
    return undefined;
  }

  /** Where a keyword may stand, `#` begins a comment; a value may begin with it. */
  #keyword(): Token | undefined {
    this.#space();
    while (this.#text[this.#at] === "#") {
      const end = this.#text.indexOf("\n", this.#at);
      this.#at = end === -1 ? this.#text.length : end;
      this.#space();
    }
    return this.#token();
  }

  #space(): void {
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || !/\s/.test(character)) return;
      if (character === "\n") this.#line += 1;
      this.#at += 1;
    }
  }

  #token(): Token | undefined {
    this.#space();
    const line = this.#line;
    if (this.#at >= this.#text.length) return undefined;
    const text = this.#text[this.#at] === '"' ? this.#quoted() : this.#plain();
    if (text.length <= TOKEN_MOST && !text.includes("\0")) return { text, line };
    this.#warn(line, "there is a word that is too long or holds a NUL");
    return { text: "", line };
  }

  #plain(): string {
    const end = this.#text.slice(this.#at).search(/\s/);
    const text = end === -1 ? this.#text.slice(this.#at) : this.#text.slice(this.#at, this.#at + end);
    this.#at += text.length;
    return text;
  }

  /** A backslash takes the next character as it is. A line end closes what nobody has closed. */
  #quoted(): string {
    let text = "";
    for (this.#at += 1; ; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character === undefined || character === "\n") {
        this.#warn(this.#line, "a quote is not closed");
        return text;
      }
      if (character === '"') break;
      const isEscape = character === "\\" && !["\n", undefined].includes(this.#text[this.#at + 1]);
      if (isEscape) this.#at += 1;
      text += this.#text[this.#at] ?? "";
    }
    this.#at += 1;
    return text;
  }

  /** From the next line up to an empty one. */
  #macro(): readonly string[] {
    const from = this.#at;
    const rest = this.#text.slice(from);
    const end = /\n[ \t]*(?:\n|$)/.exec(rest)?.index ?? rest.length;
    this.#at += end;
    const [, ...lines] = rest.slice(0, end).split("\n");
    this.#line += lines.length;
    return lines.map((line) => line.trim());
  }

  #warn(line: number, what: string): void {
    if (this.#warnings.length < WARNINGS_MOST) this.#warnings.push(`line ${line}: ${what}`);
  }
}

export type NetrcFile = {
  readonly file: string;
  /** "" where there is no file. */
  readonly text: string;
  /** A password lies there that others of this machine can read: `warnings` says what to do. */
  readonly isExposed: boolean;
  readonly warnings: readonly string[];
};

/** `$NETRC`, else `.netrc` in the home folder; on Windows also `_netrc`. */
export function netrcPaths(
  env: Readonly<Record<string, string | undefined>>,
  { home = homedir(), platform = process.platform }: { home?: string; platform?: NodeJS.Platform } = {},
): readonly string[] {
  const named = env["NETRC"];
  if (named !== undefined && named !== "") return [named];
  return platform === "win32" ? [join(home, ".netrc"), join(home, "_netrc")] : [join(home, ".netrc")];
}

/**
 * The first of the files that is there.
 * @throws {FtpError} LOCAL_IO for one that cannot be read or is larger than `FILE_MOST`.
 */
export async function readNetrc(files: readonly string[]): Promise<NetrcFile> {
  for (const file of files) {
    try {
      return await readOne(file);
    } catch (error) {
      if (error instanceof FtpError) throw error;
      if (systemCode(error) === "ENOENT") continue;
      const why = error instanceof Error ? error.message : "";
      throw new FtpError("LOCAL_IO", `${file} cannot be read: ${why}`, { phase: "local", cause: error });
    }
  }
  return { file: files[0] ?? "", text: "", isExposed: false, warnings: [] };
}

async function readOne(file: string): Promise<NetrcFile> {
  await using handle = await open(file, "r");
  const { mode, size } = await handle.stat();
  if (size > FILE_MOST) {
    throw new FtpError("LOCAL_IO", `${file} has ${size} octets; ${FILE_MOST} are the most`, { phase: "local" });
  }
  // A pipe has no size before it is read.
  const text = await textFrom(handle.createReadStream({ end: FILE_MOST - 1, autoClose: false, encoding: "utf8" }));
  const { entries, warnings } = parseNetrc(text);
  const isExposed = process.platform !== "win32" && (mode & OTHERS_READ) !== 0 && entries.some(holdsSecret);
  const exposed = isExposed
    ? [`${file}: others on this machine can read the passwords in it; run: chmod 600 ${shellWord(file)}`]
    : [];
  return { file, text, isExposed, warnings: [...exposed, ...warnings.map((warning) => `${file}, ${warning}`)] };
}

/** The password of an anonymous login is a mail address at most. */
function holdsSecret({ login, password, account }: NetrcEntry): boolean {
  if (account !== undefined) return true;
  return password !== undefined && login !== "anonymous" && login !== "ftp";
}
