/**
 * A server that root starts begins twice, the second time with fewer powers. What is needed to know which those are is
 * little: it is looked at here, before most of the program is loaded, so that only the second beginning loads it.
 *
 * Where anything is odd nothing is decided here: `serve` then does it, with all settings read and checked.
 */
import { fstatSync, readFileSync } from "node:fs";
import { LARGEST_FILE, STANDARD_FILE } from "../config/standard-file.ts";
import { reexecute, wasReexecuted } from "../jail/reexecute.ts";
import type { Capability } from "../sys/capabilities.ts";
import { brokerCapabilities, closedFolder, passedOn, servedPorts } from "./broker-powers.ts";
import { workerUser } from "./worker-user.ts";

/** Flags of `serve` that take a value, which is all of them (held to `serve-flags.ts` by a test). */
export const VALUE_FLAGS: ReadonlySet<string> = new Set([
  "listen",
  "user",
  "users",
  "anonymous",
  "passive-ports",
  "advertise",
  "config",
  "log",
  "xferlog",
  "ready-fd",
  "tls",
  "cert",
  "key",
  "workers",
  "worker-user",
  "state-folder",
  "control-socket",
]);
/** Where nobody says where to listen; it needs no power. */
const DEFAULT_PORT = 2121;
/** Settings that decide here, as variables. */
const DECISIVE = ["FERRYMAN_LISTEN", "FERRYMAN_WORKERS", "FERRYMAN_WORKER_USER"];

export type EarlyDecision = {
  readonly keepCapabilities: readonly Capability[];
  readonly descriptors: readonly number[];
};

/**
 * Begins anew with fewer powers, if this is a server's start whose powers are certain; then it does not return.
 * @throws {Error} when the kernel refuses; the process must end.
 */
export async function dropEarly(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  if (process.platform !== "linux" || process.getuid?.() !== 0 || wasReexecuted()) return;
  const decision = await decide(args, environment);
  if (decision !== undefined) reexecute(decision);
}

/** @param args of the command line, the first being "serve". @returns undefined where it is not certain. */
export async function decide(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<EarlyDecision | undefined> {
  const flags = args[0] === "serve" ? flagsOf(args.slice(1)) : undefined;
  if (flags === undefined || DECISIVE.some((name) => environment[name] !== undefined)) return undefined;
  const last = (name: string): string | undefined => flags.get(name)?.at(-1);
  const filed = await settingsOf(last("config") ?? environment["FERRYMAN_CONFIG"]);
  if (filed === undefined) return undefined;
  if (!hasWorkers(last("workers") ?? filed["workers"])) return undefined;
  if (!isUsable(last("worker-user") ?? filed["worker-user"])) return undefined;
  const ports = portsOf(flags.get("listen") ?? filed["listen"]);
  const ready = descriptorOf(last("ready-fd"));
  if (ports === undefined || ready === "odd") return undefined;
  return { keepCapabilities: brokerCapabilities(servedPorts(ports)), descriptors: passedOn(ready) };
}

/** Values by flag, in their order. @returns undefined where there is more than one folder and these flags. */
function flagsOf(words: readonly string[]): ReadonlyMap<string, readonly string[]> | undefined {
  const flags = new Map<string, readonly string[]>();
  let folders = 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (!word.startsWith("-")) {
      folders += 1;
      continue;
    }
    const [, name = "", joined] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    const value = joined ?? words[++at];
    if (!VALUE_FLAGS.has(name) || value === undefined || value === "") return undefined;
    flags.set(name, [...(flags.get(name) ?? []), value]);
  }
  return folders <= 1 ? flags : undefined;
}

/** [serve] of the configuration file, as it stands there. @returns undefined where it cannot be read. */
async function settingsOf(named: string | undefined): Promise<Readonly<Record<string, unknown>> | undefined> {
  let text = "";
  try {
    text = readFileSync(named ?? STANDARD_FILE, "utf8");
  } catch (error) {
    const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
    return isAbsent && named === undefined ? {} : undefined;
  }
  if (text.length > LARGEST_FILE) return undefined;
  // Most say nothing of these; a backslash may hide a letter of a key.
  if (!/listen|worker|\\/.test(text)) return {};
  try {
    const { parse } = await import("smol-toml");
    const serve: unknown = parse(text)["serve"];
    return typeof serve === "object" || serve === undefined
      ? Object.fromEntries(Object.entries(serve ?? {}))
      : undefined;
  } catch {
    return undefined;
  }
}

/** Without workers all powers stay. @param count as it is written; undefined: the default, which is at least one. */
function hasWorkers(count: unknown): boolean {
  if (count === undefined) return true;
  return (typeof count === "string" || typeof count === "number") && /^[1-9]\d?$/.test(String(count));
}

/** @param listen a list of addresses; undefined: the default. */
function portsOf(listen: unknown): readonly number[] | undefined {
  if (listen === undefined) return [DEFAULT_PORT];
  if (!Array.isArray(listen) || listen.length === 0) return undefined;
  const ports = listen.map((each: unknown) => /:(\d{1,5})\/?(?:\?tls=[a-z-]+)?$/i.exec(String(each))?.[1]);
  return ports.includes(undefined) ? undefined : ports.map(Number);
}

/** Of --ready-fd, if it is open. */
function descriptorOf(text: string | undefined): number | undefined | "odd" {
  if (text === undefined) return undefined;
  try {
    if (!/^[1-9]\d{0,4}$/.test(text)) return "odd";
    fstatSync(Number(text));
    return Number(text);
  } catch {
    return "odd";
  }
}

/** Whether workers can run as this user and reach our own files; where not, `serve` says why. */
function isUsable(name: unknown): boolean {
  if (name !== undefined && typeof name !== "string") return false;
  try {
    return closedFolder(workerUser(name).user) === undefined;
  } catch {
    return false;
  }
}
