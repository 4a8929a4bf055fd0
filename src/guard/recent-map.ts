/** A map with a limit: what was touched longest ago goes first. */

export class RecentMap<Key, Value> {
  readonly #limit: number;
  /** In the order of touching, oldest first. */
  readonly #entries = new Map<Key, Value>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  /** Sets and touches. @returns the key that had to go for it, if one had to. */
  set(key: Key, value: Value): Key | undefined {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#limit) return undefined;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return oldest;
    }
    return undefined;
  }

  delete(key: Key): void {
    this.#entries.delete(key);
  }

  /** Oldest first. */
  entries(): IterableIterator<[Key, Value]> {
    return this.#entries.entries();
  }
}
