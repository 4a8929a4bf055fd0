/** The workloads as a table: (a) to (k) of the benchmark, with their targets, and what is to be said where one was missed. */
import type { Report } from "./report/report.ts";
import { remarked } from "./report/verdicts.ts";
import {
  HASH,
  SMALL_FILES,
  START,
  atMost,
  faster,
  haul,
  idle,
  lighter,
  listing,
  logins,
  noop,
  retr,
  small,
  smallFiles,
  stor,
  text,
} from "./workload-kinds.ts";
import type { Target, Workload } from "./workload.ts";

/** Small files that go the long way. */
const HAULED = 5;

/** All of them, in the order in which they run. */
export const WORKLOADS: readonly Workload[] = [
  retr({ id: "a-1", sessions: 1, targets: [faster(1), { kind: "ratio", least: 1.2, peer: "vsftpd" }, lighter(0.85)] }),
  retr({ id: "a-4", sessions: 4, targets: [faster(1.1), lighter(0.85)] }),
  retr({ id: "a-64", sessions: 64, targets: [faster(1.1), lighter(0.85)], quick: false }),
  stor({ id: "b-disk-1", sessions: 1, folder: "incoming", targets: [faster(1.1), lighter(0.9)] }),
  stor({ id: "b-disk-4", sessions: 4, folder: "incoming", targets: [faster(1), lighter(0.9)] }),
  stor({ id: "b-memory-1", sessions: 1, folder: "memory" }),
  stor({ id: "b-memory-4", sessions: 4, folder: "memory", quick: false }),
  retr({ id: "c-retr-1", sessions: 1, secure: true, targets: [faster(1.4)] }),
  retr({ id: "c-retr-4", sessions: 4, secure: true, targets: [faster(1.3)] }),
  stor({ id: "c-stor-1", sessions: 1, secure: true, folder: "incoming", targets: [faster(1.1)] }),
  stor({ id: "c-stor-4", sessions: 4, secure: true, folder: "incoming", targets: [faster(1)], quick: false }),
  small("retr", { id: "c-small-1", sessions: 1, secure: true, targets: [faster(1.1)] }),
  small("retr", { id: "d-retr-1", sessions: 1, targets: [faster(1.1)] }),
  small("retr", { id: "d-retr-16", sessions: 16, targets: [faster(1.2)] }),
  small("stor", { id: "d-stor-1", sessions: 1, targets: [faster(1.2)] }),
  small("stor", { id: "d-stor-16", sessions: 16, targets: [faster(1)] }),
  logins({ id: "e-1", sessions: 1, targets: [faster(1.2), { kind: "ratio", least: 8, peer: "vsftpd" }] }),
  logins({ id: "e-64", sessions: 64, targets: [faster(1.2), { kind: "ratio", least: 8, peer: "vsftpd" }] }),
  logins({ id: "e-tls-1", sessions: 1, secure: true }),
  logins({ id: "e-tls-64", sessions: 64, secure: true, quick: false }),
  logins({ id: "e-hash-1", sessions: 1, login: "hashed" }),
  logins({ id: "e-hash-64", sessions: 64, login: "hashed", quick: false }),
  logins({ id: "e-argon-1", sessions: 1, login: "argon2id", quick: false }),
  logins({ id: "e-argon-64", sessions: 64, login: "argon2id", quick: false }),
  ...[false, true].flatMap((many) => (["LIST", "MLSD", "NLST"] as const).map((verb) => listing(verb, many))),
  noop({ id: "h-idle", idle: 1_000, busy: 0 }),
  noop({ id: "h-busy", idle: 0, busy: 100 }),
  haul("i-bulk", {
    title: "RETR over 100 ms",
    load: ["retr", "--path", "/middle.bin"],
    reads: ["/middle.bin"],
    seconds: 1.2,
  }),
  haul("i-small", {
    title: "RETR of 1 KiB files over 100 ms",
    load: ["small-retr", "--path", SMALL_FILES, "--files", String(HAULED)],
    reads: smallFiles(HAULED),
    seconds: 1.6,
  }),
  START,
  text("k-ascii", { title: "RETR of a text in ASCII", more: ["--type", "A"] }),
  text("k-deflate", { title: "RETR of a text in MODE Z", more: ["--mode-z"] }),
  HASH,
  idle("g-1000", { sessions: 1_000, secure: false, targets: [], quick: false }),
  idle("g-10000", { sessions: 10_000, secure: false, targets: [atMost(10)], quick: true }),
  idle("g-tls-10000", { sessions: 10_000, secure: true, targets: [atMost(60)], quick: false }),
];

/**
 * Why a target was missed, in a few words with what was measured. The key is the row, and "cpu" or the peer where the
 * target is about that: "d-retr-16", "a-64 cpu", "e-1 vsftpd". Shown beside a missed target alone.
 */
export const REMARKS: Readonly<Record<string, string>> = {
  "a-1":
    "rounds of 4.7 to 6.9 GiB/s, of all servers alike: vsftpd hands the whole file to the kernel in one call; ours are at most 256 MiB, and the first 4.5 MiB find out how fast the client is",
  "a-1 vsftpd": "as above; its one process does what two of our threads do, for the same CPU",
  "a-1 cpu":
    "as much as the thriftiest peers need within what rounds differ; nearly all of it is the kernel's way of the octets",
  "a-4":
    "vsftpd makes a session of the kernel's, and so a group of the scheduler's, for each client: its senders outweigh the generator and fill whole buffers before that wakes. Without such groups it sends 8 to 12 GiB/s here, ours 6 to 7",
  "a-4 cpu": "as above",
  "a-64":
    "as with 4 sessions, and each file has 32 MiB here, of which the first 4.5 find out how fast the client is; with files of 512 MiB ours send 11 to 12 GiB/s beside vsftpd's 13",
  "a-64 cpu": "as above",
  "b-disk-1":
    "nearest to Pure-FTPd, whose rounds differ most: by buffers of 512 KiB that other threads write, 0.8 s of CPU for each GiB, of which the kernel's copies are nearly all (decision 018)",
  "b-disk-1 cpu": "as above",
  "b-disk-4":
    "ProFTPD's processes write each for themselves; ours share two loops and their threads: a change of threads for each 512 KiB",
  "b-disk-4 cpu": "as with one session",
  "c-retr-1": "1.63 in the run before: from one run to the next vsftpd came 11 % faster, ours 7 % slower",
  "c-retr-4": "one worker reaches 1,320 MiB/s, and two share two processors with the generator",
  "c-stor-1":
    "Node copies each record of 16 KiB and calls JavaScript for it: 1.0 to 1.7 s of user time for each GiB, Pure-FTPd 0.3 to 0.4",
  "c-stor-4": "as with one session",
  "c-small-1": "1.3 to 1.9 ms of CPU for each file, of which the resumed handshake is 0.35",
  "d-retr-1":
    "0.31 ms of CPU for each file, vsftpd 0.13: with one client each command wakes a process and its event loop anew",
  "d-retr-16": "of 0.12 to 0.15 ms of CPU for each file 0.08 are the kernel's, the rest V8's; vsftpd takes 0.10 in all",
  "d-stor-1": "an upload that appears whole takes 0.04 to 0.06 ms in the file system, a plain one 0.015",
  "d-stor-16": "as with one session",
  "e-1":
    "pyftpdlib is one process; our broker accepts, judges and counts clients for all workers: 1.45 ms of CPU in three processes, with more of them at once 0.9, pyftpdlib 0.28",
  "e-1 vsftpd": "as above; the aim comes from a prototype that was one process without a broker",
  "e-64": "as one after another",
  "f-list-few":
    "statx by itself takes 1.2 ms, reading the names 0.3; V8 compiles the rest while the 20 listings run, warm it is 2 ms in all",
  "f-mlsd-few": "as LIST",
  "h-busy-p99":
    "vsftpd has a process for the session that says NOOP, which the kernel lets in at once; ours shares a thread with 50 of the downloads, and two processors with the generator. The best of the servers that are one process has 2,402 µs",
  "j-start":
    "as root four processes of Node start one after another, 28 ms each before a line of ours runs: command, broker, launcher, worker (Landlock and no_new_privs bind one thread, so an exec must follow); --workers 0 takes 170 ms",
  "g-10000":
    "9 KiB are the sessions' in an own count of 8,000; young space and the pool's threads of two workers are the rest",
  "g-tls-10000": "OpenSSL's own state is 30 KiB of it, as pyftpdlib's figure shows",
};

/** The key of a target's remark. */
export function remarkKey(id: string, aim: Target): string {
  if (aim.kind === "cpu") return `${id} cpu`;
  return aim.kind === "ratio" && aim.peer !== undefined ? `${id} ${aim.peer}` : id;
}

/** A run with the remarks of today: they are written when its figures are known. */
export function withRemarks(found: Report, remarks: Readonly<Record<string, string>> = REMARKS): Report {
  return remarked(found, (id, aim: Target) => remarks[remarkKey(id, aim)]);
}
