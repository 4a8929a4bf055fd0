/** Accounts of a users file, read again whenever it has changed. */
import { open, stat } from "node:fs/promises";
import type { ByteString } from "../base/bytes.ts";
import { AccountError, type AccountStore, type LoginAttempt, type Verdict } from "./account.ts";
import { homeProblem } from "./homes.ts";
import { nameOfClient } from "./names.ts";
import { PASSWORDS, type Passwords } from "./passwords.ts";
import { USERS_FILE_LIMIT, type User, type Users, accountOf, findingLines, parseUsers } from "./users-toml.ts";

/**
 * Milliseconds that a file must have been at rest before its times are believed: within one tick of a coarse clock
 * (2 s on FAT, 4 ms on ext4) two contents can have the same time, size and number.
 */
const SETTLED_MS = 2_000;

/** The rights to write for others, in a file's mode. */
const OTHERS_WRITE = 0o002;

export type FileAccountsOptions = {
  /** Of accounts without a home in the file: absolute. Absent: they are refused. */
  readonly defaultHome?: string;
  readonly passwords?: Passwords;
  /** Milliseconds since 1970 UTC. */
  readonly now?: () => number;
};

/** The users of a file. @throws {AccountError} when it cannot be read, is broken as a whole, or anyone may write it. */
export async function readUsers(file: string): Promise<Users> {
  return (await load(file)).users;
}

/** A file that is missing or broken refuses every login, and says why in the log, until it is mended. */
export function createFileAccounts(file: string, options: FileAccountsOptions = {}): AccountStore {
  return new FileAccounts(file, options);
}

class FileAccounts implements AccountStore {
  readonly name = "file";
  readonly #file: string;
  readonly #home: string | undefined;
  readonly #passwords: Passwords;
  readonly #now: () => number;
  #loaded: Loaded | undefined;
  /** Loads follow one another: each login sees the file as it was after the login began, and one text is in memory. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: string, { defaultHome, passwords = PASSWORDS, now = Date.now }: FileAccountsOptions) {
    this.#file = file;
    this.#home = defaultHome;
    this.#passwords = passwords;
    this.#now = now;
  }

  async authenticate({ name, password }: LoginAttempt): Promise<Verdict> {
    const user = await this.#find(name);
    if (user === undefined) return { kind: "unknown" };
    if (!(await this.#passwords.verify(user.password, password))) return { kind: "refused", reason: "wrong password" };
    return await this.#admit(user);
  }

  async vouchFor({ name }: Omit<LoginAttempt, "password">): Promise<Verdict> {
    const user = await this.#find(name);
    return user === undefined ? { kind: "unknown" } : await this.#admit(user);
  }

  /** @throws {AccountError} for an account that is written wrong. */
  async #find(name: ByteString): Promise<User | undefined> {
    const text = nameOfClient(name);
    const entry = text === undefined ? undefined : (await this.#users()).get(text);
    if (entry?.kind === "malformed") throw new AccountError(findingLines(this.#file, entry.findings).join("; "));
    return entry?.user;
  }

  /** What is asked only after the right password came, so that nobody else learns of it by the time. */
  async #admit(user: User): Promise<Verdict> {
    if (user.disabled) return { kind: "refused", reason: "the account is disabled" };
    if (user.expires !== undefined && user.expires.getTime() <= this.#now()) {
      return { kind: "refused", reason: `the account expired on ${user.expires.toISOString()}` };
    }
    const account = accountOf(user, this.#home);
    const problem = await homeProblem(account.home);
    return problem === undefined ? { kind: "accepted", account } : { kind: "refused", reason: problem };
  }

  async #users(): Promise<Users> {
    const loading = this.#last.then(async () => {
      if (this.#loaded === undefined || !(await isUnchanged(this.#file, this.#loaded))) {
        this.#loaded = undefined;
        this.#loaded = await load(this.#file);
        this.#passwords.resemble(this.#file, hashesOf(this.#loaded.users));
      }
      return this.#loaded.users;
    });
    this.#last = loading.catch(() => {});
    return await loading;
  }
}

function hashesOf(users: Users): readonly string[] {
  return [...users.values()].flatMap((entry) => (entry.kind === "good" ? [entry.user.password] : []));
}

type Stamp = {
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly size: bigint;
  readonly ino: bigint;
  readonly dev: bigint;
};
type Loaded = { readonly users: Users; readonly stamp: Stamp; readonly settled: boolean };

async function isUnchanged(file: string, { stamp, settled }: Loaded): Promise<boolean> {
  if (!settled) return false;
  try {
    const { mtimeNs, ctimeNs, size, ino, dev } = await stat(file, { bigint: true });
    return (
      mtimeNs === stamp.mtimeNs &&
      ctimeNs === stamp.ctimeNs &&
      size === stamp.size &&
      ino === stamp.ino &&
      dev === stamp.dev
    );
  } catch {
    // Loading will say what is wrong.
    return false;
  }
}

async function load(file: string): Promise<Loaded> {
  try {
    await using handle = await open(file, "r");
    const stamp = await handle.stat({ bigint: true });
    if (!stamp.isFile()) throw new AccountError(`${file}: not a file`);
    if (stamp.size > USERS_FILE_LIMIT) throw new AccountError(`${file}: larger than ${USERS_FILE_LIMIT} octets`);
    // Windows has no such bits and reports them all.
    if (process.platform !== "win32" && (Number(stamp.mode) & OTHERS_WRITE) !== 0) {
      throw new AccountError(`${file}: everyone may write it, so nothing in it is believed; run: chmod o-w ${file}`);
    }
    const users = parseUsers(await handle.readFile("utf8"), file);
    return { users, stamp, settled: Date.now() - Number(stamp.ctimeMs) > SETTLED_MS };
  } catch (error) {
    if (error instanceof AccountError) throw error;
    throw new AccountError(`${file}: ${whyUnreadable(error)}`, { cause: error });
  }
}

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES" || code === "EPERM") return "no right to read it";
  return typeof code === "string" ? `cannot be read (${code})` : "cannot be read";
}
