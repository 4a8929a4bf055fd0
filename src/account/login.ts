/** The door: asks the stores in turn, and lets nobody tell an unknown name from a wrong password (attack 36). */
import {
  type Account,
  AccountError,
  AccountsBusy,
  type AccountStore,
  type LoginAttempt,
  type Verdict,
} from "./account.ts";
import type { ByteString } from "../base/bytes.ts";
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
  /** Takes the time of a password check, for an answer that must not be told from one. @returns false when too many wait. */
  spendTime(password: ByteString): Promise<boolean>;
  /** The account that each guest gets, if that is known without asking: no store that comes first could say otherwise. */
  guest?(): Account | undefined;
}

export type LoginOptions = {
  /** Those of the stores, so that a name that is in none of them takes the time of one that is. */
  readonly passwords?: Passwords;
};

export function createLogin(stores: readonly AccountStore[], { passwords = PASSWORDS }: LoginOptions = {}): Login {
  return {
    guest: () => stores.find((store) => store.hasNoGuests !== true)?.guest,
    async authenticate(attempt) {
      try {
        const result = await ask(stores, async (store) => store.authenticate(attempt));
        if (result.checked) return result.verdict;
        await passwords.verifyAgainstNothing(attempt.password);
        return result.verdict;
      } catch (error) {
        if (error instanceof AccountsBusy) return { kind: "busy" };
        throw error;
      }
    },
    async vouchFor(attempt) {
      const { verdict } = await ask(stores, async (store) => store.vouchFor?.(attempt) ?? { kind: "unknown" });
      return verdict;
    },
    async spendTime(password) {
      try {
        await passwords.verifyAgainstNothing(password);
        return true;
      } catch (error) {
        if (error instanceof AccountsBusy) return false;
        throw error;
      }
    },
  };
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
