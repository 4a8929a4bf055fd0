/** What the benchmark knows of a server: how it is started and set up, and who signs in for what. */
import type { Ground } from "../ground.ts";
import type { Launch } from "../meter.ts";

export type Login = { readonly user: string; readonly password: string };

/**
 * `files` for all that moves files, `guest` for logins without a password; `hashed` and `argon2id` for accounts whose
 * hash of SHA-512-crypt or argon2id the server checks, absent where it cannot.
 */
export type Logins = {
  readonly files: Login;
  readonly guest: Login;
  readonly hashed?: Login;
  readonly argon2id?: Login;
};

export type Peer = {
  /** Of `--servers` and of the tables. */
  readonly name: string;
  readonly ours: boolean;
  /** How it is configured and why, for the page. */
  readonly setup: string;
  /** Why it cannot run here, or undefined. May install what it needs. */
  readonly absent: () => Promise<string | undefined>;
  /** As it names itself. */
  readonly version: () => Promise<string>;
  readonly logins: (ground: Ground) => Logins;
  /** Writes its configuration, and says how to start it in the foreground. */
  readonly prepare: (ground: Ground, port: number) => Promise<Launch>;
  /** The same server set up for accounts, where that cannot be had beside the set-up for guests. */
  readonly forAccounts?: Peer;
  /** The part of the operations that are asked of it in these groups of workloads, where all of them would take minutes. */
  readonly share?: Readonly<Record<string, number>>;
};

export const GUEST: Login = { user: "anonymous", password: "bench@localhost" };
export const NEEDS_ROOT = "needs root: it changes its user for each session";
