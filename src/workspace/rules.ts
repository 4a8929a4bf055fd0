/**
 * What an account may do where: its own rights, and folder rules over them. The first rule that governs a path decides.
 * A rule governs what its pattern matches and all that lies below that: `/incoming` the folder and its content,
 * `/incoming/*` (and so `/incoming/**`) its content alone, `*.exe` each file of such a name, and a folder of such a
 * name with its content. Case counts, as it does in the file systems of POSIX.
 */
import type { Account, FolderRule, Right, Rights } from "../account/account.ts";
import { bytesOfText } from "../base/bytes.ts";
import { compilePathGlob } from "../protocol/glob.ts";
import { ROOT, type VirtualPath, parentPath } from "../protocol/path.ts";

/** What the rules say of one path: the rights, and the id that a refusal there carries. */
export type Ruling = { readonly rights: Rights; readonly id: string };

type Rule = Ruling & {
  readonly matches: (path: VirtualPath) => boolean;
  /** The parts before the first one with a wildcard; undefined for a pattern without `/`, which lies nowhere. */
  readonly prefix: readonly string[] | undefined;
};

export class Rules {
  readonly #own: Ruling;
  readonly #folders: readonly Rule[];

  constructor({ rights, folders }: Account) {
    this.#own = { rights, id: "account" };
    this.#folders = folders.map(compile);
  }

  /** Whether names matter at all: there are rules besides the account's own rights. */
  get dependOnPath(): boolean {
    return this.#folders.length > 0;
  }

  rulingAt(path: VirtualPath): Ruling {
    // One walk up for each rule, not one for all: the first rule decides, however far up it matches.
    return this.#folders.find((rule) => governs(rule, path)) ?? this.#own;
  }

  /** As `rulingAt`, for what lies directly in `folder`: only rules before the first that governs the folder can differ. */
  rulingsIn(folder: VirtualPath): (child: VirtualPath) => Ruling {
    const { before, otherwise } = this.#partedAt(folder);
    return (child) => before.find(({ matches }) => matches(child)) ?? otherwise;
  }

  /** What is said of each entry of `folder`, where no rule looks at their names; else undefined. */
  rulingOfAllIn(folder: VirtualPath): Ruling | undefined {
    const { before, otherwise } = this.#partedAt(folder);
    return before.length === 0 ? otherwise : undefined;
  }

  #partedAt(folder: VirtualPath): { readonly before: readonly Rule[]; readonly otherwise: Ruling } {
    const first = this.#folders.findIndex((rule) => governs(rule, folder));
    const before = first === -1 ? this.#folders : this.#folders.slice(0, first);
    return { before, otherwise: this.#folders[first] ?? this.#own };
  }

  /**
   * The rules that may decide somewhere below `folder`, though not at it. Patterns are judged by the parts before their
   * first wildcard, so rather too often. Those without `/` are left out: they hold at any depth, so also wherever
   * something may be moved to.
   */
  *#rulingsBelow(folder: VirtualPath): Generator<Ruling, void, void> {
    const parts = partsOf(folder);
    for (const rule of this.#folders) {
      // What governs the folder governs all below it, so that no later rule has a say.
      if (governs(rule, folder)) return;
      if (rule.prefix?.every((part, at) => at >= parts.length || part === parts[at]) === true) yield rule;
    }
  }

  /** One of `rights` that is missing somewhere below `folder`, `rename` before others, with the rule that takes it. */
  missingBelow(folder: VirtualPath, rights: Rights): { readonly id: string; readonly right: Right } | undefined {
    for (const ruling of this.#rulingsBelow(folder)) {
      const missing = rights.difference(ruling.rights);
      const [right] = missing;
      if (right !== undefined) return { id: ruling.id, right: missing.has("rename") ? "rename" : right };
    }
    return undefined;
  }

  /** Whether anything at all may be done with `folder` or something below it, so that one may go through it. */
  mayEnter(folder: VirtualPath): boolean {
    if (this.rulingAt(folder).rights.size > 0) return true;
    const anywhere = this.#folders.filter(({ prefix }) => prefix === undefined);
    return [...this.#rulingsBelow(folder), ...anywhere].some(({ rights }) => rights.size > 0);
  }
}

function governs({ matches }: Rule, path: VirtualPath): boolean {
  for (let above = path; ; above = parentPath(above)) {
    if (matches(above)) return true;
    if (above === ROOT) return false;
  }
}

function compile({ pattern, rights }: FolderRule): Rule {
  const id = `folder:${pattern}`;
  const glob = compilePathGlob(pattern);
  // The root has no last part, so that `*` is not about it.
  if (!pattern.includes("/")) return { rights, id, matches: (path) => path !== ROOT && glob(path), prefix: undefined };
  const parts = partsOf(bytesOfText(pattern));
  const wild = parts.findIndex((part) => /[*?[{\\]/.test(part));
  return { rights, id, matches: glob, prefix: wild === -1 ? parts : parts.slice(0, wild) };
}

function partsOf(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "");
}
