/**
 * The broker gives up what it does not need, before it does anything else: it becomes itself again, under fewer
 * capabilities. Process id, descriptors 0 to 2 and those named stay; it remains root where it was.
 */
import { flushCompileCache } from "node:module";
import type { Capability } from "../sys/capabilities.ts";
import { loadProcessCalls } from "../sys/process-calls.ts";
import { confine } from "./confine.ts";
import { CONFINED_VARIABLE } from "./terms.ts";

/** What a broker that is root needs: low ports, workers as other users, their end, folders that only owners enter. */
export const BROKER_CAPABILITIES: readonly Capability[] = [
  "NET_BIND_SERVICE",
  "SETUID",
  "SETGID",
  "SETPCAP",
  "KILL",
  "DAC_READ_SEARCH",
];

export type Reexecution = {
  readonly keepCapabilities: readonly Capability[];
  /** Descriptors besides 0, 1 and 2 that go on, such as sockets of the service manager. */
  readonly descriptors?: readonly number[];
  /** Default: as it is. */
  readonly umask?: number;
};

/** Whether this is the second run of a program that has given up powers, and `reexecute` has not been called in it. */
export function wasReexecuted(): boolean {
  return keptHere() !== undefined;
}

/**
 * Call it first of all, while nothing is open or under way: on success it does not return, and the program begins
 * anew with this function doing nothing. It may be called early, with what is known by then: where the second call
 * keeps less, the program begins once more.
 * @returns "done" in the second run, "impossible" without the system calls (nothing has changed then).
 * @throws {Error} when the kernel refuses; the process may have lost powers and must end. Also when the first run has
 * given up what the second would keep.
 */
export function reexecute({ keepCapabilities, descriptors = [], umask }: Reexecution): "done" | "impossible" {
  const kept = keptHere();
  if (kept !== undefined) {
    const lost = keepCapabilities.filter((each) => !kept.includes(each));
    if (lost.length > 0) throw new Error(`it has given up ${lost.join(", ")} already; start it again`);
    if (kept.length === keepCapabilities.length) {
      delete process.env[CONFINED_VARIABLE];
      return "done";
    }
  }
  const calls = loadProcessCalls();
  if (calls === undefined) return "impossible";
  const current = process.umask(0);
  process.umask(current);
  confine(calls, {
    keepCapabilities: [...keepCapabilities],
    umask: umask ?? current,
    dieWithParent: false,
    descriptors: [...descriptors],
    nodeArguments: [],
    script: process.argv[1] ?? "",
    scriptArguments: [],
  });
  // What was compiled so far need not be again.
  flushCompileCache();
  for (const descriptor of [0, 1, 2, ...descriptors]) calls.setCloseOnExec(descriptor, false);
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) if (value !== undefined) variables[name] = value;
  // The process id makes the mark worthless for whoever inherits it.
  variables[CONFINED_VARIABLE] = [process.pid, ...keepCapabilities].join(" ");
  return calls.execute(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], variables);
}

/** What the first run kept; undefined in a first run. */
function keptHere(): readonly string[] | undefined {
  const [pid, ...kept] = (process.env[CONFINED_VARIABLE] ?? "").split(" ");
  return pid === String(process.pid) ? kept : undefined;
}
