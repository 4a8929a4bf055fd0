/** The door as a reload leaves it: logins that have begun end where they began, new ones ask the new stores. */
import type { Account, AccountStore } from "../account/account.ts";
import { type Login, createLogin } from "../account/login.ts";
import type { Passwords } from "../account/passwords.ts";

export type Accounts = { readonly stores: readonly AccountStore[]; readonly passwords: Passwords };

export class CurrentLogin implements Login {
  #login: Login;

  constructor(accounts: Accounts) {
    this.#login = createLogin(accounts.stores, { passwords: accounts.passwords });
  }

  change({ stores, passwords }: Accounts): void {
    this.#login = createLogin(stores, { passwords });
  }

  authenticate: Login["authenticate"] = async (attempt) => this.#login.authenticate(attempt);
  vouchFor: Login["vouchFor"] = async (attempt) => this.#login.vouchFor(attempt);
  guest = (): Account | undefined => this.#login.guest?.();
  spendTime: Login["spendTime"] = async (attempt) => this.#login.spendTime(attempt);
}
