/** What `npm run bench -- --clients` is asked for. */
import { COMMON_OPTIONS, type CommonWish, demandKnown, isMeant, parsed, roundsAsked, words } from "../asked.ts";
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
  ...COMMON_OPTIONS,
  clients: { type: "boolean", default: false },
  with: { type: "string" },
} as const;

export type ClientWish = CommonWish & {
  readonly tasks: readonly Task[];
  readonly matrix: boolean;
  readonly rivals: readonly Rival[];
};

/** Of `--only`: the table of what connects. */
const MATRIX = "matrix";

/** @throws {WrongFlag} */
export function readFlags(args: readonly string[]): ClientWish {
  const flags = parsed(args, OPTIONS);
  const { quick, json, folder, page, help } = flags;
  const rounds = roundsAsked(flags.rounds, { usual: quick ? QUICK_ROUNDS : ROUNDS, most: MOST_ROUNDS });
  const only = words(flags.only);
  const matrix = only === undefined || only.includes(MATRIX);
  const rivals = rivalsOf(words(flags.with));
  return { quick, rounds, tasks: tasksOf(only, quick), matrix, rivals, json, folder, page, help };
}

function tasksOf(only: readonly string[] | undefined, quick: boolean): readonly Task[] {
  if (only === undefined) return TASKS.filter((each) => !quick || isQuick(each));
  const all = TASKS.map((task) => ({ task, group: task.group, ids: [task.id] }));
  const there = [...TASKS.map(({ id }) => id), MATRIX];
  const isKnown = (word: string): boolean => word === MATRIX || all.some((each) => isMeant(each, word));
  demandKnown("--only", only, { there, isKnown });
  return all.filter((each) => only.some((word) => isMeant(each, word))).map(({ task }) => task);
}

/** Of our own server a quick run has what is in clear and by one connection: most of its workloads are with vsftpd too. */
function isQuick({ server, secure, connections = 1 }: Task): boolean {
  return server === "vsftpd" || (!secure && connections === 1);
}

function rivalsOf(names: readonly string[] | undefined): readonly Rival[] {
  const there = RIVALS.map(({ name }) => name);
  demandKnown("--with", names ?? [], { there, isKnown: (word) => there.includes(word) });
  return RIVALS.filter(({ name }) => names?.includes(name) ?? true);
}
