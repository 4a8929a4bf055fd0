/** The storages of the accounts that are signed in: one per home, shared by its sessions, closed with the last of them. */
import { stat } from "node:fs/promises";
import type { Account } from "../account/account.ts";
import { openLocalStorage } from "../storage/local/local.ts";
import type { Storage } from "../storage/storage.ts";

export type StorageLease = AsyncDisposable & { readonly storage: Storage };

/** A storage as `OpenStorage` hands it over. `sweep` clears up after processes that died; called once, before any session. */
type OpenedStorage = Storage & Partial<AsyncDisposable> & { sweep?(): Promise<unknown> };

/** Makes an account's storage, as a library user may want (memory, S3 …). */
export type OpenStorage = (account: Account) => Promise<OpenedStorage>;

/** With rules per folder no link is followed, so that the path that the rules saw is the path that is opened (attack 29). */
const openHome: OpenStorage = async (account) => openHomeAt(account, account.home);

/** The same for a home that is reached by another way than its path: an open descriptor. */
export async function openHomeAt({ folders }: Account, home: string): Promise<OpenedStorage> {
  return openLocalStorage(home, { followLinks: folders.length === 0 });
}

/** Tells a home from one that was removed and made anew: sessions of the old one keep it, new ones get the new one. */
async function identityOf(home: string): Promise<string> {
  try {
    const { dev, ino } = await stat(home, { bigint: true });
    return `${dev}.${ino}`;
  } catch {
    return "none";
  }
}

type Shared = { readonly opening: Promise<OpenedStorage>; sessions: number };

export class Storages {
  readonly #open: OpenStorage;
  readonly #shared = new Map<string, Shared>();

  /** @param open default: the account's home on the local file system, in the kernel's jail where there is one. */
  constructor(open: OpenStorage = openHome) {
    this.#open = open;
  }

  /** @throws when the home is not there or may not be entered: the login is refused then, it never falls back to `/` (attack 30). */
  async open(account: Account): Promise<StorageLease> {
    // Two accounts on one home share only if they follow links alike; see `openHome`.
    const key = `${account.folders.length > 0 ? "plain" : "links"}:${await identityOf(account.home)}:${account.home}`;
    const shared = this.#shared.get(key) ?? { opening: this.#openSwept(account), sessions: 0 };
    shared.sessions += 1;
    this.#shared.set(key, shared);
    try {
      const storage = await shared.opening;
      return { storage, [Symbol.asyncDispose]: async () => this.#leave(key, shared) };
    } catch (error) {
      await this.#leave(key, shared).catch(() => {});
      throw error;
    }
  }

  async #openSwept(account: Account): Promise<OpenedStorage> {
    const storage = await this.#open(account);
    // What cannot be cleared up (a home without the right to write) is no reason to keep its owner out.
    await storage.sweep?.().catch(() => {});
    return storage;
  }

  async #leave(key: string, shared: Shared): Promise<void> {
    shared.sessions -= 1;
    if (shared.sessions > 0) return;
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
    const storage = await shared.opening;
    await storage[Symbol.asyncDispose]?.();
  }
}
