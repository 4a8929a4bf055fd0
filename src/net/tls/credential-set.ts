/** The certificates of one listener: which one a client gets by the name it asks for, in SNI or with HOST (RFC 7151). */
import { isIP } from "node:net";
import type { Credential } from "./credential.ts";
import { plainName } from "./host-names.ts";

export class CredentialSet {
  /** All of them; the first is the default. */
  readonly all: readonly [Credential, ...Credential[]];
  readonly #exact = new Map<string, Credential>();
  /** By what follows the star: `*.example.com` under `example.com`. */
  readonly #wild = new Map<string, Credential>();

  /** @param all where two have the same name, the earlier one gets its clients. */
  constructor(all: readonly [Credential, ...Credential[]]) {
    this.all = all;
    for (const credential of all) {
      for (const name of credential.names) {
        const [map, key] = name.startsWith("*.") ? [this.#wild, name.slice(2)] : [this.#exact, name];
        if (!map.has(key)) map.set(key, credential);
      }
    }
  }

  /**
   * The certificate for a name or an address, in any case and with or without a last dot: one that has this very name,
   * else one whose `*` stands for its first label (RFC 9525 §6.3), else the default. None is for `undefined`.
   */
  choose(name: string | undefined): Credential {
    return this.#find(name) ?? this.all[0];
  }

  /** Whether a certificate is made for this name, so that `choose` does not fall back on the default. */
  knows(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  #find(name: string | undefined): Credential | undefined {
    // What a client sends is a name, never a pattern.
    const plain = name === undefined || name.startsWith("*") ? undefined : plainName(name);
    if (plain === undefined) return undefined;
    const dot = plain.indexOf(".");
    // An address has no labels for a star to stand for.
    const parent = dot === -1 || isIP(plain) !== 0 ? undefined : plain.slice(dot + 1);
    return this.#exact.get(plain) ?? (parent === undefined ? undefined : this.#wild.get(parent));
  }
}
