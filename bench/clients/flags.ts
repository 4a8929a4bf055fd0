/** What `npm run bench -- --clients` is asked for. */
import { parseArgs } from "node:util";
import type { Rival } from "./job.ts";
import { RIVALS } from "./rivals.ts";
import { TASKS, type Task } from "./tasks.ts";

/** Rounds of a full run and of a quick one. */
const [ROUNDS, QUICK_ROUNDS] = [3, 1];
/** Nobody waits for more. */
const MOST_ROUNDS = 100;

export const USAGE = `Usage: npm run bench -- --clients [flags]

  --quick          a part of it, in 2 minutes: one round, fewer octets and files
  --rounds N       rounds of each workload (${ROUNDS}, quick: ${QUICK_ROUNDS}, fewer where time runs out)
  --only A,B       groups (a to e, matrix), rows (a-get-vsftpd) or beginnings of them (a-get)
  --with A,B       ${RIVALS.map(({ name }) => name).join(", ")}
  --json FILE      where all figures go (bench/.cache/latest-client.json)
  --folder DIR     where the files are made (the system's temporary folder); takes 3 GiB there, and 4 GiB of memory
  --page           write docs/performance-client.md and .json; with --json FILE from that file, without measuring

As root it starts vsftpd too, in namespaces of its own; else our own server alone.`;

const OPTIONS = {
  clients: { type: "boolean", default: false },
  quick: { type: "boolean", default: false },
  rounds: { type: "string" },
  only: { type: "string" },
  with: { type: "string" },
  json: { type: "string" },
  folder: { type: "string" },
  page: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

export type ClientWish = {
  readonly quick: boolean;
  readonly rounds: number;
  readonly tasks: readonly Task[];
  readonly matrix: boolean;
  readonly rivals: readonly Rival[];
  readonly json: string | undefined;
  readonly folder: string | undefined;
  readonly page: boolean;
  readonly help: boolean;
};

/** A flag that makes no sense. */
export class WrongFlag extends Error {}

/** Of `--only`: the table of what connects. */
const MATRIX = "matrix";

/** @throws {WrongFlag} */
export function readFlags(args: readonly string[]): ClientWish {
  const flags = parsed(args);
  const { quick, json, folder, page, help } = flags;
  const rounds = Number(flags.rounds ?? (quick ? QUICK_ROUNDS : ROUNDS));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MOST_ROUNDS) {
    throw new WrongFlag(`--rounds ${flags.rounds}: a number from 1 to ${MOST_ROUNDS} is needed`);
  }
  const only = words(flags.only);
  const tasks = tasksOf(
    only?.filter((word) => word !== MATRIX),
    quick,
  );
  const matrix = only === undefined || only.includes(MATRIX);
  return { quick, rounds, tasks, matrix, rivals: rivalsOf(words(flags.with)), json, folder, page, help };
}

function parsed(args: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"] {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new WrongFlag(error instanceof Error ? error.message : String(error));
  }
}

function words(list: string | undefined): readonly string[] | undefined {
  return list?.split(",").map((word) => word.trim());
}

function tasksOf(only: readonly string[] | undefined, quick: boolean): readonly Task[] {
  if (only === undefined) return TASKS.filter((each) => !quick || isQuick(each));
  const unknown = only.filter((word) => !TASKS.some((each) => isMeant(each, word)));
  const all = TASKS.map(({ id }) => id);
  if (unknown.length > 0) throw new WrongFlag(`--only ${unknown.join(",")}: there are ${all.join(", ")}, ${MATRIX}`);
  return TASKS.filter((each) => only.some((word) => isMeant(each, word)));
}

/** Of our own server a quick run has what is in clear and by one connection: most of its workloads are with vsftpd too. */
function isQuick({ server, secure, connections = 1 }: Task): boolean {
  return server === "vsftpd" || (!secure && connections === 1);
}

function isMeant({ group, id }: Task, word: string): boolean {
  return group === word || id === word || id.startsWith(`${word}-`);
}

function rivalsOf(names: readonly string[] | undefined): readonly Rival[] {
  const all = RIVALS.map(({ name }) => name);
  const unknown = names?.filter((name) => !all.includes(name)) ?? [];
  if (unknown.length > 0) throw new WrongFlag(`--with ${unknown.join(",")}: there are ${all.join(", ")}`);
  return RIVALS.filter(({ name }) => names?.includes(name) ?? true);
}
