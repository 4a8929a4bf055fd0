/** The storages of the accounts that are signed in: one per home, shared by its sessions, closed with the last of them. */
import type { Account } from "../account/account.ts";
import type { Storage } from "../storage/storage.ts";

export type StorageLease = AsyncDisposable & { readonly storage: Storage };

/** Makes an account's storage, as a library user may want (memory, S3 …). */
export type OpenStorage = (account: Account) => Promise<Storage & Partial<AsyncDisposable>>;

type Shared = { readonly opening: Promise<Storage & Partial<AsyncDisposable>>; sessions: number };

export class Storages {
  readonly #open: OpenStorage;
  readonly #shared = new Map<string, Shared>();

  constructor(open: OpenStorage) {
    this.#open = open;
  }

  /** @throws when the home is not there or may not be entered: the login is refused then, it never falls back to `/` (attack 30). */
  async open(account: Account): Promise<StorageLease> {
    // Two accounts on one home share only if they follow links alike; see `openHome` in server.ts.
    const key = `${account.folders.length > 0 ? "plain" : "links"}:${account.home}`;
    const shared = this.#shared.get(key) ?? { opening: this.#open(account), sessions: 0 };
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

  async #leave(key: string, shared: Shared): Promise<void> {
    shared.sessions -= 1;
    if (shared.sessions > 0) return;
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
    const storage = await shared.opening;
    await storage[Symbol.asyncDispose]?.();
  }
}
