/** Accounts given to the program itself, by `--user` or by a library's user: no file, passwords kept as hashes alone. */
import { isAbsolute, resolve } from "node:path";
import { type ByteString, bytesOfText } from "../base/bytes.ts";
import { type Account, AccountError, type AccountStore, type Verdict } from "./account.ts";
import { homeProblem } from "./homes.ts";
import { isGuestName, nameOfClient, nameProblem } from "./names.ts";
import { PASSWORDS, PASSWORD_LIMIT, type Passwords } from "./passwords.ts";
import { parseRights } from "./rights.ts";

export type FixedAccount = { readonly account: Account; readonly password: ByteString };

/**
 * Reads `NAME:PASSWORD[:DIR[:RIGHTS]]`: DIR from the working folder, RIGHTS as in a users file, "full" if absent.
 * @param folder the home where no DIR is given: absolute.
 * @throws {AccountError} that says what is wrong, without the password.
 */
export function parseFixedAccount(text: string, folder: string): FixedAccount {
  const [name = "", password, home = "", rights = "full", ...rest] = text.split(":");
  const problem = nameProblem(name);
  if (problem !== undefined) throw new AccountError(`the name ${problem}. ${FORM}`);
  const wrong = (what: string): AccountError => new AccountError(`${name}: ${what}`);
  if (password === undefined || password === "") throw wrong(`the password is missing. ${FORM}`);
  if (Buffer.byteLength(password) > PASSWORD_LIMIT) throw wrong(`the password is longer than ${PASSWORD_LIMIT} octets`);
  if (rest.length > 0) throw wrong(`too many colons: a password that holds one needs a users file. ${FORM}`);
  if (home.includes("\0")) throw wrong("the folder holds NUL");
  try {
    const account: Account = {
      name,
      anonymous: false,
      home: home === "" ? folder : resolve(home),
      rights: parseRights(rights),
      folders: [],
      limits: {},
    };
    return { account, password: bytesOfText(password) };
  } catch (error) {
    if (error instanceof RangeError) throw wrong(error.message);
    throw error;
  }
}

const FORM = "Expected NAME:PASSWORD[:DIR[:RIGHTS]]";

/**
 * Hashes the passwords at once and keeps only the hashes, so that a login takes as long as one from a users file.
 * @throws {AccountError} for a name that no account can have, one that comes twice, or a home that is not absolute.
 */
export async function createFixedAccounts(
  users: readonly FixedAccount[],
  { passwords = PASSWORDS }: { readonly passwords?: Passwords } = {},
): Promise<AccountStore> {
  const known = new Map<string, { readonly account: Account; readonly hash: string }>();
  for (const { account, password } of users) {
    const problem = nameProblem(account.name);
    if (problem !== undefined) throw new AccountError(`the name ${problem}`);
    if (known.has(account.name)) throw new AccountError(`${account.name} is given twice`);
    if (password === "") throw new AccountError(`${account.name}: the password is missing`);
    if (!isAbsolute(account.home)) throw new AccountError(`${account.name}: the home ${account.home} is not absolute`);
    known.set(account.name, { account, hash: await passwords.hash(password) });
  }
  passwords.resemble(
    "fixed",
    [...known.values()].map(({ hash }) => hash),
  );
  return {
    name: "fixed",
    hasNoGuests: !known.keys().some(isGuestName),
    async authenticate(attempt): Promise<Verdict> {
      const user = known.get(nameOfClient(attempt.name) ?? "");
      if (user === undefined) return { kind: "unknown" };
      if (!(await passwords.verify(user.hash, attempt.password))) return { kind: "refused", reason: "wrong password" };
      return admit(user.account);
    },
    async vouchFor({ name }): Promise<Verdict> {
      const user = known.get(nameOfClient(name) ?? "");
      return user === undefined ? { kind: "unknown" } : admit(user.account);
    },
  };
}

async function admit(account: Account): Promise<Verdict> {
  const problem = await homeProblem(account.home);
  if (problem === undefined) return { kind: "accepted", account };
  return { kind: "refused", reason: `${account.name}: ${problem}` };
}
