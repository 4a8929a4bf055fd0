/** The storages of the accounts that are signed in: one per home, shared by its sessions, closed soon after the last of them. */
import { statSync } from "node:fs";
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

/**
 * Milliseconds that a home stays open after its last session, at least; at most twice as many. One login after the other
 * opens and sweeps it once. A disk cannot be unmounted for so long.
 */
const KEPT_MS = 2_000;
/** Homes that are open without a session; each is a descriptor. */
const KEPT_LIMIT = 32;

/**
 * Tells a home from one that was removed and made anew: sessions of the old one keep it, new ones get the new one. At
 * once: a detour by the thread pool costs ten times as much, and what follows waits for the disk too.
 */
function identityOf(home: string): string | undefined {
  try {
    const { dev, ino } = statSync(home, { bigint: true });
    return `${dev}.${ino}`;
  } catch {
    return undefined;
  }
}

type Shared = {
  readonly key: string;
  readonly opening: Promise<OpenedStorage>;
  /** Whether its key tells when the home is another one: only then may it wait for the next session. */
  readonly isKnown: boolean;
  sessions: number;
  /** Without sessions when the timer came last. */
  isOld: boolean;
};

export class Storages implements AsyncDisposable {
  readonly #open: OpenStorage;
  readonly #shared = new Map<string, Shared>();
  /** Those without sessions, the one that has waited longest first. */
  readonly #idle = new Set<Shared>();
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** @param open default: the account's home on the local file system, in the kernel's jail where there is one. */
  constructor(open: OpenStorage = openHome) {
    this.#open = open;
  }

  /** @throws when the home is not there or may not be entered: the login is refused then, it never falls back to `/` (attack 30). */
  async open(account: Account): Promise<StorageLease> {
    const shared = this.#share(account);
    shared.sessions += 1;
    try {
      const storage = await shared.opening;
      return { storage, [Symbol.asyncDispose]: async () => this.#leave(shared) };
    } catch (error) {
      shared.sessions -= 1;
      this.#forget(shared);
      throw error;
    }
  }

  /** Closes what no session has; from now on each goes with its last session. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#timer);
    for (const shared of this.#idle) await this.#close(shared);
  }

  #share(account: Account): Shared {
    const identity = identityOf(account.home);
    // Two accounts on one home share only if they follow links alike; see `openHome`.
    const key = `${account.folders.length > 0 ? "plain" : "links"}:${identity ?? "none"}:${account.home}`;
    const known = this.#shared.get(key);
    if (known !== undefined) {
      this.#idle.delete(known);
      return known;
    }
    const opening = this.#openSwept(account);
    const shared = { key, opening, isKnown: identity !== undefined, sessions: 0, isOld: false };
    this.#shared.set(key, shared);
    return shared;
  }

  async #openSwept(account: Account): Promise<OpenedStorage> {
    const storage = await this.#open(account);
    // What cannot be cleared up (a home without the right to write) is no reason to keep its owner out.
    await storage.sweep?.().catch(() => {});
    return storage;
  }

  async #leave(shared: Shared): Promise<void> {
    shared.sessions -= 1;
    if (shared.sessions > 0) return;
    if (this.#isOver || !shared.isKnown) return this.#close(shared);
    shared.isOld = false;
    this.#idle.add(shared);
    this.#lookLater();
    const [first] = this.#idle;
    if (first !== undefined && this.#idle.size > KEPT_LIMIT) await this.#close(first);
  }

  /** One timer for all: each of its own would cost every login one. */
  #lookLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const shared of this.#idle) {
        // What cannot be closed is lost, and no session is there to tell.
        if (shared.isOld) this.#close(shared).catch(() => {});
        shared.isOld = true;
      }
      if (this.#idle.size > 0) this.#lookLater();
    }, KEPT_MS);
    // Nothing is lost with a process that ends before.
    this.#timer.unref();
  }

  async #close(shared: Shared): Promise<void> {
    this.#forget(shared);
    const storage = await shared.opening;
    await storage[Symbol.asyncDispose]?.();
  }

  #forget(shared: Shared): void {
    this.#idle.delete(shared);
    if (this.#shared.get(shared.key) === shared) this.#shared.delete(shared.key);
  }
}
