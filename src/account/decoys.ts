/**
 * What a name that nobody has is checked against (attack 36). Where all hashes ask for the same work, any of them; in a
 * file with hashes of several kinds a name gets one by a keyed digest of itself, as often as accounts have that kind. So
 * an unknown name always takes the same time, and one that some accounts take. The most common kind alone would tell
 * the names with a rarer one from those that nobody has.
 */
import { createHmac, randomBytes } from "node:crypto";
import { type ByteString, octetsOf } from "../base/bytes.ts";

/** Of the process, so that a reload does not change the kind of a name that nobody has. */
const KEY = randomBytes(32);

type Kind = { readonly hash: string; readonly accounts: number };

export class Decoys {
  readonly #kindOf: (hash: string) => string | undefined;
  /** By store; there are as many as stores, and in each as many as kinds of hashes. */
  readonly #sources = new Map<string, ReadonlyMap<string, Kind>>();
  #kinds: readonly Kind[] = [];

  /** @param kindOf the same for hashes that take the same time; undefined: it cannot be checked. */
  constructor(kindOf: (hash: string) => string | undefined) {
    this.#kindOf = kindOf;
  }

  /** Replaces what was said of this store before. */
  resemble(source: string, hashes: readonly string[]): void {
    const found = new Map<string, Kind>();
    for (const hash of hashes) {
      const kind = this.#kindOf(hash);
      if (kind === undefined) continue;
      const before = found.get(kind);
      found.set(kind, { hash: before?.hash ?? hash, accounts: (before?.accounts ?? 0) + 1 });
    }
    this.#sources.set(source, found);
    // In an order that does not change when an account is added: hardly a name gets another kind by it.
    this.#kinds = [...this.#sources.values()]
      .flatMap((kinds) => [...kinds])
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([, kind]) => kind);
  }

  /** @returns a hash of somebody, or undefined when there is none. */
  of(name: ByteString): string | undefined {
    const all = this.#kinds.reduce((sum, { accounts }) => sum + accounts, 0);
    let place = (createHmac("sha256", KEY).update(octetsOf(name)).digest().readUInt32BE() / 2 ** 32) * all;
    for (const { hash, accounts } of this.#kinds) {
      place -= accounts;
      if (place < 0) return hash;
    }
    return undefined;
  }
}
