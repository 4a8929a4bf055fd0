/**
 * What a users file says: accounts by name, and for each that is wrong what is wrong with it. A broken account is kept
 * as broken, so that its login is refused and the others work; a broken file gives no account at all (attack 40).
 */
import { isAbsolute } from "node:path";
import { TomlDate, TomlError, parse } from "smol-toml";
import { z } from "zod";
import { didYouMean } from "../base/nearest.ts";
import { durationSeconds, octets } from "../base/unit-schemas.ts";
import { type Account, AccountError, type AccountLimits, type FolderRule, type Rights } from "./account.ts";
import { HASH_FORM, hashProblem } from "./hash-forms.ts";
import { nameProblem } from "./names.ts";

import { parseRights, rightsOf } from "./rights.ts";
import { type Statement, type TomlPath, isUnder, tomlStatements } from "./toml-statements.ts";

/** Octets; about 10,000 accounts, which are read in 0.2 s. More belong into a database. */
export const USERS_FILE_LIMIT = 4_194_304;
/** Folder rules of an account: each is asked for each path. */
const FOLDERS_LIMIT = 100;
/** Characters; PATH_MAX of Linux. */
const PATH_LIMIT = 4_096;
/** The bounds of the server's own options: one day, and 1 TiB a second for "no limit that matters". */
const IDLE_LIMIT = 86_400;
const RATE_LIMIT = 2 ** 40;
const SESSIONS_LIMIT = 100_000;

/** An account as the file has it. */
export type User = {
  readonly name: string;
  /** argon2id in PHC form, or one of crypt(5); never printed. */
  readonly password: string;
  /** Absolute; absent: the folder that the server serves. */
  readonly home?: string;
  readonly rights: Rights;
  readonly folders: readonly FolderRule[];
  readonly limits: AccountLimits;
  readonly disabled: boolean;
  /** From this moment on the login is refused; a date alone begins at midnight UTC. */
  readonly expires?: Date;
  /** TLS that this account needs, whatever the server asks of others. */
  readonly tls?: "require" | "require-data";
};

export type Finding = {
  readonly line: number;
  /** `users.ann.rights`. */
  readonly key: string;
  /** What is wrong and what is allowed; never a password's hash. */
  readonly problem: string;
};
export type UserEntry =
  | { readonly kind: "good"; readonly user: User }
  | { readonly kind: "malformed"; readonly name: string; readonly findings: readonly Finding[] };
export type Users = ReadonlyMap<string, UserEntry>;

/** @throws {AccountError} when the file as a whole cannot be understood. */
export function parseUsers(text: string, file: string): Users {
  const { users, ...others } = parseFile(text, file);
  const statements = tomlStatements(text);
  const [other] = Object.keys(others);
  if (other !== undefined) {
    const line = lineOf(statements, [other]);
    throw new AccountError(`${file}:${line}: ${other}: unknown key.${didYouMean(other, ["users"])} ${ALLOWED_AT_TOP}`);
  }
  if (users !== undefined && !isTable(users)) {
    throw new AccountError(`${file}:${lineOf(statements, ["users"])}: users: expected a table. ${ALLOWED_AT_TOP}`);
  }
  const byName = new Map<string, Statement[]>();
  for (const statement of statements) {
    const name = String(statement.path[1]);
    const those = byName.get(name);
    if (those === undefined) byName.set(name, [statement]);
    else those.push(statement);
  }
  const shared = statements.filter(({ path }) => path.length === 1);
  return new Map(
    Object.entries(users ?? {}).map(([name, value]) => [
      name,
      readUser(name, { value, statements: [...shared, ...(byName.get(name) ?? [])] }),
    ]),
  );
}

const ALLOWED_AT_TOP = "An account begins with [users.NAME] on a line of its own";

/** `users.toml:7: users.ann.rights: …`, one line each. */
export function findingLines(file: string, findings: readonly Finding[]): readonly string[] {
  return findings.map(({ line, key, problem }) => `${file}:${line}: ${key}: ${problem}`);
}

/** @param defaultHome of accounts that have none of their own. @throws {AccountError} when there is no home at all. */
export function accountOf(
  { name, home, rights, folders, limits, tls }: User,
  defaultHome: string | undefined,
): Account {
  const folder = home ?? defaultHome;
  if (folder === undefined) throw new AccountError(`${name} has no home, and there is no folder to serve without one`);
  return { name, anonymous: false, home: folder, rights, folders, limits, ...(tls === undefined ? {} : { tls }) };
}

function parseFile(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text, { maxDepth: 20 });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first = ""] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw new AccountError(`${file}:${error.line}:${error.column}: not TOML: ${first}`, { cause: error });
  }
}

type Written = { readonly value: unknown; readonly statements: readonly Statement[] };

function readUser(name: string, { value, statements }: Written): UserEntry {
  const path = ["users", name];
  const at = (below: TomlPath): Pick<Finding, "line" | "key"> => {
    const whole = [...path, ...below];
    return { line: lineOf(statements, whole), key: whole.map(shownKey).join(".") };
  };
  const findings: Finding[] = [];
  const problem = nameProblem(name);
  if (problem !== undefined) findings.push({ ...at([]), problem: `the name ${problem}` });
  for (const { dates, path: where } of statements) {
    const wrong = dates.find((date) => !isDate(date));
    if (wrong !== undefined) findings.push({ ...at(where.slice(2)), problem: `there is no day ${wrong}` });
  }
  const parsed = USER.safeParse(value);
  for (const issue of parsed.error?.issues ?? []) {
    for (const { below, problem: told } of problemsOf(issue)) findings.push({ ...at(below), problem: told });
  }
  if (!parsed.success || findings.length > 0) return { kind: "malformed", name, findings };
  const { home, expires, limits, tls, ...others } = parsed.data;
  return {
    kind: "good",
    user: {
      name,
      ...others,
      limits: limitsOf(limits),
      ...(home === undefined ? {} : { home }),
      ...(expires === undefined ? {} : { expires: new Date(expires) }),
      ...(tls === undefined ? {} : { tls }),
    },
  };
}

const rights = z.unknown().transform((given, context): Rights => {
  const form = `${given === undefined ? "is missing: " : ""}expected a preset like "read" or a list like ["list", "read"]`;
  const parsed = z.array(z.string(), form).safeParse(given);
  try {
    if (typeof given === "string") return parseRights(given);
    if (parsed.success) return rightsOf(parsed.data);
    context.addIssue({ code: "custom", message: parsed.error.issues[0]?.message ?? "" });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    context.addIssue({ code: "custom", message: error.message });
  }
  return z.NEVER;
});

const password = z.string(HASH_FORM).superRefine((hash, context) => {
  const problem = hashProblem(hash);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

const LIMIT_FIELDS = {
  sessions: z.int().min(1).max(SESSIONS_LIMIT).optional(),
  transfers: z.int().min(1).max(SESSIONS_LIMIT).optional(),
  "download-rate": octets({ min: 1, max: RATE_LIMIT }).optional(),
  "upload-rate": octets({ min: 1, max: RATE_LIMIT }).optional(),
  "session-download-rate": octets({ min: 0, max: RATE_LIMIT }).optional(),
  "session-upload-rate": octets({ min: 0, max: RATE_LIMIT }).optional(),
  idle: durationSeconds({ min: 1, max: IDLE_LIMIT }).optional(),
};
export const LIMIT_KEYS: readonly string[] = Object.keys(LIMIT_FIELDS);

const FOLDER_FIELDS = { pattern: z.string().min(1).max(PATH_LIMIT), rights };

const USER_FIELDS = {
  password,
  home: z
    .string()
    .max(PATH_LIMIT)
    .refine((home) => isAbsolute(home) && !home.includes("\0"), "expected an absolute path, such as /srv/ftp/ann")
    .optional(),
  rights: z.preprocess((given) => given ?? "read", rights),
  disabled: z.boolean().default(false),
  tls: z.enum(["require", "require-data"]).optional(),
  expires: z
    .instanceof(TomlDate, { error: "expected a date without quotes, such as 2027-01-31" })
    .refine((date) => date.isDate() || date.isDateTime(), "expected a date without quotes, such as 2027-01-31")
    .optional(),
  folders: z.array(z.strictObject(FOLDER_FIELDS)).max(FOLDERS_LIMIT).default([]),
  limits: z.strictObject(LIMIT_FIELDS).default({}),
};
const USER = z.strictObject(USER_FIELDS);

function limitsOf(limits: z.output<typeof USER>["limits"]): AccountLimits {
  const { sessions, transfers, idle, "download-rate": downloadRate, "upload-rate": uploadRate } = limits;
  const { "session-download-rate": sessionDownloadRate, "session-upload-rate": sessionUploadRate } = limits;
  return {
    ...(sessions === undefined ? {} : { sessions }),
    ...(transfers === undefined ? {} : { transfers }),
    ...(downloadRate === undefined ? {} : { downloadRate }),
    ...(uploadRate === undefined ? {} : { uploadRate }),
    ...(sessionDownloadRate === undefined ? {} : { sessionDownloadRate }),
    ...(sessionUploadRate === undefined ? {} : { sessionUploadRate }),
    ...(idle === undefined ? {} : { idleSeconds: idle }),
  };
}

type Told = { readonly below: TomlPath; readonly problem: string };

function problemsOf(issue: z.core.$ZodIssue): readonly Told[] {
  const below = issue.path.map((key) => (typeof key === "number" ? key : String(key)));
  if (issue.code !== "unrecognized_keys") return [{ below, problem: plainWords(issue) }];
  const known = knownKeys(below);
  return issue.keys.map((key) => ({
    below: [...below, key],
    problem: `unknown key.${didYouMean(key, known)} Known: ${known.join(", ")}`,
  }));
}

function knownKeys([table]: TomlPath): readonly string[] {
  if (table === "limits") return LIMIT_KEYS;
  return Object.keys(table === "folders" ? FOLDER_FIELDS : USER_FIELDS);
}

/** zod's "Too small: expected number to be >=1" as part of a sentence. */
function plainWords({ message }: z.core.$ZodIssue): string {
  if (message.endsWith(", received undefined"))
    return message.replace(/^Invalid input: /, "is missing: ").replace(/, received undefined$/, "");
  return message
    .replace(/^Invalid (?:input|option): /, "")
    .replace(/^Too (small|big): /, "too $1, ")
    .replace(/, received \w+$/, "");
}

/** The line of the statement that says most about `path`: the key itself, what holds it, or the first thing below it. */
function lineOf(statements: readonly Statement[], path: TomlPath): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const statement = statements.find((each) => isUnder(each.path, path.slice(0, depth)));
    if (statement !== undefined) return statement.line;
  }
  return 1;
}

function shownKey(key: string | number): string {
  return typeof key === "number" || /^[\w-]+$/.test(key) ? String(key) : JSON.stringify(key);
}

/** Whether a day like 2027-02-31 exists. */
function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
