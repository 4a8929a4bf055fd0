/** Which powers a process has, as the kernel tells them, and what is missing for which purpose, in words. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { capabilityNames } from "../sys/capabilities.ts";
import { confinementHere } from "./confined-process.ts";

export type CapabilityFacts = Readonly<
  Record<"effective" | "permitted" | "bounding" | "ambient" | "inheritable", readonly string[]>
>;
export type PrivilegeFacts = {
  /** Real, effective, saved, file system. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  /** Supplementary groups. */
  readonly groups: readonly number[];
  readonly capabilities: CapabilityFacts;
  readonly noNewPrivileges: boolean;
  /** A filter of system calls is in force. */
  readonly seccomp: boolean;
};

/** Ports below this are protected where the kernel says nothing else: ip(7), ip_unprivileged_port_start. */
const PROTECTED_PORTS = 1024;

/** Of this or another process or thread; undefined where there is no /proc, or no such process. */
export function privilegeFacts(pid: number | "self" = "self"): PrivilegeFacts | undefined {
  try {
    return parsePrivilegeFacts(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return undefined;
  }
}

/** @param status text of /proc/PID/status, proc(5). @throws {Error} for text that is none. */
export function parsePrivilegeFacts(status: string): PrivilegeFacts {
  const fields = new Map(
    [...status.matchAll(/^([A-Za-z_]+):[ \t]*(.*)$/gm)].map(([, name = "", value = ""]) => [name, value.trim()]),
  );
  const words = (name: string): readonly string[] =>
    (fields.get(name) ?? "").split(/\s+/).filter((word) => word !== "");
  const set = (name: string): readonly string[] => capabilityNames(BigInt(`0x${words(name)[0] ?? "none"}`));
  return {
    uids: FOUR.parse(words("Uid").map(Number)),
    gids: FOUR.parse(words("Gid").map(Number)),
    groups: words("Groups").map(Number),
    capabilities: {
      effective: set("CapEff"),
      permitted: set("CapPrm"),
      bounding: set("CapBnd"),
      ambient: set("CapAmb"),
      inheritable: set("CapInh"),
    },
    noNewPrivileges: fields.get("NoNewPrivs") === "1",
    seccomp: (fields.get("Seccomp") ?? "0") !== "0",
  };
}

const FOUR = z.array(z.int().min(0)).length(4);

/** What a server is about to do, as far as it needs power. */
export type Purposes = {
  /** Listening ports, and 20 if data connections are to come from there. */
  readonly ports: readonly number[];
  /** Workers run as another user than this process. */
  readonly changesUser: boolean;
};

export type HostPowers = {
  /** Undefined: not known, and nothing is said. */
  readonly facts: PrivilegeFacts | undefined;
  /** The first port that needs no right. */
  readonly firstFreePort: number;
};

/** One sentence for each power that is missing here, with its cure; for the start screen. */
export function missingPowers(purposes: Purposes, host: HostPowers = hostPowers()): readonly string[] {
  return [...missingPort(purposes, host), ...missingUsers(purposes, host), ...confinementHere().missing];
}

function hostPowers(): HostPowers {
  return { facts: privilegeFacts(), firstFreePort: firstFreePort() };
}

function missingPort({ ports }: Purposes, { facts, firstFreePort: first }: HostPowers): readonly string[] {
  if (facts === undefined || facts.capabilities.effective.includes("NET_BIND_SERVICE")) return [];
  const low = ports.filter((port) => port !== 0 && port < first);
  if (low.length === 0) return [];
  return [
    `no right to ports below ${first} (${low.join(", ")}). Cure: start it by systemd with the shipped unit (AmbientCapabilities=CAP_NET_BIND_SERVICE), or listen on a port from ${first} on`,
  ];
}

function missingUsers({ changesUser }: Purposes, { facts }: HostPowers): readonly string[] {
  if (!changesUser || facts === undefined) return [];
  const lacking = ["SETUID", "SETGID"].filter((name) => !facts.capabilities.effective.includes(name));
  if (lacking.length === 0) return [];
  return [
    `no right to start workers as another user (${lacking.join(", ")}): they run as user ${facts.uids[1]}. Cure: start as root, which gives up all it does not need`,
  ];
}

function firstFreePort(): number {
  try {
    const text = readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "latin1").trim();
    return /^\d{1,5}$/.test(text) ? Number(text) : PROTECTED_PORTS;
  } catch {
    return PROTECTED_PORTS;
  }
}
