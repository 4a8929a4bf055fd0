/** What `npm run bench` is asked for: its flags, and the workloads and servers that they choose. */
import { parseArgs } from "node:util";
import { PEERS, QUICK_PEERS } from "./peers/index.ts";
import type { Peer } from "./peers/peer.ts";
import type { Workload } from "./workload.ts";
import { WORKLOADS } from "./workloads.ts";

/** Rounds of a full run and of a quick one. */
const [ROUNDS, QUICK_ROUNDS] = [5, 2];
/** Nobody waits for more. */
const MOST_ROUNDS = 1_000;

export const USAGE = `Usage: npm run bench -- [flags]

  --quick          a part of it, in 2 minutes: fewer workloads, servers, rounds, octets and files
  --rounds N       rounds of each workload (${ROUNDS}, quick: ${QUICK_ROUNDS}, fewer where time runs out); some that take long have fewer
  --only A,B       groups (a, d …), rows (d-retr-1) or beginnings of them (d-retr)
  --servers A,B    ${PEERS.map(({ name }) => name).join(", ")}
  --json FILE      where all figures go (bench/.cache/latest.json)
  --folder DIR     where the files are made and served (the system's temporary folder); takes 3 GiB
  --check          fail when a ratio to the best peer is more than 20 % below docs/performance.json
  --clients        clients instead of servers; with --help what else can be said then
  --page           write docs/performance.md, .svg and .json; with --json FILE from that file, without measuring

As root it starts all servers, in namespaces of its own; else those that need no root.`;

const OPTIONS = {
  quick: { type: "boolean", default: false },
  rounds: { type: "string" },
  only: { type: "string" },
  servers: { type: "string" },
  json: { type: "string" },
  folder: { type: "string" },
  check: { type: "boolean", default: false },
  page: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

export type Wish = {
  readonly quick: boolean;
  readonly rounds: number;
  /** The rounds were asked for: none is left out for want of time. */
  readonly strict: boolean;
  readonly workloads: readonly Workload[];
  readonly peers: readonly Peer[];
  readonly json: string | undefined;
  readonly folder: string | undefined;
  readonly check: boolean;
  readonly page: boolean;
  readonly help: boolean;
};

/** A flag that makes no sense. */
export class WrongFlag extends Error {}

/** @throws {WrongFlag} */
export function readFlags(args: readonly string[]): Wish {
  const flags = parsed(args);
  const { quick, json, folder, check, page, help } = flags;
  const rounds = Number(flags.rounds ?? (quick ? QUICK_ROUNDS : ROUNDS));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MOST_ROUNDS) {
    throw new WrongFlag(`--rounds ${flags.rounds}: a number from 1 to ${MOST_ROUNDS} is needed`);
  }
  const chosen = { workloads: workloadsOf(words(flags.only), quick), peers: peersOf(words(flags.servers), quick) };
  return { quick, rounds, strict: flags.rounds !== undefined, ...chosen, json, folder, check, page, help };
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

function workloadsOf(only: readonly string[] | undefined, quick: boolean): readonly Workload[] {
  if (only === undefined) return WORKLOADS.filter((each) => each.quick || !quick);
  const unknown = only.filter((word) => !WORKLOADS.some((each) => isMeant(each, word)));
  const all = WORKLOADS.flatMap(({ rows }) => rows.map(({ id }) => id));
  if (unknown.length > 0) throw new WrongFlag(`--only ${unknown.join(",")}: there are ${all.join(", ")}`);
  return WORKLOADS.filter((each) => only.some((word) => isMeant(each, word)));
}

/** Whether a word of `--only` means this workload. */
function isMeant({ group, rows }: Workload, word: string): boolean {
  return group === word || rows.some(({ id }) => id === word || id.startsWith(`${word}-`));
}

function peersOf(names: readonly string[] | undefined, quick: boolean): readonly Peer[] {
  const unknown = names?.filter((name) => PEERS.every((peer) => peer.name !== name)) ?? [];
  const all = PEERS.map(({ name }) => name);
  if (unknown.length > 0) throw new WrongFlag(`--servers ${unknown.join(",")}: there are ${all.join(", ")}`);
  return PEERS.filter(({ name }) => names?.includes(name) ?? (!quick || QUICK_PEERS.has(name)));
}
