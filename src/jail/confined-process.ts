/**
 * Starts a Node program under less power than ours: another user, no capabilities, no way to gain any, its files
 * alone, a clean environment. By the launcher where the system calls are at hand, else by what spawn(2) offers.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { getCompileCacheDir } from "node:module";
import { dirname, isAbsolute } from "node:path";
import { faultMessage } from "../base/fault-text.ts";
import type { Capability } from "../sys/capabilities.ts";
import { loadProcessCalls } from "../sys/process-calls.ts";
import { cleanEnvironment } from "./environment.ts";
import { TERMS_LIMIT } from "./limits.ts";
import { LANDLOCK_NEEDED } from "./confine.ts";
import { ownFile } from "./node-paths.ts";
import { type OpenRoots, ROOTS_VARIABLE, rootsVariable } from "./roots.ts";
import { type HostUser, type Terms, TERMS_VARIABLE, checkedTerms } from "./terms.ts";

type Stream = "inherit" | "ignore" | "pipe" | number;

export type ConfinedOptions = {
  /** Absolute path of the program's first file; for one of ours: `ownFile(import.meta.url, "worker")`. */
  readonly script: string;
  readonly args?: readonly string[];
  /** Options of Node itself, before the script. */
  readonly nodeArguments?: readonly string[];
  /** Who it runs as, with no further groups; never root. Absent: as we do. */
  readonly user?: HostUser;
  /** Default: none. */
  readonly keepCapabilities?: readonly Capability[];
  /** Landlock: "auto" where the kernel has it, "require" or no start, "off". Default "auto". */
  readonly landlock?: "auto" | "require" | "off";
  /** Absolute paths of files and folders, besides what Node and Ferryman's own code need. */
  readonly readOnly?: readonly string[];
  readonly readWrite?: readonly string[];
  /** Served folders by descriptor; the worker asks `inheritedRoots()`. */
  readonly roots?: OpenRoots;
  /** Added to the clean environment; names that change what Node or the linker load are refused. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further descriptors; the first is `firstInherited(roots)` in the worker, the next one follows. */
  readonly inherit?: readonly number[];
  /** Standard input, output, error output. Default: ignore, inherit, inherit. */
  readonly stdio?: readonly [Stream, Stream, Stream];
  /** Default 0o077. */
  readonly umask?: number;
};

/** The channel's descriptor in the worker; roots and then `inherit` follow it. */
const CHANNEL = 3;
const DEFAULT_UMASK = 0o077;

/** What startConfined can do on this host; `missing` says for people what it cannot. */
export type Confinement = {
  readonly launcher: boolean;
  /** Version of the kernel's interface, 0 for none. */
  readonly landlock: number;
  readonly missing: readonly string[];
};

export function confinementHere(): Confinement {
  const calls = loadProcessCalls();
  if (calls === undefined) {
    const missing =
      process.platform === "linux"
        ? "the package koffi is missing or switched off: workers change their user, but keep the right to gain powers, and no Landlock holds them to their folders. Cure: npm install koffi"
        : `on ${process.platform} workers are not confined beyond their user`;
    return { launcher: false, landlock: 0, missing: [missing] };
  }
  const landlock = calls.landlockVersion();
  const enough = landlock >= LANDLOCK_NEEDED;
  const missing = `this kernel has ${landlock === 0 ? "no Landlock" : "too old a Landlock"}: workers reach every file that their user may. Cure: Linux 5.19 or later with "landlock" among the lsm= of its command line`;
  return { launcher: true, landlock, missing: enough ? [] : [missing] };
}

/** The number of the first of `inherit` in a worker that has so many roots. */
export function firstInherited(roots: number): number {
  return CHANNEL + 1 + roots;
}

/**
 * A child with a channel for messages (advanced serialization). It ends with us, however we end. A launch that fails
 * says why on its error output and exits with LAUNCH_FAILED.
 * @throws {Error} in words, for options that cannot be meant or kept here.
 */
export function startConfined(options: ConfinedOptions): ChildProcess {
  const terms = termsOf(options);
  const hasLauncher = loadProcessCalls() !== undefined;
  const landlockNeeded = options.landlock === "require" || (options.keepCapabilities ?? []).length > 0;
  if (!hasLauncher && landlockNeeded) {
    throw new Error("these terms need the package koffi, which is missing or switched off: npm install koffi");
  }
  const roots = options.roots?.list ?? [];
  const [input, output, faults] = options.stdio ?? ["ignore", "inherit", "inherit"];
  const stdio = [
    input,
    output,
    faults,
    "ipc" as const,
    ...roots.map((root) => root.descriptor),
    ...(options.inherit ?? []),
  ];
  const env = cleanEnvironment(options.env);
  if (roots.length > 0) env[ROOTS_VARIABLE] = rootsVariable(roots, CHANNEL + 1);
  const common = { stdio, serialization: "advanced" as const, windowsHide: true };
  if (hasLauncher) {
    env[TERMS_VARIABLE] = JSON.stringify(terms);
    // The launcher reads it as us; the program after it may do so only if it is still the same user.
    const cache = getCompileCacheDir();
    if (cache !== undefined) env["NODE_COMPILE_CACHE"] = dirname(cache);
    assertFits(env);
    const launcher = ownFile(import.meta.url, "launch");
    return spawn(process.execPath, ["--require", launcher, launcher], { ...common, env });
  }
  assertFits(env);
  const { nodeArguments, script, scriptArguments, user } = terms;
  return spawn(process.execPath, [...nodeArguments, script, ...scriptArguments], { ...common, env, ...user });
}

function termsOf(options: ConfinedOptions): Terms {
  const { script, args = [], nodeArguments = [], keepCapabilities = [], umask = DEFAULT_UMASK } = options;
  if (!isAbsolute(script)) throw new Error(`the script must be an absolute path, not ${script}`);
  const descriptors = firstInherited(options.roots?.list.length ?? 0) - CHANNEL + (options.inherit ?? []).length;
  const files = options.landlock === "off" ? undefined : filesOf(options);
  const user = changedUser(options.user);
  try {
    return checkedTerms({
      user,
      keepCapabilities,
      files,
      umask,
      dieWithParent: true,
      descriptors: Array.from({ length: descriptors }, (_, index) => CHANNEL + index),
      channel: CHANNEL,
      nodeArguments,
      script,
      scriptArguments: args,
    });
  } catch (error) {
    throw new Error(`a program cannot be started under these terms: ${faultMessage(error)}`, { cause: error });
  }
}

/** Undefined: as we are. Only root can change it, and changing to oneself is no change. */
function changedUser(user: HostUser | undefined): HostUser | undefined {
  if (user === undefined || process.geteuid?.() === 0) return user;
  if (user.uid === process.geteuid?.()) return undefined;
  throw new Error(`only root may start a program as user ${user.uid}: start as root, or configure no user`);
}

function filesOf({ landlock, readOnly, readWrite, roots }: ConfinedOptions): unknown {
  const cache = getCompileCacheDir();
  return {
    need: landlock ?? "auto",
    readOnly: [...(readOnly ?? []), ...(cache === undefined ? [] : [cache])],
    readWrite: readWrite ?? [],
    roots: (roots?.list ?? []).map(({ access }, index) => ({
      descriptor: CHANNEL + 1 + index,
      write: access === "write",
    })),
  };
}

function assertFits(env: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(env)) {
    if (Buffer.byteLength(value) > TERMS_LIMIT) {
      throw new Error(
        `${name} would have ${Buffer.byteLength(value)} octets, at most ${TERMS_LIMIT}: name fewer folders`,
      );
    }
  }
}
