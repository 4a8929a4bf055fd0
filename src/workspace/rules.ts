/** What an account may do where: its own rights, and folder rules over them. The first rule that matches decides. */
import type { Account, FolderRule, Right, Rights } from "../account/account.ts";
import { bytesOfText } from "../base/bytes.ts";
import { compilePathGlob } from "../protocol/glob.ts";
import type { VirtualPath } from "../protocol/path.ts";

/** What the rules say of one path: the rights, and the id that a refusal there carries. */
export type Ruling = { readonly rights: Rights; readonly id: string };

type Compiled = Ruling & { readonly matches: (path: string) => boolean; readonly prefix: string | undefined };

export class Rules {
  readonly #own: Ruling;
  readonly #folders: readonly Compiled[];

  constructor({ rights, folders }: Account) {
    this.#own = { rights, id: "account" };
    this.#folders = folders.map(compile);
  }

  rulingAt(path: VirtualPath): Ruling {
    return this.#folders.find(({ matches }) => matches(path)) ?? this.#own;
  }

  /**
   * A rule that could take `right` away somewhere below `folder`: whoever moves the folder as a whole would dodge it
   * (attack 29). Patterns are judged by their part before the first wildcard, so rather too often; those without `/`
   * hold wherever a file lies, so no move dodges them.
   */
  rulingBelow(folder: VirtualPath, right: Right): Ruling | undefined {
    const below = folder === "/" ? "/" : `${folder}/`;
    return this.#folders.find(
      ({ rights, prefix }) =>
        prefix !== undefined && !rights.has(right) && (prefix.startsWith(below) || below.startsWith(prefix)),
    );
  }
}

/** A pattern without wildcards covers the folder that it names and all below it. */
function compile({ pattern, rights }: FolderRule): Compiled {
  const text = bytesOfText(pattern);
  const wild = text.search(/[*?[{\\]/);
  const bare = text.replace(/\/+$/, "");
  const isPlain = wild === -1 && text.startsWith("/");
  const matches = isPlain
    ? (path: string) => bare === "" || path === bare || path.startsWith(`${bare}/`)
    : compilePathGlob(text);
  const prefix = text.startsWith("/") ? (wild === -1 ? bare : text.slice(0, wild)) : undefined;
  return { rights, id: `folder:${text}`, matches, prefix };
}
