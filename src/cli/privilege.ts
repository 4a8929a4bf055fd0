/** Under root: whom the workers run as, what the broker keeps, and whether that works on this host. */
import { availableParallelism } from "node:os";
import type { Configuration } from "../config/sections.ts";
import { confinementHere } from "../jail/confined-process.ts";
import { reexecute, wasReexecuted } from "../jail/reexecute.ts";
import type { HostUser } from "../jail/terms.ts";
import { brokerCapabilities, closedFolder } from "./broker-powers.ts";
import { CliError, EXIT } from "./exit.ts";
import { workerUser } from "./worker-user.ts";

/** Workers where nobody says how many. */
const MOST_WORKERS = 4;

export type Plan = {
  /** 0: everything in this process. */
  readonly workers: number;
  readonly user: HostUser | undefined;
  readonly userName: string | undefined;
  /** Lines for the first screen: what is less safe here than it could be. */
  readonly notes: readonly string[];
};

/**
 * @param isPublic whether others than this machine can reach the server.
 * @throws {CliError} where what was asked for cannot be had, or a public server would run as root.
 */
export function planProcesses({ serve }: Configuration, isPublic: boolean): Plan {
  const workers = serve.workers ?? Math.min(availableParallelism(), MOST_WORKERS);
  const isRoot = process.getuid?.() === 0;
  const missing = process.platform === "linux" ? confinementHere().missing : [];
  if (workers === 0 || process.platform === "win32") {
    const note = isRoot ? ["Everything runs as root in one process; without --workers 0 it would not."] : [];
    return { workers: 0, user: undefined, userName: undefined, notes: note };
  }
  if (!isRoot) {
    if (serve.workerUser !== undefined) {
      throw new CliError("--worker-user needs a start as root: only root can become another user", EXIT.usage);
    }
    return { workers, user: undefined, userName: undefined, notes: missing };
  }
  const { user, name } = workerUser(serve.workerUser);
  const closed = closedFolder(user);
  // Without the system calls the broker cannot begin anew with fewer powers.
  const broker = confinementHere().launcher ? [] : ["The broker keeps all powers of root, for the same reason."];
  if (closed === undefined) return { workers, user, userName: name, notes: [...missing, ...broker] };
  const why = `${closed} is closed to the user ${name}, so workers cannot read Ferryman's own files`;
  const cure = `chmod o+x ${closed}, or move Ferryman to a folder that is open, such as /opt`;
  if (isPublic || serve.workers !== undefined) throw new CliError(`${why}. Cure: ${cure}`, EXIT.configuration);
  return {
    workers: 0,
    user: undefined,
    userName: undefined,
    notes: [`All runs as root in one process: ${why}.`, `Cure: ${cure}.`],
  };
}

/**
 * Under root with workers: becomes the broker, with no more powers than these ports need. Does not return then; the
 * program begins anew.
 */
export function dropPowers(
  plan: Plan,
  { ports, descriptors }: { ports: readonly number[]; descriptors: readonly number[] },
): void {
  if (plan.user !== undefined) reexecute({ keepCapabilities: brokerCapabilities(ports), descriptors });
  // `early.ts` has read the same flags and files a moment before, and gave up powers for workers.
  else if (wasReexecuted()) throw new CliError("the settings changed while it started: start it again", EXIT.tryAgain);
}
