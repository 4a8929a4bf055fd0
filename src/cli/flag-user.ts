/** Accounts of `--user NAME:PASSWORD[:DIR[:RIGHTS]]`: for a try, because anyone on the machine can see the password. */
import { createHash, timingSafeEqual } from "node:crypto";
import { resolve } from "node:path";
import {
  type Account,
  type AccountStore,
  type LoginAttempt,
  RIGHTS,
  type Right,
  type Verdict,
} from "../account/account.ts";
import { type ByteString, bytesOfText, octetsOf } from "../base/bytes.ts";
import { didYouMean } from "../base/nearest.ts";
import { CliError, EXIT } from "./exit.ts";

export type FlagUser = { readonly account: Account; readonly password: ByteString };

/** Words for many rights at once. */
const SETS: Readonly<Record<string, readonly Right[]>> = {
  all: RIGHTS,
  read: ["list", "read"],
  drop: ["write", "mkdir"],
};
/** What an account name may hold: it stands in logs, paths and on the command line (attacks 22, 33). */
const NAME = /^[^\s/\\:\p{Cc}]{1,64}$/u;

/**
 * @param folder the home of a user without a DIR.
 * @throws {CliError} which never repeats the password.
 */
export function parseFlagUser(text: string, folder: string): FlagUser {
  const [name = "", password = "", home = "", rights = "all", ...rest] = text.split(":");
  if (!NAME.test(name) || name === "." || name === "..") {
    throw new CliError(
      "--user: the name must not be empty, `..`, or hold spaces, slashes or control signs",
      EXIT.usage,
    );
  }
  if (password === "" || rest.length > 0) {
    const why = password === "" ? "the password is missing" : "too many colons; a password with one needs a users file";
    throw new CliError(`--user ${name}:…: ${why}. Write NAME:PASSWORD[:DIR[:RIGHTS]]`, EXIT.usage);
  }
  const account: Account = {
    name,
    anonymous: false,
    home: home === "" ? folder : resolve(home),
    rights: new Set(rights.split(",").flatMap((word) => parseRight(name, word))),
    folders: [],
    limits: {},
  };
  return { account, password: bytesOfText(password) };
}

function parseRight(name: string, word: string): readonly Right[] {
  const set = Object.hasOwn(SETS, word) ? SETS[word] : undefined;
  const right = RIGHTS.find((each) => each === word);
  if (set !== undefined) return set;
  if (right !== undefined) return [right];
  const words = [...Object.keys(SETS), ...RIGHTS];
  const known = `Known: ${words.join(", ")}`;
  throw new CliError(`--user ${name}:…: no right "${word}".${didYouMean(word, words)} ${known}`, EXIT.usage);
}

/** A store over such accounts. Names and passwords are compared as digests, so that the time says nothing. */
export class FlagUsers implements AccountStore {
  readonly name = "--user";
  readonly #users: readonly (FlagUser & { readonly digest: Buffer })[];

  constructor(users: readonly FlagUser[]) {
    this.#users = users.map((user) => ({ ...user, digest: digestOf(bytesOfText(user.account.name), user.password) }));
  }

  async authenticate({ name, password }: LoginAttempt): Promise<Verdict> {
    const given = digestOf(name, password);
    const known = this.#users.find(({ account }) => bytesOfText(account.name) === name);
    if (known === undefined) return { kind: "unknown" };
    if (!timingSafeEqual(known.digest, given)) return { kind: "refused", reason: "wrong password" };
    return { kind: "accepted", account: known.account };
  }
}

function digestOf(name: ByteString, password: ByteString): Buffer {
  return createHash("sha256").update(octetsOf(name)).update("\0").update(octetsOf(password)).digest();
}
