/**
 * Two networks of a test's own, joined by a cable: the server's and the client's. What comes to the server's passive ports
 * may vanish there, as in front of a firewall that drops it; that needs no program but `ip`.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { elsewhere, isRoot } from "./serve-process.ts";

/** Addresses for examples, which are public as far as a program can tell. */
export const SERVER = { IPv4: "198.51.100.1", IPv6: "2001:db8:51::1" } as const;
const CLIENT = { IPv4: "198.51.100.2", IPv6: "2001:db8:51::2" } as const;
/** Passive ports of all servers of the tests; their other ports are below. */
const [PASSIVE_PORTS, OTHER_PORTS] = ["20000-65534", "10000 19999"];
const LIMIT_MS = 60_000;

export type Networks = Disposable & {
  /** A program of Node's with `url` and words, in one of the networks. */
  start(where: "server" | "client", url: URL, words: readonly string[]): ChildProcess;
};

let count = 0;

/** @param isDropped whether passive ports are silent. @returns why it cannot be had. */
export function twoNetworks({ isDropped }: { readonly isDropped: boolean }): Networks | string {
  if (elsewhere !== false || !isRoot) return "needs root on Linux";
  count += 1;
  const names = { server: `ferryman-s-${process.pid}-${count}`, client: `ferryman-c-${process.pid}-${count}` };
  const { server, client } = names;
  const remove = (): void => {
    for (const name of [server, client]) ip("netns", "del", name);
  };
  const made =
    ip("netns", "add", server) &&
    ip("netns", "add", client) &&
    ip("link", "add", "wire", "netns", server, "type", "veth", "peer", "name", "wire", "netns", client) &&
    joins(server, SERVER) &&
    joins(client, CLIENT) &&
    (!isDropped || drops(server));
  if (!made) {
    remove();
    return "network namespaces cannot be made here (ip netns add)";
  }
  const range = [
    "ip",
    "netns",
    "exec",
    server,
    "sh",
    "-c",
    `echo ${OTHER_PORTS} > /proc/sys/net/ipv4/ip_local_port_range`,
  ];
  spawnSync(range[0] ?? "", range.slice(1), { timeout: LIMIT_MS });
  return {
    start(where, url, words) {
      const command = ["netns", "exec", names[where], process.execPath, url.pathname, ...words];
      return spawn("ip", command, { stdio: ["pipe", "pipe", "inherit"], timeout: LIMIT_MS });
    },
    [Symbol.dispose]: remove,
  };
}

function joins(space: string, { IPv4, IPv6 }: { readonly IPv4: string; readonly IPv6: string }): boolean {
  return (
    ip("-n", space, "link", "set", "lo", "up") &&
    ip("-n", space, "link", "set", "wire", "up") &&
    ip("-n", space, "addr", "add", `${IPv4}/24`, "dev", "wire") &&
    ip("-n", space, "addr", "add", `${IPv6}/64`, "dev", "wire", "nodad")
  );
}

/** A route into nothing for what comes to those ports, asked before that of local addresses. */
function drops(space: string): boolean {
  const ports = ["iif", "wire", "ipproto", "tcp", "dport", PASSIVE_PORTS, "blackhole"];
  return ["-4", "-6"].every(
    (family) =>
      ip(family, "-n", space, "rule", "add", "pref", "100", "lookup", "local") &&
      ip(family, "-n", space, "rule", "del", "pref", "0") &&
      ip(family, "-n", space, "rule", "add", "pref", "10", ...ports),
  );
}

function ip(...words: readonly string[]): boolean {
  return spawnSync("ip", words, { timeout: LIMIT_MS }).status === 0;
}

/** All that a program says until it ends. @throws where it ends badly. */
export async function outputOf(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`it ended with ${code}: ${text}`);
  return text;
}
