/** What both benchmarks, of servers and of clients, are asked for in the same words, and how a wrong word is told. */
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** The flags that both have. */
export const COMMON_OPTIONS = {
  quick: { type: "boolean", default: false },
  rounds: { type: "string" },
  only: { type: "string" },
  json: { type: "string" },
  folder: { type: "string" },
  page: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

export type CommonWish = {
  readonly quick: boolean;
  readonly rounds: number;
  readonly json: string | undefined;
  readonly folder: string | undefined;
  readonly page: boolean;
  readonly help: boolean;
};

/** A flag that makes no sense. */
export class WrongFlag extends Error {}

type Values<Options extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: Options }>>["values"];

/** @throws {WrongFlag} */
export function parsed<Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
): Values<Options> {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new WrongFlag(error instanceof Error ? error.message : String(error));
  }
}

/** The words of a flag that takes several. */
export function words(list: string | undefined): readonly string[] | undefined {
  return list?.split(",").map((word) => word.trim());
}

/** @throws {WrongFlag} unless `--rounds` is a number up to the most that anybody waits for. */
export function roundsAsked(asked: string | undefined, { usual, most }: { usual: number; most: number }): number {
  const rounds = Number(asked ?? usual);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > most) {
    throw new WrongFlag(`--rounds ${asked}: a number from 1 to ${most} is needed`);
  }
  return rounds;
}

type Known = { readonly there: readonly string[]; readonly isKnown: (word: string) => boolean };

/** @throws {WrongFlag} with what there is, where a word of a flag means nothing. */
export function demandKnown(flag: string, asked: readonly string[], { there, isKnown }: Known): void {
  const unknown = asked.filter((word) => !isKnown(word));
  if (unknown.length > 0) throw new WrongFlag(`${flag} ${unknown.join(",")}: there are ${there.join(", ")}`);
}

type Line = { readonly group: string; readonly ids: readonly string[] };

/** Whether a word of `--only` means this: its group, a row, or the beginning of one. */
export function isMeant({ group, ids }: Line, word: string): boolean {
  return group === word || ids.some((id) => id === word || id.startsWith(`${word}-`));
}
