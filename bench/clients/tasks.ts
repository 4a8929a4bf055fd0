/** The workloads of the clients' run, with their targets (those of issue 5), and what is to be said where one was missed. */
import { join } from "node:path";
import {
  type ClientGround,
  type ClientSizes,
  TREE,
  demandFile,
  demandFiles,
  emptyFolder,
  freshFolder,
  localFolder,
  servedFolder,
} from "./ground.ts";
import type { Job } from "./job.ts";
import type { Hold } from "../long-haul.ts";
import { remarked } from "../report/verdicts.ts";
import type { ClientReport, ClientTarget } from "./report.ts";

export type ServerName = "vsftpd" | "ferryman";

export type Prepared = {
  readonly job: Job;
  /** @throws {ProgramError} where the client ended well and should not have. */
  readonly check: () => void;
};

export type Task = {
  readonly id: string;
  readonly group: keyof typeof GROUPS;
  readonly title: string;
  readonly server: ServerName;
  readonly secure: boolean;
  readonly unit: string;
  /** How many times the unit is in a second on the clock; `share` is the part of the files that was moved. */
  readonly perSecond: (sizes: ClientSizes, count: number) => number;
  readonly count?: (sizes: ClientSizes) => number;
  readonly connections?: number;
  /** Held back on its way. */
  readonly held?: Hold;
  readonly targets: readonly ClientTarget[];
  readonly prepare: (ground: ClientGround, count: number) => Prepared;
};

export const GROUPS = {
  a: "One large file",
  b: "Many files of 1 KiB",
  c: "A mirror with nothing to do",
  d: "A long way",
  e: "Start",
} as const;

const level: ClientTarget = { kind: "wall", least: 1 };
const memory: ClientTarget = { kind: "memory", most: 60 };

/** Held back by the proxy: a long way whose single connections are slow, and one whose round trips count. */
export const SLOW_WAY: Hold = { oneWayMs: 25, underWay: 1_048_576 };
export const FAR_WAY: Hold = { oneWayMs: 10, underWay: 12_500_000 };

const seconds = (): number => 1;
const msPerFile = (_sizes: ClientSizes, count: number): number => 1_000 / count;

type Bulk = { readonly server: ServerName; readonly secure: boolean; readonly targets: readonly ClientTarget[] };

function large(direction: "get" | "put", { server, secure, targets }: Bulk): Task {
  return {
    id: `a-${direction}${secure ? "-tls" : ""}-${server}`,
    group: "a",
    title: `${direction === "get" ? "Download" : "Upload"} of a large file${secure ? " over TLS" : ""}, ${server}`,
    server,
    secure,
    unit: "s",
    perSecond: seconds,
    targets,
    prepare(ground) {
      const { big } = ground.sizes;
      if (direction === "get") {
        const to = join(emptyFolder(ground), "big.bin");
        return { job: { kind: "get", path: "/big.bin", to }, check: () => demandFile(to, big) };
      }
      const path = "/memory/big.bin";
      const from = join(ground.here, "big.bin");
      return { job: { kind: "put", from, path }, check: () => demandFile(join(ground.ground.root, path), big) };
    },
  };
}

type Crowd = Bulk & { readonly connections: number; readonly count: (sizes: ClientSizes) => number };

function many(direction: "get" | "put", { server, secure, targets, connections, count }: Crowd): Task {
  const how = connections === 1 ? "1 connection" : `${connections} connections`;
  return {
    id: `b-${direction}${secure ? "-tls" : ""}-${connections}-${server}`,
    group: "b",
    title: `${direction === "get" ? "Download" : "Upload"} of small files${secure ? " over TLS" : ""}, ${how}, ${server}`,
    server,
    secure,
    unit: "ms a file",
    perSecond: msPerFile,
    count,
    connections,
    targets,
    prepare: (ground, files) => movedFiles(direction, { ground, files, connections }),
  };
}

function movedFiles(
  direction: "get" | "put",
  {
    ground,
    files,
    connections,
  }: { readonly ground: ClientGround; readonly files: number; readonly connections: number },
): Prepared {
  if (direction === "get") {
    const [folder, to] = [servedFolder(ground, files), emptyFolder(ground)];
    return { job: { kind: "get-many", folder, count: files, to, connections }, check: () => demandFiles(to, files) };
  }
  const [from, folder] = [localFolder(ground, files), freshFolder(ground)];
  const check = (): void => demandFiles(join(ground.ground.root, folder), files);
  return { job: { kind: "put-many", from, count: files, folder, connections }, check };
}

function nothingToDo(server: ServerName): Task {
  return {
    id: `c-mirror-${server}`,
    group: "c",
    title: `Mirror that finds all as it was, ${server}`,
    server,
    secure: false,
    unit: "s",
    perSecond: seconds,
    targets: [level],
    prepare(ground) {
      const to = join(ground.here, "tree");
      return { job: { kind: "mirror", folder: TREE, to }, check: () => {} };
    },
  };
}

const segmented: Task = {
  id: "d-segments",
  group: "d",
  title: "Download in 4 segments over 50 ms, vsftpd",
  server: "vsftpd",
  secure: false,
  unit: "s",
  perSecond: seconds,
  held: SLOW_WAY,
  targets: [level],
  prepare(ground) {
    const to = join(emptyFolder(ground), "segmented.bin");
    const job = { kind: "get", path: "/segmented.bin", to, segments: 4 } as const;
    return { job, check: () => demandFile(to, ground.sizes.segmented) };
  },
};

const hauled: Task = {
  id: "d-files",
  group: "d",
  title: "Round trips for a small file by 1 connection, 20 ms each, vsftpd",
  server: "vsftpd",
  secure: false,
  unit: "round trips",
  perSecond: (_sizes, count) => 1_000 / (2 * FAR_WAY.oneWayMs) / count,
  count: ({ hauled: files }) => files,
  connections: 1,
  held: FAR_WAY,
  // 3.1 with the one of the data connection's own opening, which the proxy does not hold back.
  targets: [{ kind: "most", most: 2.1 }, level],
  prepare: (ground, files) => movedFiles("get", { ground, files, connections: 1 }),
};

const start: Task = {
  id: "e-ls",
  group: "e",
  title: "Listing of a short folder, from start to end, vsftpd",
  server: "vsftpd",
  secure: false,
  unit: "ms",
  perSecond: () => 1_000,
  targets: [{ kind: "wall", least: 1, rival: "curl" }],
  prepare: () => ({ job: { kind: "list", folder: "/uploads" }, check: () => {} }),
};

const files = (sizes: ClientSizes): number => sizes.files;
const ownFiles = (sizes: ClientSizes): number => sizes.ownFiles;
const secureFiles = (sizes: ClientSizes): number => sizes.secureFiles;

/** All of them, in the order in which they run. */
export const TASKS: readonly Task[] = [
  start,
  large("get", {
    server: "vsftpd",
    secure: false,
    targets: [{ kind: "wall", least: 1, rival: "curl" }, { kind: "cpu", most: 1, rival: "curl" }, level, memory],
  }),
  large("put", { server: "vsftpd", secure: false, targets: [level, memory] }),
  large("get", {
    server: "vsftpd",
    secure: true,
    targets: [{ kind: "cpu", most: 1, rival: "lftp" }, level, memory],
  }),
  large("put", { server: "vsftpd", secure: true, targets: [level, memory] }),
  many("get", {
    server: "vsftpd",
    secure: false,
    connections: 1,
    count: files,
    targets: [{ kind: "wall", least: 1, rival: "wget" }, level],
  }),
  many("get", {
    server: "vsftpd",
    secure: false,
    connections: 8,
    count: files,
    targets: [{ kind: "wall", least: 2, rival: "lftp" }, { kind: "most", most: 0.42 }, level],
  }),
  many("put", { server: "vsftpd", secure: false, connections: 1, count: files, targets: [level] }),
  many("put", { server: "vsftpd", secure: false, connections: 8, count: files, targets: [level] }),
  many("get", {
    server: "vsftpd",
    secure: true,
    connections: 1,
    count: secureFiles,
    targets: [{ kind: "most", most: 5 }, level],
  }),
  nothingToDo("vsftpd"),
  segmented,
  hauled,
  large("get", { server: "ferryman", secure: false, targets: [level] }),
  large("put", { server: "ferryman", secure: false, targets: [level] }),
  large("get", { server: "ferryman", secure: true, targets: [level] }),
  large("put", { server: "ferryman", secure: true, targets: [level] }),
  ...([1, 8] as const).flatMap((connections) =>
    (["get", "put"] as const).map((direction) =>
      many(direction, { server: "ferryman", secure: false, connections, count: ownFiles, targets: [level] }),
    ),
  ),
  many("get", {
    server: "ferryman",
    secure: true,
    connections: 1,
    count: secureFiles,
    targets: [{ kind: "most", most: 5 }, level],
  }),
  nothingToDo("ferryman"),
];

/**
 * Why a target was missed, in a few words with what was measured. The key is the row and the target: "a-get-vsftpd wall
 * curl", "a-get-vsftpd wall" (of the best rival), "… cpu lftp", "… memory", "… most". Shown beside a missed target alone.
 */
export const REMARKS: Readonly<Record<string, string>> = {
  "e-ls wall curl": "Node alone starts in 40 ms; the rest is the command's JavaScript: 0.11 s of processor in all",
  "a-get-vsftpd cpu curl": "0.1 s of it is the start of Node and of the command",
  "a-get-vsftpd wall": "0.1 s is the start of Node and of the command",
  "a-get-vsftpd memory":
    "Node alone has 43 MiB, its native calls 3, our code 8, buffers and the first compilation the rest",
  "a-put-vsftpd wall":
    "0.36 s of processor, less than all others; the rest of the second is waiting, for what was not looked into",
  "a-put-vsftpd memory": "as for the download: Node alone has 43 MiB",
  "a-get-tls-vsftpd memory": "TLS of Node: its engine, and records that are copied into JavaScript",
  "a-put-tls-vsftpd wall": "level with the best, a round is 1.45 to 3.1 s",
  "a-put-tls-vsftpd memory": "TLS of Node: its engine, and records that are copied from JavaScript",
  "b-get-1-vsftpd wall wget":
    "0.7 ms of processor for each file, start included, and wget 0.24: promises and calls of Node",
  "b-get-1-vsftpd wall": "0.7 ms of processor for each file, start included, and wget 0.24: promises and calls of Node",
  "b-get-8-vsftpd wall lftp":
    "one thread of JavaScript serves all eight: 0.5 ms of processor for each file, lftp 0.3 in all",
  "b-get-8-vsftpd most": "one thread of JavaScript serves all eight: 0.5 ms of processor for each file",
  "b-get-8-vsftpd wall": "one thread of JavaScript serves all eight: 0.5 ms of processor for each file",
  "b-put-1-vsftpd wall": "within the spread of the rounds; each file is asked for its size and gets its time",
  "b-put-8-vsftpd wall": "one thread of JavaScript serves all eight",
  "c-mirror-vsftpd wall":
    "25 µs of JavaScript for each of the entries on one thread; lftp takes 13 s, wget as long as we",
  "d-segments wall": "0.35 s more of processor than lftp: the start, and the journal that a kill leaves to go on with",
  "d-files most": "start, login and listing are in it; wget 3.3, lftp 4.4",
  "a-get-ferryman wall": "0.1 s is the start of Node and of the command; one round alone",
  "a-put-ferryman wall": "one round alone: the time was up",
  "a-get-tls-ferryman wall": "one round alone, and level with the best within its spread",
  "a-put-tls-ferryman wall": "one round alone; 0.94 s of processor, curl 0.98, lftp 1.5",
  "b-get-1-ferryman wall": "0.8 ms of processor for each file, wget 0.23",
  "b-put-1-ferryman wall": "1 ms of processor for each file, lftp 0.56",
  "b-get-8-ferryman wall": "client and server share two processors, and one thread serves all eight connections",
  "b-put-8-ferryman wall": "client and server share two processors, and one thread serves all eight connections",
};

export function remarkKey(id: string, aim: ClientTarget): string {
  const rival = "rival" in aim && aim.rival !== undefined ? ` ${aim.rival}` : "";
  return `${id} ${aim.kind}${rival}`;
}

/** A run with the remarks of today: they are written when its figures are known. */
export function withRemarks(found: ClientReport, remarks: Readonly<Record<string, string>> = REMARKS): ClientReport {
  return remarked(found, (id, aim: ClientTarget) => remarks[remarkKey(id, aim)]);
}
