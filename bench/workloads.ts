/** The workloads as a table: (a) to (k) of the benchmark, with their targets. */
import type { Sizes } from "./ground.ts";
import type { LoadResult, Row, Target, Workload } from "./workload.ts";

const MEBIBYTE = 1_048_576;
const faster = (least: number): Target => ({ kind: "ratio", least });
const lighter = (most: number): Target => ({ kind: "cpu", most });
const atMost = (most: number): Target => ({ kind: "value", most });

const throughput = ({ bytes = 0, seconds }: LoadResult): number => bytes / MEBIBYTE / seconds;
const rate = ({ operations = 0, seconds }: LoadResult): number => operations / seconds;
const millisecondsEach = ({ operations = 1, seconds }: LoadResult): number => (seconds * 1_000) / operations;

/** Where the small files are, for the load generator, and how many of them go the long way. */
const [SMALL_FILES, HAULED] = ["/small/file-%d.bin", 8];

/** The first ones of them. */
function smallFiles(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => SMALL_FILES.replace("%d", String(at)));
}

type Bulk = {
  readonly id: string;
  readonly sessions: number;
  readonly targets?: readonly Target[];
  readonly secure?: boolean;
  readonly quick?: boolean;
};

/** Octets that one session uploads: with several less each, so that the disk does not decide. */
function portion({ big }: Sizes, sessions: number): number {
  return sessions > 1 ? big / 2 : big;
}

function retr({ id, sessions, targets = [], secure = false, quick = true }: Bulk): Workload {
  // With many sessions less each, so that the whole stays in time.
  const file = sessions > 4 ? "/middle.bin" : "/big.bin";
  return {
    kind: "load",
    group: secure ? "c" : "a",
    login: "files",
    load: () => ["retr", "--sessions", String(sessions), "--path", file, ...(secure ? ["--tls"] : [])],
    rows: [
      {
        id,
        title: `${secure ? "TLS " : ""}RETR, ${plural(sessions)}`,
        unit: "MiB/s",
        better: "higher",
        of: throughput,
        targets,
      },
    ],
    complaint: ({ bytes = 0 }, { big, middle }) => tooFew("octets", bytes, sessions * (sessions > 4 ? middle : big)),
    raw: (_, root) => ["raw-down", "--sessions", String(sessions), "--path", `${root}${file}`],
    reads: () => [file],
    quick,
    seconds: secure ? 1.5 : 0.7,
  };
}

function stor(bulk: Bulk & { readonly folder: "incoming" | "memory" }): Workload {
  const { id, sessions, targets = [], secure = false, quick = true, folder } = bulk;
  const size = (sizes: Sizes): readonly string[] => [
    "--sessions",
    String(sessions),
    "--size",
    String(portion(sizes, sessions)),
  ];
  const place = folder === "memory" ? "memory" : "disk";
  return {
    kind: "load",
    group: secure ? "c" : "b",
    login: "files",
    load: (sizes) => ["stor", ...size(sizes), "--path", `/${folder}/up`, ...(secure ? ["--tls"] : [])],
    rows: [
      {
        id,
        title: `${secure ? "TLS " : ""}STOR to ${place}, ${plural(sessions)}`,
        unit: "MiB/s",
        better: "higher",
        of: throughput,
        targets,
      },
    ],
    raw: (sizes, root) => ["raw-up", ...size(sizes), "--path", `${root}/${folder}/raw`],
    quick,
    seconds: secure ? 1.5 : 1,
  };
}

function small(what: "retr" | "stor", { id, sessions, targets = [], secure = false, quick = true }: Bulk): Workload {
  const path = what === "retr" ? SMALL_FILES : "/incoming/up-%d.bin";
  const files = (sizes: Sizes, share: number): number =>
    Math.max(sessions, Math.round((secure ? sizes.secureFiles : sizes.files) * share));
  return {
    kind: "load",
    group: secure ? "c-small" : "d",
    login: "files",
    load: (sizes, share) => [
      `small-${what}`,
      "--sessions",
      String(sessions),
      "--path",
      path,
      "--size",
      "1024",
      "--files",
      String(files(sizes, share)),
      ...(secure ? ["--tls"] : []),
    ],
    reads: (sizes, share) => (what === "retr" ? smallFiles(files(sizes, share)) : []),
    rows: [
      {
        id,
        title: `${secure ? "TLS " : ""}${what.toUpperCase()} of 1 KiB files, ${plural(sessions)}`,
        unit: "files/s",
        better: "higher",
        of: rate,
        targets,
      },
    ],
    quick,
    seconds: 2,
  };
}

type Logins = Bulk & { readonly login?: "guest" | "hashed" };

function logins({ id, sessions, targets = [], secure = false, quick = true, login = "guest" }: Logins): Workload {
  const repeat = (sizes: Sizes, share: number): number => Math.max(1, Math.round((sizes.logins * share) / sessions));
  const who = login === "guest" ? "guests" : "users with the same argon2id hash";
  return {
    kind: "load",
    group: "e",
    login,
    load: (sizes, share) => [
      "login",
      "--sessions",
      String(sessions),
      "--repeat",
      String(repeat(sizes, share)),
      ...(secure ? ["--tls"] : []),
    ],
    rows: [
      {
        id,
        title: `${secure ? "TLS " : ""}logins of ${who}, ${sessions === 1 ? "one after another" : `${sessions} at once`}`,
        unit: "logins/s",
        better: "higher",
        of: rate,
        targets,
      },
    ],
    quick,
    seconds: 1,
  };
}

/** Entries of the folder `few/`. */
const FEW = 1_000;

function listing(verb: "LIST" | "MLSD" | "NLST", many: boolean): Workload {
  const targets = verb === "NLST" ? [] : [faster(1.1)];
  const folder = many ? "/many" : "/few";
  return {
    kind: "load",
    group: "f",
    login: "files",
    load: () => ["list", "--verb", verb, "--path", folder, "--repeat", many ? "1" : "20"],
    reads: () => [folder],
    rows: [
      {
        id: `f-${verb.toLowerCase()}-${many ? "many" : "few"}`,
        title: `${verb} of ${many ? "the large folder" : "1,000 entries"}`,
        unit: "ms",
        better: "lower",
        of: millisecondsEach,
        targets,
      },
    ],
    complaint: ({ lines = 0 }, { entries }) => tooFew("lines", lines, many ? entries : FEW * 20),
    quick: verb !== "NLST",
    seconds: many ? 1 : 0.3,
  };
}

function idle(id: string, { sessions, secure, targets, quick }: Required<Omit<Bulk, "id">>): Workload {
  return {
    kind: "idle",
    group: "g",
    login: "guest",
    load: (sizes, share) => [
      "idle",
      "--sessions",
      String(Math.round(Math.min(sessions, sizes.idle) * share)),
      ...(secure ? ["--tls"] : []),
    ],
    rows: [
      {
        id,
        title: `Memory of an idle ${secure ? "TLS " : ""}session, ${sessions > 1_000 ? "thousands" : "1,000"} of them`,
        unit: "KiB",
        better: "lower",
        of: ({ bytes = 0 }) => bytes / 1_024,
        targets,
      },
    ],
    quick,
    seconds: sessions > 1_000 ? 25 : 6,
    mostRounds: 1,
  };
}

function noop(beside: { readonly id: string; readonly idle: number; readonly busy: number }): Workload {
  const { id, idle: waiting, busy } = beside;
  const what = busy > 0 ? `${busy} busy sessions` : `${waiting.toLocaleString("en")} idle sessions`;
  const others = (share: number): readonly string[] =>
    busy > 0
      ? ["--busy", String(busy), "--path", "/middle.bin", "--pace", String(4 * MEBIBYTE)]
      : ["--idle", String(Math.round(waiting * share))];
  const row = (which: "p50" | "p99", of: (result: LoadResult) => number, targets: readonly Target[]): Row => ({
    id: `${id}-${which}`,
    title: `NOOP beside ${what}, ${which}`,
    unit: "µs",
    better: "lower",
    of,
    targets,
  });
  return {
    kind: "load",
    group: "h",
    login: "files",
    load: ({ probes }, share) => ["noop", "--repeat", String(probes), ...others(share)],
    reads: () => (busy > 0 ? ["/middle.bin"] : []),
    rows: [
      row("p50", ({ p50us = NaN }) => p50us, []),
      row("p99", ({ p99us = NaN }) => p99us, busy > 0 ? [faster(0.8)] : []),
    ],
    quick: busy > 0,
    seconds: busy > 0 ? 2 : 5,
    mostRounds: 3,
  };
}

type Haul = {
  readonly title: string;
  readonly load: readonly string[];
  readonly reads: readonly string[];
  readonly seconds: number;
};

function haul(id: string, { title, load, reads, seconds }: Haul): Workload {
  const isSmall = load[0] === "small-retr";
  const [unit, of] = isSmall ? (["files/s", rate] as const) : (["MiB/s", throughput] as const);
  return {
    kind: "haul",
    group: "i",
    login: "files",
    load: () => load,
    reads: () => reads,
    rows: [{ id, title, unit, better: "higher", of, targets: [] }],
    quick: false,
    seconds,
    mostRounds: 2,
  };
}

function text(id: string, { title, more }: { title: string; more: readonly string[] }): Workload {
  return {
    kind: "load",
    group: "k",
    login: "files",
    load: () => ["retr", "--path", "/text.txt", ...more],
    reads: () => ["/text.txt"],
    // Octets of the file: on the wire there are more with ASCII's CRs, and fewer with MODE Z.
    rows: [
      {
        id,
        title,
        unit: "MiB/s",
        better: "higher",
        of: (result, sizes) => sizes.text / MEBIBYTE / result.seconds,
        targets: [],
      },
    ],
    quick: false,
    seconds: 1.5,
    mostRounds: 3,
  };
}

const DIGESTS = 4;

const START: Workload = {
  kind: "start",
  group: "j",
  login: "guest",
  load: () => [],
  rows: [
    {
      id: "j-start",
      title: "Start to the first accepted login",
      unit: "ms",
      better: "lower",
      of: ({ seconds }) => seconds * 1_000,
      targets: [atMost(250)],
    },
  ],
  quick: true,
  seconds: 0.5,
};

const HASH: Workload = {
  kind: "load",
  group: "k",
  login: "files",
  load: () => ["command", "--command", "XSHA256 /middle.bin", "--repeat", String(DIGESTS)],
  reads: () => ["/middle.bin"],
  rows: [
    {
      id: "k-hash",
      title: "SHA-256 of a file (XSHA256)",
      unit: "MiB/s",
      better: "higher",
      of: ({ seconds }, sizes) => (sizes.middle * DIGESTS) / MEBIBYTE / seconds,
      targets: [],
    },
  ],
  quick: false,
  seconds: 1,
  mostRounds: 3,
};

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
  ...[false, true].flatMap((many) => (["LIST", "MLSD", "NLST"] as const).map((verb) => listing(verb, many))),
  noop({ id: "h-idle", idle: 1_000, busy: 0 }),
  noop({ id: "h-busy", idle: 0, busy: 100 }),
  haul("i-bulk", {
    title: "RETR over 100 ms",
    load: ["retr", "--path", "/middle.bin"],
    reads: ["/middle.bin"],
    seconds: 3,
  }),
  haul("i-small", {
    title: "RETR of 1 KiB files over 100 ms",
    load: ["small-retr", "--path", SMALL_FILES, "--files", String(HAULED)],
    reads: smallFiles(HAULED),
    seconds: 4,
  }),
  START,
  text("k-ascii", { title: "RETR of a text in ASCII", more: ["--type", "A"] }),
  text("k-deflate", { title: "RETR of a text in MODE Z", more: ["--mode-z"] }),
  HASH,
  idle("g-1000", { sessions: 1_000, secure: false, targets: [], quick: false }),
  idle("g-10000", { sessions: 10_000, secure: false, targets: [atMost(10)], quick: true }),
  idle("g-tls-10000", { sessions: 10_000, secure: true, targets: [atMost(60)], quick: false }),
];

function tooFew(what: string, found: number, wanted: number): string | undefined {
  return found < wanted ? `${found} ${what} came instead of ${wanted}` : undefined;
}

function plural(sessions: number): string {
  return sessions === 1 ? "1 session" : `${sessions} sessions`;
}
