/** The account port: who may come in, and what an account is once it has. */
import type { ByteString } from "../base/bytes.ts";

/** What one may do, each a fact that a command states and a rule grants. `meta` = times, modes; `site` = SITE verbs that change. */
export const RIGHTS = [
  "list",
  "read",
  "write",
  "append",
  "overwrite",
  "delete",
  "rename",
  "mkdir",
  "meta",
  "site",
] as const;
export type Right = (typeof RIGHTS)[number];
export type Rights = ReadonlySet<Right>;

/** Rights below a folder. The first rule whose pattern matches decides; none: the account's own rights. */
export type FolderRule = {
  /** A glob over virtual paths: `/incoming`, `/incoming/**`, `*.exe`. Without `/` it matches the last part. UTF-8 text. */
  readonly pattern: string;
  readonly rights: Rights;
};

/** What an account may use; undefined = the server's own limit holds. Later issues add fields, never change one. */
export type AccountLimits = {
  /** Sessions at once. */
  readonly sessions?: number;
  /** Transfers at once, over all its sessions. */
  readonly transfers?: number;
  /** Octets per second, of all its sessions together; a listing counts as a download. */
  readonly downloadRate?: number;
  readonly uploadRate?: number;
  /** Octets per second of each session, instead of what the server is set to; 0: no limit. */
  readonly sessionDownloadRate?: number;
  readonly sessionUploadRate?: number;
  /** Seconds without a command or a transfer's octet before 421. */
  readonly idleSeconds?: number;
};

export type Account = {
  /** As the log and `who` show it. */
  readonly name: string;
  readonly anonymous: boolean;
  /** The folder of the host that is this account's `/`: absolute. */
  readonly home: string;
  readonly rights: Rights;
  readonly folders: readonly FolderRule[];
  readonly limits: AccountLimits;
  /** TLS that this account needs whatever the server asks of others: for its login, or for its data too. */
  readonly tls?: "require" | "require-data";
};

export type Verdict =
  | { readonly kind: "accepted"; readonly account: Account }
  /** No such name here: the next store is asked. */
  | { readonly kind: "unknown" }
  /** `reason` is for our log alone; the client hears one text for all of these. */
  | { readonly kind: "refused"; readonly reason: string };

export type LoginAttempt = {
  readonly name: ByteString;
  readonly password: ByteString;
  /** The client's address. */
  readonly from: string;
};

/**
 * One source of accounts. Stores are asked in the configured order until one does not say "unknown".
 * A store that cannot tell (its file is broken, its server is away) throws AccountError: the login is refused,
 * never passed on (attack 40). "accepted" and "refused" come after one check of a password, so that `login.ts` can give
 * "unknown" and AccountError the time of one too (attack 36). @throws {AccountError} @throws {AccountsBusy}
 */
export interface AccountStore {
  readonly name: string;
  authenticate(attempt: LoginAttempt): Promise<Verdict>;
  /**
   * The same for a name whose proof was checked elsewhere, by a client certificate. A store without it has no account
   * that can be had so. @throws {AccountError}
   */
  vouchFor?(attempt: Omit<LoginAttempt, "password">): Promise<Verdict>;
  /** What `authenticate` accepts under each of the GUEST_NAMES, whatever the password and from wherever. */
  readonly guest?: Account;
  /** No account of this store has, or will ever have, one of the GUEST_NAMES in any case. */
  readonly hasNoGuests?: boolean;
}

export class AccountError extends Error {
  override readonly name = "AccountError";
}

/** A store has more to do than it may: the client is told to come again, and nothing is known of the name. */
export class AccountsBusy extends Error {
  override readonly name = "AccountsBusy";
}
