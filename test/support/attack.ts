/** What tests of attacks look at: a folder as it stands, what the process has open, and connections from other addresses. */
import { createHash, randomInt } from "node:crypto";
import { once } from "node:events";
import { lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { type Socket, createConnection, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** Milliseconds for which `until` waits; no test comes near it when all is well. */
const PATIENCE_MS = 15_000;
/** Milliseconds between two looks. */
const LOOK_MS = 5;

/** Everything below a folder: kind, mode, time and content of each entry, one line each, in order. */
export function snapshot(folder: string): readonly string[] {
  const lines: string[] = [];
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
    const path = join(folder, name);
    const stats = lstatSync(path);
    const mode = stats.mode.toString(8);
    if (stats.isSymbolicLink()) lines.push(`${name} -> ${readlinkSync(path)}`);
    else if (stats.isDirectory()) lines.push(`${name}/ ${mode}`);
    else
      lines.push(`${name} ${mode} ${stats.mtimeMs} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`);
  }
  return lines;
}

/** Names of our own temporaries and kept uploads anywhere below a folder. */
export function leftovers(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.includes(".ferryman-"));
}

/** What this process has open: TCP sockets that listen and others, and files below `folder`, by name. */
export function openThings(folder: string): { listening: number; connected: number; files: readonly string[] } {
  const inodes = new Set<string>();
  const files: string[] = [];
  for (const descriptor of readdirSync("/proc/self/fd")) {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined) inodes.add(inode);
      else if (target.startsWith(folder)) files.push(target.slice(folder.length));
    } catch {
      // The descriptor of this very look.
    }
  }
  let listening = 0;
  let connected = 0;
  // proc_pid_net(5): the fourth column is the state, 0A is LISTEN; the tenth is the inode.
  for (const row of readFileSync("/proc/self/net/tcp", "latin1").split("\n").slice(1)) {
    const columns = row.trim().split(/\s+/);
    if (!inodes.has(columns[9] ?? "")) continue;
    if (columns[3] === "0A") listening += 1;
    else connected += 1;
  }
  return { listening, connected, files: files.toSorted() };
}

/** Waits for something that comes about by itself. @throws when it does not. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`never came about: ${what}`);
    await delay(LOOK_MS);
  }
}

/** A connection, from an address of loopback of one's choice. */
export async function connectFrom(
  localAddress: string,
  { host = "127.0.0.1", port }: { host?: string; port: number },
): Promise<Socket> {
  const socket = createConnection({ host, port, localAddress, allowHalfOpen: true, noDelay: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** The first port of so many in a row that are free now, below those that the system gives to clients by itself. */
export async function freeRange(count: number): Promise<{ first: number; last: number }> {
  for (let first = RANGE_START; first + count < RANGE_END; first += count) {
    const free = await Promise.all(Array.from({ length: count }, async (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return { first, last: first + count - 1 };
  }
  throw new Error(`no ${count} free ports in a row`);
}

/** Random, so that test files that run at once take different ranges; ip_local_port_range begins at 32768. */
const RANGE_START = randomInt(11_000, 28_000);
const RANGE_END = 32_768;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port }, () => server.close(() => resolve(true)));
  });
}
