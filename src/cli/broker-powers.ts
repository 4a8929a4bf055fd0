/**
 * What decides which powers the broker of a server that root starts keeps. Apart from the rest, because it is asked
 * before anything that takes long to load (`early.ts`), and once more with the whole configuration (`privilege.ts`).
 */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { BROKER_CAPABILITIES } from "../jail/reexecute.ts";
import type { HostUser } from "../jail/terms.ts";
import { FIRST_FREE_PORT } from "../net/limits.ts";
import type { Capability } from "../sys/capabilities.ts";

/** Sockets of a service manager, one more than are taken: more is no number of sockets. */
const ACTIVATED_LIMIT = 64;
/** Where a service manager listens as a rule; what it hands over is not looked at before all powers are dropped. */
const FTP_PORT = 21;

/** @param ports where it will listen; 0 for any. */
export function brokerCapabilities(ports: readonly number[]): readonly Capability[] {
  // The port itself, or the one below it, from which active data connections come.
  const needsPorts = ports.some((port) => port > 0 && port <= FIRST_FREE_PORT);
  return BROKER_CAPABILITIES.filter((each) => each !== "NET_BIND_SERVICE" || needsPorts);
}

/** Where it will listen, as far as it is known before sockets of a service manager are looked at. */
export function servedPorts(configured: readonly number[]): readonly number[] {
  return passedOn(undefined).length > 0 ? [FTP_PORT] : configured;
}

/** Descriptors that must outlive a second beginning: of --ready-fd, and of a service manager (sd_listen_fds(3)). */
export function passedOn(ready: number | undefined): readonly number[] {
  const count = process.env["LISTEN_PID"] === String(process.pid) ? Number(process.env["LISTEN_FDS"] ?? 0) : 0;
  const sockets = Array.from(
    { length: Number.isInteger(count) && count > 0 && count < ACTIVATED_LIMIT ? count : 0 },
    (_, at) => 3 + at,
  );
  return [...new Set([...sockets, ...(ready === undefined || ready < 3 ? [] : [ready])])];
}

/** The first folder above our own files that the user may not enter; undefined if he may read them. */
export function closedFolder(user: HostUser): string | undefined {
  let folder = dirname(import.meta.dirname);
  const chain: string[] = [];
  for (; folder !== dirname(folder); folder = dirname(folder)) chain.unshift(folder);
  // Node itself too: a pinned one lies in a checkout.
  let binary = dirname(process.execPath);
  for (; binary !== dirname(binary); binary = dirname(binary)) chain.push(binary);
  return chain.find((each) => !mayUse(each, user, "enter"));
}

/** What a folder is to be used for, as the bits of a mode (chmod(1)). */
const NEEDED = { enter: 0o1, read: 0o5, write: 0o7 } as const;

/** Whether a user may use a folder so, as far as modes tell; also false for one that is not there. For warnings. */
export function mayUse(folder: string, { uid, gid }: HostUser, wanted: keyof typeof NEEDED): boolean {
  const facts = statSync(folder, { throwIfNoEntry: false });
  if (facts === undefined) return false;
  const shift = facts.uid === uid ? 6 : facts.gid === gid ? 3 : 0;
  return ((facts.mode >> shift) & NEEDED[wanted]) === NEEDED[wanted];
}
