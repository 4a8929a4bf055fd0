/**
 * The real `ferryman serve` in processes of its own, for tests of what only they have: privileges, workers that die,
 * signals, and what is left when all is over.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { FerrymanEvent } from "../../src/workspace/events.ts";
import { parseJsonLine } from "../../src/workspace/sinks/json.ts";
import { connectFrom, until } from "./attack.ts";
import { type Ran, run } from "./run.ts";

const LAUNCHER: string = join(import.meta.dirname, "..", "..", "bin", "ferryman.cjs");
export const NOBODY = 65_534;
export const isRoot: boolean = process.getuid?.() === 0;
/** For `skip`: these tests look into /proc, and workers are confined on Linux alone. */
export const elsewhere: string | false = process.platform === "linux" ? false : "looks into Linux's /proc";

/** An address of this machine that no other client of a test comes from. */
export const ELSEWHERE = "127.0.0.77";
/** Milliseconds after which a server is killed, whatever the test still wants of it. */
const LIFE_LIMIT_MS = 90_000;
/** The descriptor on which it says where it listens; before it is the one of a service manager. */
const READY = 4;
/** Limits that no test meets by chance: all its clients come from one address. And passwords that cost little. */
const LENIENT = {
  FERRYMAN_SESSIONS_PER_ADDRESS: "100000",
  FERRYMAN_CONNECTION_RATE: "1000000",
  FERRYMAN_AUTOMATIC_BANS: "false",
  FERRYMAN_LOGIN_DELAY: "1",
  FERRYMAN_PASSWORD_MEMORY: "64",
  FERRYMAN_PASSWORD_PASSES: "1",
} as const;

export type ServeWishes = {
  /** Default 2. */
  readonly workers?: number;
  /** Beside those that every server here has. */
  readonly flags?: (place: Place) => readonly string[];
  readonly listen?: readonly string[];
  /** What `configure` has written (or will, before a reload) is read. */
  readonly isConfigured?: boolean;
  /** Absent: limits that no test meets by chance. */
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  /** Milliseconds after which it is killed; default: more than any test takes. */
  readonly lifeMs?: number;
  /** Becomes descriptor 3 of the server, as a service manager hands over its sockets. */
  readonly socket?: number;
  /** Before the command, such as `ip netns exec …`; it must become it. */
  readonly through?: readonly string[];
  /** Runs before the start. */
  readonly prepare?: (place: Place) => Promise<void>;
  /** A folder of an earlier server, to go on with. */
  readonly place?: Place;
};

export type Place = {
  readonly folder: string;
  /** Of ann, guests, and everybody without one of his own; the workers' user may write there. */
  readonly home: string;
  readonly control: string;
  readonly config: string;
};

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type Served = AsyncDisposable & {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  readonly ports: readonly number[];
  readonly place: Place;
  readonly events: readonly FerrymanEvent[];
  /** All of standard error. */
  readonly text: () => string;
  workers(): readonly number[];
  /** Events of one kind so far. */
  of<Type extends FerrymanEvent["type"]>(type: Type): readonly Extract<FerrymanEvent, { type: Type }>[];
  signal(signal: NodeJS.Signals): void;
  readonly exited: Promise<Exit>;
  ban(...args: readonly string[]): Promise<Ran>;
};

export async function makePlace(): Promise<Place & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "ferryman-serve-"));
  await chmod(folder, 0o755);
  const home = join(folder, "home");
  await mkdir(home);
  if (isRoot) await chown(home, NOBODY, NOBODY);
  return {
    folder,
    home,
    control: join(folder, "run", "control.sock"),
    config: join(folder, "ferryman.toml"),
    [Symbol.asyncDispose]: async () => rm(folder, { recursive: true, force: true }),
  };
}

function serveArguments(
  place: Place,
  { workers = 2, flags = () => [], listen = ["127.0.0.1:0"] }: ServeWishes,
): readonly string[] {
  const listens = listen.flatMap((each) => ["--listen", each]);
  const own = ["--state-folder", join(place.folder, "state"), "--control-socket", place.control];
  const accounts = ["--user", `ann:secret:${place.home}:full`, "--anonymous", "read"];
  const args = [LAUNCHER, "serve", place.home, ...own, ...listens, "--log", "json", "--workers", String(workers)];
  return [...args, ...accounts, ...flags(place)];
}

export async function startServe(wishes: ServeWishes = {}): Promise<Served> {
  const made = wishes.place === undefined ? await makePlace() : undefined;
  const place = wishes.place ?? made;
  if (place === undefined) throw new Error("no place");
  await wishes.prepare?.(place);
  const started = spawnServe(place, wishes);
  const { child, exited } = started;
  try {
    const ports = await readyPorts(child, exited, started.text);
    return {
      ...started,
      place,
      pid: child.pid ?? 0,
      ports,
      port: ports[0] ?? 0,
      async [Symbol.asyncDispose]() {
        const left = child.exitCode === null && child.signalCode === null ? childrenOf(child.pid ?? 0) : [];
        child.kill("SIGKILL");
        await exited;
        await until("workers end with their broker", () => left.every((pid) => !isAlive(pid)));
        await made?.[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    child.kill("SIGKILL");
    await exited;
    await made?.[Symbol.asyncDispose]();
    throw error;
  }
}

type Started = Omit<Served, "port" | "ports" | "place" | "pid" | typeof Symbol.asyncDispose>;

/** Without waiting for it to be ready. */
export function spawnServe(place: Place, wishes: ServeWishes = {}): Started {
  const args = serveArguments(place, wishes);
  const config = wishes.isConfigured === true ? ["--config", place.config] : [];
  const command = [...(wishes.through ?? []), process.execPath, ...args, ...config, "--ready-fd", String(READY)];
  const { FERRYMAN_CONFIG: _none, ...inherited } = process.env;
  const child = spawn(command[0] ?? "", command.slice(1), {
    stdio: ["ignore", "ignore", "pipe", wishes.socket ?? "ignore", "pipe"],
    env: { ...inherited, ...LENIENT, HOME: place.folder, ...wishes.env },
    ...(wishes.uid === undefined ? {} : { uid: wishes.uid, gid: wishes.uid }),
  });
  const events: FerrymanEvent[] = [];
  let text = "";
  let rest = "";
  const { stderr } = child;
  stderr?.setEncoding("utf8").on("data", (part: string) => {
    text += part;
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("{")) events.push(parseJsonLine(line));
  });
  const limit = setTimeout(() => child.kill("SIGKILL"), wishes.lifeMs ?? LIFE_LIMIT_MS);
  const exited = once(child, "close").then((): Exit => {
    clearTimeout(limit);
    return { code: child.exitCode, signal: child.signalCode };
  });
  return {
    child,
    events,
    exited,
    text: () => text,
    of: (type) => events.filter((event): event is Extract<FerrymanEvent, { type: typeof type }> => event.type === type),
    workers: () => childrenOf(child.pid ?? 0),
    signal: (signal) => void child.kill(signal),
    ban: async (...words) =>
      run(process.execPath, [LAUNCHER, "ban", ...words, "--control", place.control], { cwd: place.folder }),
  };
}

async function readyPorts(child: ChildProcess, exited: Promise<Exit>, text: () => string): Promise<readonly number[]> {
  const pipe = child.stdio[READY];
  let said = "";
  const ready = new Promise<void>((resolve) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a pipe to read in stdio above
    (pipe as Readable).setEncoding("utf8").on("data", (part: string) => {
      said += part;
      if (said.includes("\n")) resolve();
    });
  });
  const end = await Promise.race([ready, exited]);
  if (end !== undefined) throw new Error(`serve ended before it was ready: ${JSON.stringify(end)}\n${text()}`);
  const { addresses }: { addresses: readonly { port: number }[] } = JSON.parse(said);
  return addresses.map(({ port }) => port);
}

/** A user with a home of his own beside the served one, and a file `of-NAME` in it; the password is `secret`. */
export async function addUser(place: Place, name: string): Promise<void> {
  const home = join(place.folder, name);
  await mkdir(home);
  await writeFile(join(home, `of-${name}`), name);
  if (isRoot) await chown(home, NOBODY, NOBODY);
  const users = join(place.folder, "users.toml");
  const args = ["user", "add", name, "--users", users, "--home", home, "--password-stdin", "--rights", "write"];
  const ran = await run(process.execPath, [LAUNCHER, ...args], { input: "secret\n", cwd: place.folder });
  if (ran.code !== 0) throw new Error(ran.stderr);
}

/** For `configure`: the users that `addUser` made. */
export function usersSection({ folder }: Place): string {
  return `[serve]\nusers = ${JSON.stringify(join(folder, "users.toml"))}\n`;
}

/** Writes a configuration for `isConfigured`; again for a reload. */
export async function configure({ config }: Place, text: string): Promise<void> {
  await writeFile(config, text);
}

export function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
    return text.trim() === "" ? [] : text.trim().split(/\s+/).map(Number);
  } catch {
    return [];
  }
}

/** A zombie is dead: nobody has asked for its exit code yet. Unless threads of it are still there, with all descriptors. */
export function isAlive(pid: number): boolean {
  try {
    const isOver = /^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
    return !isOver || readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return false;
  }
}

/** What a process has open: how many descriptors, and how many TCP sockets that listen and that do not. */
export function openIn(pid: number): { descriptors: number; listening: number; connected: number } {
  const inodes = inodesOf(pid);
  const rows = tcpRows(pid).filter(({ inode }) => inodes.has(inode));
  const listening = rows.filter(({ state }) => state === LISTENS).length;
  return { descriptors: inodes.all, listening, connected: rows.length - listening };
}

/** Whether new clients come to a worker: as many as there are workers come to all of them. */
export async function takesClients(served: Pick<Served, "workers" | "port">, pid: number): Promise<boolean> {
  using strangers = new DisposableStack();
  for (let left = served.workers().length; left > 0; left--) {
    const { socket, worker } = await comeFromElsewhere(served);
    strangers.defer(() => socket.destroy());
    if (worker === pid) return true;
  }
  return false;
}

/** A client of another address, to whom no limit of a test applies, and the worker that has greeted him. */
async function comeFromElsewhere(
  served: Pick<Served, "workers" | "port">,
): Promise<{ readonly socket: Socket; readonly worker: number | undefined }> {
  const socket = await connectFrom(ELSEWHERE, { port: served.port });
  await Promise.race([once(socket, "data"), once(socket, "close")]);
  return { socket, worker: findWorker(served, socket.localPort ?? 0) };
}

/** The worker that has the connection of a client's port. */
export function workerOf(served: Pick<Served, "workers">, clientPort: number): number {
  const found = findWorker(served, clientPort);
  if (found === undefined) throw new Error(`no worker has the connection of port ${clientPort}`);
  return found;
}

function findWorker(served: Pick<Served, "workers">, clientPort: number): number | undefined {
  return served.workers().find((pid) => {
    const inodes = inodesOf(pid);
    return tcpRows(pid).some(({ remotePort, inode }) => remotePort === clientPort && inodes.has(inode));
  });
}

/**
 * A session in a given worker: clients go to the one that has the fewest sessions. So strangers come to all of them, and
 * those in this worker leave again.
 */
export async function inWorker<Result>(
  served: Pick<Served, "workers" | "port" | "of">,
  { pid, open }: { readonly pid: number; readonly open: () => Promise<Result> },
): Promise<Result> {
  using strangers = new DisposableStack();
  const sessionsIn = (worker: number): number =>
    tcpRows(worker).filter(({ localPort, inode }) => localPort === served.port && inodesOf(worker).has(inode)).length;
  while (!served.workers().every((each) => each === pid || sessionsIn(each) > sessionsIn(pid))) {
    const { socket, worker } = await comeFromElsewhere(served);
    strangers.defer(() => socket.destroy());
    if (worker !== pid) continue;
    const { localPort } = socket;
    socket.destroy();
    await until("the stranger's place is free", () =>
      served.of("session.closed").some(({ peer }) => peer.address === ELSEWHERE && peer.port === localPort),
    );
  }
  return open();
}

type Inodes = { readonly all: number; has(inode: string): boolean };

/** Nothing for a process that is gone. */
function inodesOf(pid: number): Inodes {
  const inodes = new Set<string>();
  let all = 0;
  for (const descriptor of namesIn(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
      all += 1;
      if (inode !== undefined) inodes.add(inode);
    } catch {
      // Closed meanwhile.
    }
  }
  return { all, has: (inode) => inodes.has(inode) };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

type Row = { readonly localPort: number; readonly remotePort: number; readonly state: string; readonly inode: string };
/** The state of a socket that listens (proc_pid_net(5)). */
const LISTENS = "0A";

/** proc_pid_net(5): addresses in hex, the fourth column is the state, the tenth the inode. */
function tcpRows(pid: number): readonly Row[] {
  return ["tcp", "tcp6"].flatMap((name) => {
    try {
      return readFileSync(`/proc/${pid}/net/${name}`, "latin1").split("\n").flatMap(rowOf);
    } catch {
      return [];
    }
  });
}

function rowOf(line: string): readonly Row[] {
  const columns = line.trim().split(/\s+/);
  const [, local = "", remote = "", state = ""] = columns;
  if (!/^[0-9A-F]+:[0-9A-F]{4}$/.test(remote)) return [];
  const [localPort, remotePort] = [local, remote].map((end) => Number.parseInt(end.slice(-4), 16));
  return [{ localPort: localPort ?? 0, remotePort: remotePort ?? 0, state, inode: columns[9] ?? "" }];
}
