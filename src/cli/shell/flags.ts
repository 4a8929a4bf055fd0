/** The options of one command of the shell: `-l`, `-la`, `-o FILE`, `-oFILE`, `--long=VALUE`, `--` and the words that are left. */
import { UsageError } from "./errors.ts";
import type { Word } from "./words.ts";

export type Flags = {
  readonly has: (letter: string) => boolean;
  /** The last that was given. */
  readonly value: (letter: string) => Word | undefined;
  readonly values: (letter: string) => readonly Word[];
  readonly rest: readonly Word[];
};

/** What was given of each letter. */
type Given = Map<string, readonly Word[]>;

/**
 * @param known letters: those with a `:` behind them take a value.
 * @param long the letters that long names stand for.
 * @throws {UsageError} for others.
 */
export function readFlags(words: readonly Word[], known: string, long: Readonly<Record<string, string>> = {}): Flags {
  const given: Given = new Map();
  const rest: Word[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === undefined) break;
    if (word.text === "--") {
      rest.push(...words.slice(at + 1));
      break;
    }
    const isFlag = /^-(?:-[a-z]|[a-z\d])/i.test(word.pattern);
    if (!isFlag) rest.push(word);
    else if (readFlag(short(word, long), { known, next: words[at + 1], given })) at += 1;
  }
  return {
    has: (letter) => given.has(letter),
    value: (letter) => given.get(letter)?.at(-1),
    values: (letter) => given.get(letter) ?? [],
    rest,
  };
}

/** `--name=value` as `-nvalue`. */
function short(word: Word, long: Readonly<Record<string, string>>): Word {
  if (!word.text.startsWith("--")) return word;
  const [name = "", ...value] = word.text.slice(2).split("=");
  const letter = long[name];
  if (letter === undefined) throw new UsageError(`there is no option --${name}`);
  return { ...word, text: `-${letter}${value.join("=")}` };
}

type Cluster = { readonly known: string; readonly next: Word | undefined; readonly given: Given };

/** @returns whether the next word was its value. */
function readFlag(word: Word, { known, next, given }: Cluster): boolean {
  for (let at = 1; at < word.text.length; at += 1) {
    const letter = word.text.charAt(at);
    const place = known.indexOf(letter);
    if (place === -1 || letter === ":") throw noOption(letter);
    const before = given.get(letter) ?? [];
    if (known[place + 1] !== ":") {
      given.set(letter, before);
      continue;
    }
    const behind = word.text.slice(at + 1);
    const value = behind === "" ? next : { ...word, text: behind };
    if (value === undefined) throw new UsageError(`-${letter} needs a value`);
    given.set(letter, [...before, value]);
    return behind === "";
  }
  return false;
}

function noOption(letter: string): UsageError {
  return new UsageError(`there is no option -${letter} (a name that begins with - needs -- before it)`);
}

/** A whole number within limits. */
export function wholeNumber(
  word: Pick<Word, "text">,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  const value = /^\d{1,15}$/.test(word.text) ? Number(word.text) : NaN;
  if (value >= from && value <= to) return value;
  throw new UsageError(`"${word.text}" is no whole number from ${from} to ${to}`);
}
