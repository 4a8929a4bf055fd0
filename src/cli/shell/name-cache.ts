/** Names of the server for completion: kept for some seconds, and never waited for long. */
import type { Client } from "../../client/types.ts";
import { COMPLETION_CACHE_MS, COMPLETION_FOLDERS, COMPLETION_NAMES, COMPLETION_WAIT_MS } from "./limits.ts";
import { nameProblem } from "./local-names.ts";

export type CachedName = { readonly name: string; readonly isFolder: boolean };

type Cached = { readonly at: number; readonly names: Promise<readonly CachedName[]> };

export class NameCache {
  readonly #now: () => number;
  readonly #folders = new Map<string, Cached>();

  /** @param now milliseconds that only grow. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** None where the listing takes too long or fails; it may be there at the next key. */
  async names(client: Client, folder: string): Promise<readonly CachedName[]> {
    const cached = this.#folders.get(folder);
    const isGood = cached !== undefined && this.#now() - cached.at < COMPLETION_CACHE_MS;
    const names = isGood ? cached.names : this.#read(client, folder);
    const { promise: late, resolve } = Promise.withResolvers<readonly CachedName[]>();
    const timer = setTimeout(() => resolve([]), COMPLETION_WAIT_MS);
    try {
      return await Promise.race([names, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** After anything that may have changed what is there. */
  clear(): void {
    this.#folders.clear();
  }

  #read(client: Client, folder: string): Promise<readonly CachedName[]> {
    const names = readNames(client, folder).catch(() => {
      this.#folders.delete(folder);
      return [];
    });
    const [oldest] = this.#folders.keys();
    if (this.#folders.size >= COMPLETION_FOLDERS && oldest !== undefined) this.#folders.delete(oldest);
    this.#folders.set(folder, { at: this.#now(), names });
    return names;
  }
}

/** Names that would disturb a terminal are left out: nobody could type them either. */
async function readNames(client: Client, folder: string): Promise<readonly CachedName[]> {
  const names: CachedName[] = [];
  for await (const { name, type } of client.list(folder, { hidden: true })) {
    if (nameProblem(name, "linux") === undefined) names.push({ name, isFolder: type === "directory" });
    if (names.length >= COMPLETION_NAMES) break;
  }
  return names;
}
