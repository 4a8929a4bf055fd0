/**
 * A network, a table of mounts and a table of processes of its own for the run: no other's ports or TIME_WAIT, loopback
 * with nothing beside it, a tmpfs that nobody else sees, and whatever is left at the end goes with the namespace.
 */
import { spawn } from "node:child_process";
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { removeGroup } from "./meter.ts";
import { closeOf, findProgram, isRoot, run } from "./processes.ts";

/** Set in the inner process: the folder of the run. */
const INSIDE = "BENCH_FOLDER";
/** Ports that clients of the benchmark connect from: beside the ranges for passive ports of all servers. */
const CLIENT_PORTS = "30001 49000";
/**
 * The first that may be had, for all servers and the load generator: cubic is the default of most systems. BBR paces, and
 * over loopback its pacing is what would be measured: the same upload took from one to four times as long.
 */
const CONGESTION_CONTROL = ["cubic", "reno"];
/** System users that the servers want: theirs for anonymous sessions, and for what has no rights. */
const USERS = "ftp:x:64990:64990::/:/bin/false\n";

export type Surroundings = {
  readonly folder: string;
  readonly isolated: boolean;
  /** Servers that cannot run, each with the reason. */
  readonly absent: Absent;
};
const absences = z.record(z.string(), z.string());
type Absent = Readonly<Record<string, string>>;

export type Parts = {
  /** Fetches what comes from elsewhere, while there is a network. */
  readonly provide: () => Promise<Absent>;
  readonly work: (around: Surroundings) => Promise<number>;
};

/**
 * Runs `work` in a folder of its own, and in namespaces of its own where this process may make them. The outer process
 * does nothing but wait and clear up, so that Ctrl-C or a kill of the inner one leaves no file.
 */
export async function surrounded(parent: string | undefined, { provide, work }: Parts): Promise<number> {
  const inner = process.env[INSIDE];
  if (inner !== undefined) {
    delete process.env[INSIDE];
    await arrange(inner);
    const absent = absences.parse(JSON.parse(readFileSync(join(inner, ABSENT), "utf8")));
    return await work({ folder: inner, isolated: true, absent });
  }
  const absent = await provide();
  const folder = mkdtempSync(join(parent ?? tmpdir(), "ferryman-bench-"));
  try {
    const unshare = isRoot() && findProgram("ip") !== undefined ? findProgram("unshare") : undefined;
    if (unshare === undefined || !(await mayUnshare(unshare))) return await work({ folder, isolated: false, absent });
    writeFileSync(join(folder, ABSENT), JSON.stringify(absent));
    return await inNamespace(unshare, folder);
  } finally {
    // Where the inner process was killed, it is still there.
    await removeGroup(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function inNamespace(unshare: string, folder: string): Promise<number> {
  const command = [...UNSHARE, ...REAPER, process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn(unshare, command, { stdio: "inherit", env: { ...process.env, [INSIDE]: folder } });
  // A terminal sends Ctrl-C to the inner process too, which ends in order and lets this one end. A second one is an order.
  let asked = 0;
  const stop = (): void => {
    asked += 1;
    if (asked > 1) child.kill("SIGKILL");
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", () => child.kill("SIGKILL"));
  const [code] = await closeOf(child);
  return code ?? 1;
}

/** Which servers cannot run: a file in the folder of the run. */
const ABSENT = "absent.json";
const UNSHARE = ["--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL"];

/** The first process of a namespace inherits orphans: a shell collects them, Node would leave them as zombies. */
const REAPER = ["sh", "-c", '"$@"; exit $?', "sh"];

async function mayUnshare(unshare: string): Promise<boolean> {
  return await run(unshare, [...UNSHARE, "true"]).then(
    () => true,
    () => false,
  );
}

async function arrange(folder: string): Promise<void> {
  await run("ip", ["link", "set", "lo", "up"]);
  writeFileSync("/proc/sys/net/ipv4/ip_local_port_range", CLIENT_PORTS);
  CONGESTION_CONTROL.some(choosesControl);
  const users = join(folder, "passwd");
  copyFileSync("/etc/passwd", users);
  appendFileSync(users, USERS);
  await run("mount", ["--bind", users, "/etc/passwd"]);
}

function choosesControl(name: string): boolean {
  try {
    writeFileSync("/proc/sys/net/ipv4/tcp_congestion_control", name);
    return true;
  } catch {
    return false;
  }
}
