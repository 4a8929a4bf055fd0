/** The door: asks the stores in turn, and lets nobody tell an unknown name from a wrong password (attack 36). */
import { randomBytes } from "node:crypto";
import {
  type Account,
  AccountError,
  AccountsBusy,
  type AccountStore,
  type LoginAttempt,
  type Verdict,
} from "./account.ts";
import { type ByteString, bytesOfText } from "../base/bytes.ts";
import { PASSWORDS, type Passwords } from "./passwords.ts";

export type LoginResult =
  | { readonly kind: "accepted"; readonly account: Account }
  /** For the log alone. */
  | { readonly kind: "refused"; readonly reason: string }
  /** Too many password checks wait already. */
  | { readonly kind: "busy" };

export interface Login {
  authenticate(attempt: LoginAttempt): Promise<LoginResult>;
  /** The account of a name that a client certificate has proven. */
  vouchFor(attempt: Omit<LoginAttempt, "password">): Promise<LoginResult>;
  /**
   * Takes the time of this attempt with a wrong password, for an answer that must not be told from that. The stores are
   * asked for it: names of accounts can have hashes that take different times. @returns false when too many wait.
   */
  spendTime(attempt: LoginAttempt): Promise<boolean>;
  /** The account that each guest gets, if that is known without asking: no store that comes first could say otherwise. */
  guest?(): Account | undefined;
}

export type LoginOptions = {
  /** Those of the stores, so that a name that is in none of them takes the time of one that is. */
  readonly passwords?: Passwords;
};

export function createLogin(stores: readonly AccountStore[], { passwords = PASSWORDS }: LoginOptions = {}): Login {
  const authenticate = async (attempt: LoginAttempt): Promise<LoginResult> => {
    try {
      const result = await ask(stores, async (store) => store.authenticate(attempt));
      if (!result.checked) await passwords.verifyAgainstNothing(attempt.password, attempt.name);
      return result.verdict;
    } catch (error) {
      if (error instanceof AccountsBusy) return { kind: "busy" };
      throw error;
    }
  };
  return {
    guest: () => stores.find((store) => store.hasNoGuests !== true)?.guest,
    authenticate,
    async vouchFor(attempt) {
      const { verdict } = await ask(stores, async (store) => store.vouchFor?.(attempt) ?? { kind: "unknown" });
      return verdict;
    },
    async spendTime(attempt) {
      const { kind } = await authenticate({ ...attempt, password: wrongLike(attempt.password) });
      return kind !== "busy";
    },
  };
}

/** One that nobody has, as long as the other: the time of SHA-crypt depends on the length. */
function wrongLike({ length }: ByteString): ByteString {
  return bytesOfText(randomBytes(length).toString("hex").slice(0, length));
}

/** `checked`: whether a store has spent the time of a password check (see AccountStore). */
type Asked = { readonly verdict: LoginResult; readonly checked: boolean };

async function ask(
  stores: readonly AccountStore[],
  question: (store: AccountStore) => Promise<Verdict>,
): Promise<Asked> {
  for (const store of stores) {
    try {
      const verdict = await question(store);
      if (verdict.kind !== "unknown") return { verdict, checked: true };
    } catch (error) {
      // It may have the name: whoever comes after it must not let it in (attack 40).
      if (!(error instanceof AccountError)) throw error;
      return { verdict: { kind: "refused", reason: `${store.name}: ${error.message}` }, checked: false };
    }
  }
  return { verdict: { kind: "refused", reason: "no such account" }, checked: false };
}
