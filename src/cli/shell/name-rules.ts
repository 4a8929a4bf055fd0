/** How names change on their way, as ftp has it: case, ntrans and nmap, in this order. Pure functions. */

/** `ntrans` and `nmap` with their two words; undefined: names stay. */
export type NameRules = {
  readonly isLowered: boolean;
  readonly ntrans: RulePair | undefined;
  readonly nmap: RulePair | undefined;
};

export type RulePair = { readonly from: string; readonly to: string };

/** What stands for nine parts of a name. */
const PART = /\$(\d)/;

/** @param name one name, no path. @param fromServer whether `case` holds: it is for names that come. */
export function mappedName(name: string, rules: NameRules, { fromServer }: { readonly fromServer: boolean }): string {
  const isLowered = fromServer && rules.isLowered && name === name.toUpperCase();
  const cased = isLowered ? name.toLowerCase() : name;
  const translated = rules.ntrans === undefined ? cased : translatedName(cased, rules.ntrans);
  return rules.nmap === undefined ? translated : mapped(translated, rules.nmap);
}

/** Each character of `from` becomes the one at its place in `to`; those without one go away. */
function translatedName(name: string, { from, to }: RulePair): string {
  const [given, wanted] = [Array.from(from), Array.from(to)];
  return Array.from(name)
    .map((char) => {
      const at = given.indexOf(char);
      return at === -1 ? char : (wanted[at] ?? "");
    })
    .join("");
}

/** `$1.$2` takes a name apart, `$2-$1` or `[$2,none]` puts it together. */
function mapped(name: string, { from, to }: RulePair): string {
  const parts = takenApart(name, from);
  // The first of the two that is not empty.
  const chosen = to.replace(/\[([^,\]]*),([^\]]*)\]/g, (_, first: string, second: string) => {
    return filled(first, parts) === "" ? second : first;
  });
  return filled(chosen, parts);
}

function filled(text: string, parts: readonly string[]): string {
  return text.replace(/\\(.)|\$(\d)/g, (_, plain: string | undefined, digit: string | undefined) => {
    return plain ?? parts[Number(digit)] ?? "";
  });
}

/** @returns the whole name, and at 1 to 9 what the parts stand for: up to what follows them in the pattern. */
function takenApart(name: string, pattern: string): readonly string[] {
  const parts = [name];
  let rest = name;
  let left = pattern;
  for (let next = PART.exec(left); next !== null; next = PART.exec(left)) {
    const [written, digit = ""] = next;
    const before = left.slice(0, next.index);
    if (!rest.startsWith(before)) break;
    rest = rest.slice(before.length);
    left = left.slice(next.index + written.length);
    const follows = left.split(PART, 1)[0] ?? "";
    const end = follows === "" ? rest.length : rest.indexOf(follows);
    parts[Number(digit)] = end === -1 ? rest : rest.slice(0, end);
    rest = end === -1 ? "" : rest.slice(end);
  }
  return Array.from(parts, (part) => part ?? "");
}

/** `name`, else `name.1` to `name.99`, the first that is free. @returns undefined where none is. */
export async function freeName(name: string, isTaken: (name: string) => Promise<boolean>): Promise<string | undefined> {
  if (!(await isTaken(name))) return name;
  for (let number = 1; number <= UNIQUE_MOST; number += 1) {
    if (!(await isTaken(`${name}.${number}`))) return `${name}.${number}`;
  }
  return undefined;
}

/** Numbers behind a name that is taken: as many as ftp tries. */
export const UNIQUE_MOST = 99;
