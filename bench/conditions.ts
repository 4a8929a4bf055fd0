/** What was the same for all servers of a run, in sentences for the page. */
import type { Bench } from "./cells.ts";
import { hasNetem } from "./long-haul.ts";

export type Circumstances = {
  readonly generator: "c" | "node";
  /** CPU seconds come from control groups. */
  readonly groups: boolean;
  readonly budgetMs: number;
};

const MEBIBYTE = 1_048_576;

export async function conditions(
  { isolated, ground }: Bench,
  { generator, groups, budgetMs }: Circumstances,
): Promise<readonly string[]> {
  const { sizes, memory } = ground;
  const network = isolated ? "loopback of a network namespace of its own" : "the machine's own loopback";
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
    `network: ${network}`,
    `load: a generator of ours ${client}; each session is signed in before the clock starts`,
    `CPU seconds: ${costs}`,
    `files: the same for all, just written and so in the page cache: one of ${mebibytes(sizes.big)}, ${count(sizes.files)} of 1 KiB, folders of 1,000 and ${count(sizes.entries)} empty files; 64 sessions fetch ${mebibytes(sizes.middle)} each, 4 sessions store ${mebibytes(sizes.big / 2)} each`,
    `idle sessions: thousands are ${count(sizes.idle)}`,
    `uploads: to the same disk for all, deleted after each cell; to memory: ${tmpfs}`,
    "TLS: 1.3, the same ECDSA P-256 certificate, what the client prefers of AES-128/256-GCM, each data connection offers to resume the session; how many servers took that stands below their figures",
    "logins: guests have no password to check; users have the same argon2id hash (64 KiB, one pass) where a server can check one, so that servers are compared and not hashes",
    "logs: all off. Limits and bans: lifted for all",
    "cold or warm: each server first does some logins and small files, and each workload of many operations (small files, logins, listings, NOOP) once, that are not counted: what is compared is servers in service; for the measures of start and of idle memory it is started anew",
    `patience: a server that has spent ${budgetMs / 1_000} s on a workload gets no further round of it; ftp-srv is asked for a fiftieth of the small files, ProFTPD for a tenth of the logins; of idle sessions, servers with processes for each are asked for a fifth, ProFTPD for a twentieth`,
    `the long way: ${delayed}`,
    "raw: a sender and a receiver in C without FTP, over the same loopback, from and to the same files, in clear",
  ];
}

function mebibytes(octets: number): string {
  return `${octets / MEBIBYTE} MiB`;
}

function count(many: number): string {
  return many.toLocaleString("en");
}
