/** The options of one command of the shell: `-l`, `-la`, `-o FILE`, `-oFILE`, `--` and the words that are left. */
import { UsageError } from "./errors.ts";
import type { Word } from "./words.ts";

export type Flags = {
  /** How often each letter was given. */
  readonly has: (letter: string) => boolean;
  readonly value: (letter: string) => Word | undefined;
  readonly rest: readonly Word[];
};

/** @param known letters: those with a `:` behind them take a value. @throws {UsageError} for other letters. */
export function readFlags(words: readonly Word[], known: string): Flags {
  const given = new Map<string, Word | undefined>();
  const rest: Word[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === undefined) break;
    if (word.text === "--") {
      rest.push(...words.slice(at + 1));
      break;
    }
    if (!/^-[a-z]/i.test(word.pattern)) rest.push(word);
    else if (readCluster(word, { known, next: words[at + 1], given })) at += 1;
  }
  return { has: (letter) => given.has(letter), value: (letter) => given.get(letter), rest };
}

type Cluster = { readonly known: string; readonly next: Word | undefined; readonly given: Map<string, Word | undefined> };

/** @returns whether the next word was its value. */
function readCluster(word: Word, { known, next, given }: Cluster): boolean {
  for (let at = 1; at < word.text.length; at += 1) {
    const letter = word.text.charAt(at);
    const place = known.indexOf(letter);
    if (place === -1 || letter === ":") throw new UsageError(`there is no option -${letter}`);
    if (known[place + 1] !== ":") {
      given.set(letter, undefined);
      continue;
    }
    const behind = word.text.slice(at + 1);
    if (behind === "" && next === undefined) throw new UsageError(`-${letter} needs a value`);
    given.set(letter, behind === "" ? next : { ...word, text: behind });
    return behind === "";
  }
  return false;
}

/** A whole number within limits. */
export function wholeNumber(word: Pick<Word, "text">, { from, to }: { readonly from: number; readonly to: number }): number {
  const value = /^\d{1,15}$/.test(word.text) ? Number(word.text) : NaN;
  if (value >= from && value <= to) return value;
  throw new UsageError(`"${word.text}" is no whole number from ${from} to ${to}`);
}
