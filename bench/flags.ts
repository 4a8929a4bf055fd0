/** What `npm run bench` is asked for: its flags, and the workloads and servers that they choose. */
import { COMMON_OPTIONS, type CommonWish, demandKnown, isMeant, parsed, roundsAsked, words } from "./asked.ts";
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
  ...COMMON_OPTIONS,
  servers: { type: "string" },
  check: { type: "boolean", default: false },
} as const;

export type Wish = CommonWish & {
  /** The rounds were asked for: none is left out for want of time. */
  readonly strict: boolean;
  readonly workloads: readonly Workload[];
  readonly peers: readonly Peer[];
  readonly check: boolean;
};

/** @throws {WrongFlag} */
export function readFlags(args: readonly string[]): Wish {
  const flags = parsed(args, OPTIONS);
  const { quick, json, folder, check, page, help } = flags;
  const rounds = roundsAsked(flags.rounds, { usual: quick ? QUICK_ROUNDS : ROUNDS, most: MOST_ROUNDS });
  const chosen = { workloads: workloadsOf(words(flags.only), quick), peers: peersOf(words(flags.servers), quick) };
  return { quick, rounds, strict: flags.rounds !== undefined, ...chosen, json, folder, check, page, help };
}

function workloadsOf(only: readonly string[] | undefined, quick: boolean): readonly Workload[] {
  if (only === undefined) return WORKLOADS.filter((each) => each.quick || !quick);
  const all = WORKLOADS.map((work) => ({ work, group: work.group, ids: work.rows.map(({ id }) => id) }));
  const there = all.flatMap(({ ids }) => ids);
  demandKnown("--only", only, { there, isKnown: (word) => all.some((each) => isMeant(each, word)) });
  return all.filter((each) => only.some((word) => isMeant(each, word))).map(({ work }) => work);
}

function peersOf(names: readonly string[] | undefined, quick: boolean): readonly Peer[] {
  const there = PEERS.map(({ name }) => name);
  demandKnown("--servers", names ?? [], { there, isKnown: (word) => there.includes(word) });
  return PEERS.filter(({ name }) => names?.includes(name) ?? (!quick || QUICK_PEERS.has(name)));
}
