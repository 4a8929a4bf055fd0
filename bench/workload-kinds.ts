/** How workloads are made: what the load generator is told for each kind of them, and what its answer says. */
import { FRESH_FOLDER, MEBIBYTE, type Sizes } from "./ground.ts";
import type { LoadResult, Row, Target, Workload } from "./workload.ts";

export const faster = (least: number): Target => ({ kind: "ratio", least });
export const lighter = (most: number): Target => ({ kind: "cpu", most });
export const atMost = (most: number): Target => ({ kind: "value", most });

const throughput = ({ bytes = 0, seconds }: LoadResult): number => bytes / MEBIBYTE / seconds;
const rate = ({ operations = 0, seconds }: LoadResult): number => operations / seconds;
const millisecondsEach = ({ operations = 1, seconds }: LoadResult): number => (seconds * 1_000) / operations;

/** Where the small files are, for the load generator. */
export const SMALL_FILES = "/small/file-%d.bin";

/** The first ones of them. */
export function smallFiles(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => SMALL_FILES.replace("%d", String(at)));
}

type Bulk = {
  readonly id: string;
  readonly sessions: number;
  readonly targets?: readonly Target[];
  readonly secure?: boolean;
  readonly quick?: boolean;
};

type Download = { readonly path: string; readonly times: number; readonly octets: (sizes: Sizes) => number };

/** What each session fetches: of several sessions and over TLS less, so that the whole stays in time. */
function download(sessions: number, secure: boolean): Download {
  if (sessions > 4) return { path: "/middle.bin", times: 1, octets: ({ middle }) => middle };
  if (sessions === 1 && !secure) return { path: "/big.bin", times: 1, octets: ({ big }) => big };
  return { path: "/large.bin", times: sessions > 1 && secure ? 1 : 2, octets: ({ large }) => large };
}

/** Octets that each session uploads: of several and over TLS half of it. */
function portion({ upload }: Sizes, { sessions, secure = false }: Pick<Bulk, "sessions" | "secure">): number {
  return Math.ceil(upload / (sessions > 1 ? 2 : 1) / (secure ? 2 : 1));
}

export function retr({ id, sessions, targets = [], secure = false, quick = true }: Bulk): Workload {
  const { path, times, octets } = download(sessions, secure);
  const words = ["--sessions", String(sessions), "--path", path, "--repeat", String(times)];
  return {
    kind: "load",
    group: secure ? "c" : "a",
    login: "files",
    load: () => ["retr", ...words, ...(secure ? ["--tls"] : [])],
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
    complaint: ({ bytes = 0 }, sizes) => tooFew("octets", bytes, sessions * times * octets(sizes)),
    raw: (_, root) => ["raw-down", "--sessions", String(sessions), "--path", `${root}${path}`],
    reads: () => [path],
    quick,
    seconds: secure ? 0.8 : 0.75,
  };
}

export function stor(bulk: Bulk & { readonly folder: "incoming" | "memory" }): Workload {
  const { id, sessions, targets = [], secure = false, quick = true, folder } = bulk;
  const size = (sizes: Sizes): readonly string[] => [
    "--sessions",
    String(sessions),
    "--size",
    String(portion(sizes, { sessions, secure })),
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
    fills: (sizes) => ({ folder, octets: sessions * portion(sizes, { sessions, secure }) }),
    quick,
    seconds: secure ? 1 : 0.9,
  };
}

export function small(
  what: "retr" | "stor",
  { id, sessions, targets = [], secure = false, quick = true }: Bulk,
): Workload {
  const path = what === "retr" ? SMALL_FILES : `${FRESH_FOLDER}/up-%d.bin`;
  const more = (sessions > 1 ? 2 : 1) * (what === "stor" ? 0.5 : 1);
  const files = (sizes: Sizes, share: number): number =>
    Math.max(sessions, Math.round((secure ? sizes.secureMoved : sizes.moved) * more * share));
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
    seconds: 0.85,
  };
}

type Logins = Bulk & { readonly login?: keyof typeof WHO };

const WHO = {
  guest: "guests",
  hashed: "users with the same sha512-crypt hash",
  argon2id: "users with the same argon2id hash",
} as const;
/** Of the logins of guests those of users are a part: servers that ask PAM take 20 ms for each. */
const USERS_PART = 0.5;

export function logins({
  id,
  sessions,
  targets = [],
  secure = false,
  quick = true,
  login = "guest",
}: Logins): Workload {
  const part = login === "guest" ? 1 : USERS_PART;
  const repeat = ({ logins: many }: Sizes, share: number): number =>
    Math.max(1, Math.round((many * part * share) / sessions));
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
        title: `${secure ? "TLS logins" : "Logins"} of ${WHO[login]}, ${sessions === 1 ? "one after another" : `${sessions} at once`}`,
        unit: "logins/s",
        better: "higher",
        of: rate,
        targets,
      },
    ],
    quick,
    seconds: 0.6,
  };
}

/** Entries of the folder `few/`. */
const FEW = 1_000;

export function listing(verb: "LIST" | "MLSD" | "NLST", many: boolean): Workload {
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
    seconds: many ? 0.75 : 0.25,
  };
}

export function idle(id: string, { sessions, secure, targets, quick }: Required<Omit<Bulk, "id">>): Workload {
  return {
    kind: "idle",
    group: "g",
    login: "guest",
    load: (sizes, share) => [
      "idle",
      "--sessions",
      String(Math.round(Math.min(sessions, secure ? sizes.secureIdle : sizes.idle) * share)),
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
    seconds: sessions > 1_000 ? 4.5 : 2.5,
  };
}

export function noop(beside: { readonly id: string; readonly idle: number; readonly busy: number }): Workload {
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
    seconds: busy > 0 ? 1.3 : 1.8,
  };
}

type Haul = {
  readonly title: string;
  readonly load: readonly string[];
  readonly reads: readonly string[];
  readonly seconds: number;
};

export function haul(id: string, { title, load, reads, seconds }: Haul): Workload {
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
  };
}

export function text(id: string, { title, more }: { title: string; more: readonly string[] }): Workload {
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
    seconds: 0.7,
  };
}

const DIGESTS = 4;

export const START: Workload = {
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
  seconds: 0.4,
};

export const HASH: Workload = {
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
  seconds: 0.3,
};

function tooFew(what: string, found: number, wanted: number): string | undefined {
  return found < wanted ? `${found} ${what} came instead of ${wanted}` : undefined;
}

function plural(sessions: number): string {
  return sessions === 1 ? "1 session" : `${sessions} sessions`;
}
