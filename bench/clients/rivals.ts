/** The clients, in the order of the tables, each with the words that its users would choose for a job. */
import { writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { smallName } from "../ground.ts";
import { debianClients, unpackedClient } from "../peers/debian.ts";
import { COMMAND, builtPackage } from "../peers/ferryman.ts";
import { findProgram, run } from "../processes.ts";
import { HOST, type Job, type Rival, type Words, urlOf } from "./job.ts";

const missing = (why: string): Words => ({ missing: why });
/** For a client that has a thing, though not in one command. */
const BY_HAND = missing("not offered: only by hand");

const ferryman: Rival = {
  name: "ferryman",
  setup:
    "The built package. `get` and `put` for one file, `mirror -P N --connections N` for many, `get -n 4` for segments; its notes of hosts are kept from one round to the next, as they are in use.",
  absent: builtPackage,
  version: async () => `Ferryman ${(await run(COMMAND[0] ?? "", [...COMMAND.slice(1), "--version"])).trim()}`,
  environment: ({ state }) => ({
    XDG_STATE_HOME: join(state, "state"),
    XDG_CONFIG_HOME: join(state, "config"),
    HOME: state,
  }),
  words(job, where) {
    const tls = where.secure ? ["--tls", "explicit", "--tls-trust", "any"] : ["--tls", "off"];
    const call = (name: string, ...rest: readonly string[]): Words => [...COMMAND, name, "-q", ...tls, ...rest];
    const at = (path: string): string => urlOf(where, path);
    switch (job.kind) {
      case "get": {
        const segments = job.segments === undefined ? [] : ["-n", String(job.segments)];
        return call("get", ...segments, at(job.path), "-o", job.to);
      }
      case "put":
        return call("put", job.from, at(job.path));
      case "get-many":
        return call("mirror", ...crowd(job), `${at(job.folder)}/`, job.to);
      case "put-many":
        return call("mirror", ...crowd(job), job.from, at(job.folder));
      case "mirror":
        return call("mirror", `${at(job.folder)}/`, job.to);
      default:
        return call("ls", `${at(job.folder)}/`);
    }
  },
};

function crowd({ connections }: { readonly connections: number }): readonly string[] {
  return ["-P", String(connections), "--connections", String(connections)];
}

const lftp: Rival = {
  name: "lftp",
  setup:
    "`--norc`; `mirror` with `--parallel=N` for many files, `pget -n 4` for segments; certificates not checked; MODE Z off, which it takes wherever it is offered: with ours it would deflate files of random octets for seconds.",
  absent: async () => absentProgram("lftp"),
  version: async () =>
    /LFTP \| Version ([\d.]+)/.exec(await run("lftp", ["--version"]))?.[0]?.replace(" | Version", "") ?? "?",
  environment: ({ state }) => ({ HOME: state }),
  words(job, where) {
    const { port, user, password, secure } = where;
    const force = secure
      ? ["set ssl:verify-certificate no", "set ftp:ssl-force yes", "set ftp:ssl-protect-data yes"]
      : ["set ftp:ssl-allow no"];
    const open = `open -u ${user},${password} ftp://${HOST}:${port}`;
    const script = [...force, "set ftp:use-mode-z no", "set cmd:fail-exit yes", open, lftpCommand(job)].join("; ");
    return ["lftp", "--norc", "-c", script];
  },
};

function lftpCommand(job: Job): string {
  switch (job.kind) {
    case "get":
      return `${job.segments === undefined ? "get" : `pget -n ${job.segments}`} ${job.path} -o ${job.to}`;
    case "put":
      return `put ${job.from} -o ${job.path}`;
    case "get-many":
      return `mirror --parallel=${job.connections} ${job.folder} ${job.to}`;
    case "put-many":
      return `mirror -R --parallel=${job.connections} ${job.from} ${job.folder}`;
    case "mirror":
      return `mirror ${job.folder} ${job.to}`;
    default:
      return `cls ${job.folder}`;
  }
}

function curlCrowd({ connections }: { readonly connections: number }): readonly string[] {
  const parallel = connections > 1 ? ["-Z", "--parallel-max", String(connections)] : [];
  return ["--ftp-method", "nocwd", ...parallel];
}

const curl: Rival = {
  name: "curl",
  setup:
    "`-sS`, certificates not checked. Many files by the pattern `[0-N]`, with `--ftp-method nocwd`, which takes a twelfth of the time of its default, and `-Z --parallel-max 8`.",
  absent: async () => absentProgram("curl"),
  version: async () => firstWords(await run("curl", ["--version"]), 2),
  share: (connections, secure) => (secure ? 0.1 : connections === 1 ? 0.004 : 1),
  words(job, where) {
    const start = ["curl", "-sS", ...(where.secure ? ["--ssl-reqd", "-k"] : [])];
    const at = (path: string): string => urlOf(where, path);
    switch (job.kind) {
      case "get":
        return job.segments === undefined ? [...start, at(job.path), "-o", job.to] : BY_HAND;
      case "put":
        return [...start, "-T", job.from, at(job.path)];
      case "get-many": {
        const names = smallName(`[0-${job.count - 1}]`);
        return [...start, ...curlCrowd(job), at(`${job.folder}/${names}`), "-o", join(job.to, smallName("#1"))];
      }
      case "put-many": {
        const names = join(job.from, smallName(`[0-${job.count - 1}]`));
        return [...start, ...curlCrowd(job), "-T", names, `${at(job.folder)}/`];
      }
      case "mirror":
        return missing("not offered: it has no mirror");
      default:
        return [...start, `${at(job.folder)}/`];
    }
  },
};

const wget: Rival = {
  name: "wget",
  setup:
    "`-q`, certificates not checked; `-r` for many files, by one connection, `-m` for the mirror. It uploads nothing.",
  absent: async () => absentProgram("wget"),
  version: async () => firstWords(await run("wget", ["--version"]), 3),
  words(job, where) {
    const start = ["wget", "-q", "--no-config", ...(where.secure ? ["--no-check-certificate"] : [])];
    const at = (path: string): string => urlOf(where, path, where.secure ? "ftps" : "ftp");
    switch (job.kind) {
      case "get":
        return job.segments === undefined
          ? [...start, at(job.path), "-O", job.to]
          : missing("not offered: no segments");
      case "get-many":
        if (job.connections > 1) return missing("not offered: one connection alone");
        return [...start, "-r", "-nH", "--cut-dirs", levelsOf(job.folder), "-P", job.to, `${at(job.folder)}/`];
      case "mirror":
        return [...start, "-m", "-nH", "--cut-dirs", levelsOf(job.folder), "-P", job.to, `${at(job.folder)}/`];
      case "put":
      case "put-many":
        return missing("not offered: no uploads");
      default:
        return missing("not offered: no listings alone");
    }
  },
};

function levelsOf(folder: string): string {
  return String(folder.split("/").filter(Boolean).length);
}

const aria2: Rival = {
  name: "aria2c",
  setup:
    "From Debian, unpacked beside the benchmark. `-x1 -s1`, `-x4 -s4 -k1M` for segments; many files from a list. No TLS, no uploads.",
  absent: debianClients,
  version: async () => {
    const { program, environment } = unpackedClient("aria2c");
    return firstWords(await run(program, ["--version"], { environment }), 3);
  },
  environment: () => unpackedClient("aria2c").environment,
  // It signs in anew for most files.
  share: () => 0.02,
  words(job, where) {
    const { program } = unpackedClient("aria2c");
    const start = [program, "-q", "--no-conf", "--file-allocation=none", "--allow-overwrite=true"];
    if (where.secure) return missing("not offered: no FTP over TLS");
    switch (job.kind) {
      case "get": {
        const count = String(job.segments ?? 1);
        const target = ["-d", dirname(job.to), "-o", basename(job.to)];
        return [...start, `-x${count}`, `-s${count}`, "-k1M", ...target, urlOf(where, job.path)];
      }
      case "get-many": {
        const list = join(where.state, "aria2-list");
        const urls = Array.from({ length: job.count }, (_, at) => urlOf(where, `${job.folder}/${smallName(at)}`));
        writeFileSync(list, `${urls.join("\n")}\n`);
        return [...start, "-i", list, "-d", job.to, "-j", String(job.connections), "-x1", "-s1"];
      }
      case "put":
      case "put-many":
        return missing("not offered: no uploads");
      case "mirror":
        return missing("not offered: it has no mirror");
      default:
        return missing("not offered: it never lists");
    }
  },
};

/** Its passwords are to be given in a form of its own. */
const obscured = new Map<string, string>();

function rcloneAt(path: string): string {
  return `:ftp:${path}`;
}

function rcloneCrowd({ connections }: { readonly connections: number }): readonly string[] {
  return ["--transfers", String(connections), "--checkers", String(connections)];
}

const rclone: Rival = {
  name: "rclone",
  setup:
    "From Debian, unpacked beside the benchmark. `copyto`, `copy --transfers N --checkers N`, and `sync --size-only`, as it copies all anew where listings have times of minutes; 4 streams for segments, else one.",
  async absent() {
    const reason = await debianClients();
    if (reason === undefined) await obscureAll();
    return reason;
  },
  version: async () => firstWords(await run(unpackedClient("rclone").program, ["version"]), 2),
  environment: ({ port, user, password, secure, state }) => ({
    RCLONE_CONFIG: "/dev/null",
    HOME: state,
    RCLONE_FTP_HOST: HOST,
    RCLONE_FTP_PORT: String(port),
    RCLONE_FTP_USER: user,
    RCLONE_FTP_PASS: obscured.get(password) ?? "",
    RCLONE_FTP_EXPLICIT_TLS: String(secure),
    RCLONE_FTP_NO_CHECK_CERTIFICATE: "true",
  }),
  words(job) {
    const { program } = unpackedClient("rclone");
    const start = (name: string): readonly string[] => [program, name, "-q", "--retries", "1"];
    switch (job.kind) {
      case "get": {
        const streams = ["--multi-thread-streams", String(job.segments ?? 0), "--multi-thread-cutoff", "1M"];
        return [...start("copyto"), ...streams, rcloneAt(job.path), job.to];
      }
      case "put":
        return [...start("copyto"), job.from, rcloneAt(job.path)];
      case "get-many":
        return [...start("copy"), ...rcloneCrowd(job), rcloneAt(job.folder), job.to];
      case "put-many":
        return [...start("copy"), ...rcloneCrowd(job), job.from, rcloneAt(job.folder)];
      case "mirror":
        return [...start("sync"), "--size-only", rcloneAt(job.folder), job.to];
      default:
        return [...start("lsf"), rcloneAt(job.folder)];
    }
  },
};

/** For passwords of the benchmark, which are no secrets. @param passwords that servers of it have. */
async function obscureAll(passwords: readonly string[] = PASSWORDS): Promise<void> {
  for (const password of passwords) {
    obscured.set(password, (await run(unpackedClient("rclone").program, ["obscure", password])).trim());
  }
}

/** Of `Ground.password` and of guests. */
const PASSWORDS = ["bench-password", "bench@localhost"];

const SCRIPT = join(import.meta.dirname, "basic-ftp.ts");

const basicFtp: Rival = {
  name: "basic-ftp",
  setup:
    "A script of ours on the same Node: `downloadTo`, `uploadFrom`, `downloadToDir`, `uploadFromDir`; for 8 connections 8 of its clients, which take turns, as its manual says.",
  absent: async () => undefined,
  version: async () =>
    `basic-ftp ${(await import("basic-ftp/package.json", { with: { type: "json" } })).default.version}`,
  words(job, where) {
    if (job.kind === "mirror") return missing("not offered: it has no mirror");
    if (job.kind === "get" && job.segments !== undefined) return BY_HAND;
    return [process.execPath, SCRIPT, JSON.stringify({ job, where })];
  },
};

function absentProgram(name: string): string | undefined {
  return findProgram(name) === undefined ? `there is no ${name} here` : undefined;
}

function firstWords(text: string, count: number): string {
  return text.trim().split(/\s+/).slice(0, count).join(" ");
}

export const RIVALS: readonly Rival[] = [ferryman, lftp, curl, wget, aria2, rclone, basicFtp];
