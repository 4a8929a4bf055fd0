/** What was the same for all servers of a run, in sentences for the page. */
import type { Bench } from "./cells.ts";
import { MEBIBYTE } from "./ground.ts";
import { hasNetem } from "./long-haul.ts";
import type { Peer } from "./peers/peer.ts";

export type Circumstances = {
  readonly generator: "c" | "node";
  /** CPU seconds come from control groups. */
  readonly groups: boolean;
  readonly budgetMs: number;
  readonly leastRounds: number;
  readonly servers: readonly Peer[];
};

export function networkOf(isolated: boolean): string {
  return `network: ${isolated ? "loopback of a network namespace of its own" : "the machine's own loopback"}`;
}

export async function conditions(
  { isolated, ground }: Bench,
  { generator, groups, budgetMs, leastRounds, servers }: Circumstances,
): Promise<readonly string[]> {
  const { sizes, memory } = ground;
  const client =
    generator === "c"
      ? "in C, which throws downloads away in the kernel (over TLS it reads the records and does not decrypt them)"
      : "in Node, because there is no C compiler here: it may be what limits";
  const costs = groups
    ? "from a control group for each server"
    : "from /proc, where processes that ended may be missed";
  const tmpfs = memory === "tmpfs" ? "a tmpfs" : "here the disk as well: this run could mount nothing";
  const delayed =
    isolated && (await hasNetem())
      ? "the kernel's netem on loopback: 50 ms each way, 0.01 % loss"
      : "a proxy of ours that holds octets back for 50 ms each way, without loss and without delay of the connecting itself, because this kernel offers no netem";
  return [
    networkOf(isolated),
    `load: a generator of ours ${client}; each session is signed in before the clock starts`,
    `CPU seconds: ${costs}`,
    "scheduling: servers and generator start in one session of the kernel's, so that its autogroups treat them alike; vsftpd makes a session of each of its own by setsid, and with it a group that weighs as much as all the others together: it sends 4 files at 13 GiB/s so, and at 8 to 12 where the kernel makes no such groups",
    `files: the same for all: one of ${mebibytes(sizes.big)} for one session, one of ${mebibytes(sizes.large)} for 4 sessions and for TLS, which each fetches twice (4 over TLS once), one of ${mebibytes(sizes.middle)} for 64 sessions; ${count(sizes.files)} of 1 KiB, of which one session moves ${count(sizes.moved)}, 16 sessions ${count(2 * sizes.moved)}, of uploads half of that, one session over TLS ${count(sizes.secureMoved)}; folders of 1,000 and ${count(sizes.entries)} empty files`,
    "page cache: what a workload reads is read once before each round of each server, outside of what is timed, as a virtual machine may give page cache back by itself: so nobody reads from the disk; before a large upload a file of that size is written and removed, because the first to write would wait for the host to give memory, a second for each GiB here",
    `idle sessions: thousands are ${count(sizes.idle)}, over TLS ${count(sizes.secureIdle)}`,
    `uploads: one session stores ${mebibytes(sizes.upload)}, 4 sessions ${mebibytes(sizes.upload / 2)} each, over TLS half of it; to the same disk for all, deleted after each round; to memory: ${tmpfs}`,
    "TLS: 1.3, the same ECDSA P-256 certificate, AES-128-GCM or AES-256-GCM as each server prefers by default, each data connection offers to resume the session; how many servers took that stands below their figures",
    "logins: guests have no password to check; the same user has the same hash at all servers: sha512-crypt ($6$) with its 5,000 rounds, checked by the same libcrypt; and where a server can check argon2id, another has one of 64 KiB and one pass, so that servers are compared and not hashes",
    "logs: all off. Limits and bans: lifted for all",
    "cold or warm: each server first moves small files for some seconds, and does each workload once before it counts, small files, logins, NOOPs and uploads with a fifth of the operations or octets: what is compared is servers in service; for the measures of start and of idle memory it is started anew",
    "memory: is looked at in that round which does not count, because a look stops the server for a moment: small files came up to a fifth slower with it",
    `rounds: the tables say how many; fewer where there is no target, for idle sessions, which take long and hardly differ, and a server that has spent ${budgetMs / 1_000} s on a workload gets no round of it beyond the ${leastRounds === 1 ? "first" : "third"}`,
    `shares: rates and averages stay comparable when a server does less of it, so slow ones are asked for a part: ${shares(servers)}`,
    `the long way: ${delayed}`,
    "raw: a sender and a receiver in C without FTP, over the same loopback, from and to the same files, in clear",
  ];
}

const SHARED: Readonly<Record<string, string>> = {
  d: "small files",
  "c-small": "small files over TLS",
  e: "logins",
  g: "idle sessions",
  h: "the idle sessions beside NOOP",
};

/** What is asked of whom, in percent. */
function shares(servers: readonly Peer[]): string {
  const parts = servers.flatMap(({ name, share = {} }) => {
    const each = Object.entries(share).map(([group, part]) => `${percent(part)} of ${SHARED[group] ?? group}`);
    return each.length === 0 ? [] : [`${name} for ${each.join(", ")}`];
  });
  return parts.length === 0 ? "none here" : parts.join("; ");
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

function mebibytes(octets: number): string {
  return `${count(octets / MEBIBYTE)} MiB`;
}

export function count(many: number): string {
  return many.toLocaleString("en");
}
