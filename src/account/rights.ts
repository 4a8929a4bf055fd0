/** Rights as people write them: a preset such as "read", or single rights such as "list,read". */
import { didYouMean } from "../base/nearest.ts";
import { RIGHTS, type Right, type Rights } from "./account.ts";

/**
 * Sets of rights by name. A preset stands alone, because some are called like a right: "read" is the preset,
 * "list,read" are two rights. `write` changes what is there but removes nothing: no delete, no rename. `drop` gives new
 * files away unseen: no listing, no reading back, no replacing (features.md B1). `fetch` reads what one knows the name of.
 */
export const PRESETS = {
  none: [],
  fetch: ["read"],
  read: ["list", "read"],
  drop: ["write"],
  write: ["list", "read", "write", "append", "overwrite", "mkdir", "meta"],
  full: RIGHTS,
} as const satisfies Readonly<Record<string, readonly Right[]>>;
export type Preset = keyof typeof PRESETS;

const PRESET_NAMES: readonly Preset[] = ["none", "fetch", "read", "drop", "write", "full"];

/** `"read"` (a preset), `"list,read"` (rights). @throws {RangeError} that names the word, all words and the nearest. */
export function parseRights(text: string): Rights {
  const preset = PRESET_NAMES.find((name) => name === text.trim());
  return preset === undefined ? rightsOf(text.split(",").map((word) => word.trim())) : new Set(PRESETS[preset]);
}

/** The rights of a list, each a single one. @throws {RangeError} as `parseRights` does. */
export function rightsOf(words: readonly string[]): Rights {
  return new Set(words.map(rightOf));
}

/** The preset with exactly these rights, else the rights in the order of RIGHTS: what `parseRights` reads. */
export function formatRights(rights: Rights): string {
  return presetNameOf(rights) ?? rightsList(rights).join(",");
}

/** The rights in the order of RIGHTS. */
export function rightsList(rights: Rights): readonly Right[] {
  return RIGHTS.filter((right) => rights.has(right));
}

export function presetNameOf(rights: Rights): Preset | undefined {
  return PRESET_NAMES.find(
    (name) => PRESETS[name].length === rights.size && PRESETS[name].every((right) => rights.has(right)),
  );
}

function rightOf(word: string): Right {
  const right = RIGHTS.find((each) => each === word);
  if (right !== undefined) return right;
  const isPreset = PRESET_NAMES.some((name) => name === word);
  const guess = isPreset ? " That preset stands alone, not in a list." : didYouMean(word, [...PRESET_NAMES, ...RIGHTS]);
  throw new RangeError(
    `there is no right "${word}".${guess} Presets: ${PRESET_NAMES.join(", ")}; rights: ${RIGHTS.join(", ")}`,
  );
}
