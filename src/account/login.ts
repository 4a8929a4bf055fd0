/** The door: asks the stores in turn, and lets nobody tell an unknown name from a wrong password (attack 36). */
import { type Account, AccountError, type AccountStore, type LoginAttempt } from "./account.ts";

export type LoginResult =
  | { readonly kind: "accepted"; readonly account: Account }
  /** For the log alone. */
  | { readonly kind: "refused"; readonly reason: string }
  /** Too many password checks wait already. */
  | { readonly kind: "busy" };

export interface Login {
  authenticate(attempt: LoginAttempt): Promise<LoginResult>;
}

export function createLogin(stores: readonly AccountStore[]): Login {
  return {
    async authenticate(attempt) {
      for (const store of stores) {
        try {
          const verdict = await store.authenticate(attempt);
          if (verdict.kind !== "unknown") return verdict;
        } catch (error) {
          if (!(error instanceof AccountError)) throw error;
          return { kind: "refused", reason: `${store.name}: ${error.message}` };
        }
      }
      return { kind: "refused", reason: "no such account" };
    },
  };
}
