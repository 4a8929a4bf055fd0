/**
 * Starts worker processes. Those of a server's start are begun while the broker loads the rest of itself: both take
 * about as long, and neither needs the other until the worker asks for orders.
 */
import type { ChildProcess } from "node:child_process";
import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { startConfined } from "../jail/confined-process.ts";
import { ownFile } from "../jail/node-paths.ts";
import { type RootWish, openRoots } from "../jail/roots.ts";
import type { HostUser } from "../jail/terms.ts";

/**
 * MiB of V8's space for young objects. File data lies outside of it; with V8's own choice 10,000 idle sessions took 32 KiB
 * each instead of 14 (`npm run bench -- --only g`). With 1 MiB small files cost an eighth more, as each takes 40 KiB of it.
 */
const WORKER_NODE = ["--max-semi-space-size=4"];

/**
 * Threads of libuv's pool in a worker: three quarters of them may wait for fast clients at once (net/limits.ts), a quarter
 * is for disks. 64 downloads at once were a third faster than with libuv's own 4; a thread takes some 20 KiB.
 */
const WORKER_THREADS = 16;

export type WorkerTerms = {
  /** Whom it runs as; absent: as we do. */
  readonly user: HostUser | undefined;
  /** The folders that it serves; those that are not there are left out. */
  readonly roots: readonly RootWish[];
};

/** @throws {Error} in words, when it cannot be started. */
export function startWorkerProcess({ user, roots: wishes }: WorkerTerms): ChildProcess {
  using roots = openRoots(wishes.filter(isThere));
  return startConfined({
    script: ownFile(import.meta.url, "worker"),
    nodeArguments: WORKER_NODE,
    env: { UV_THREADPOOL_SIZE: String(WORKER_THREADS) },
    stdio: ["ignore", "pipe", "pipe"],
    ...(user === undefined ? {} : { user }),
    roots,
  });
}

/** Also false for a folder that we cannot reach: it could not be opened either. */
export function isThere({ path }: RootWish): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** How many of `workers` start first: a processor stays the broker's, as it is needed to begin with them. */
export function startedFirst(workers: number): number {
  return Math.max(1, Math.min(workers, availableParallelism() - 1));
}

/** Workers that have been started before the broker can talk to them; what they say until then is kept by Node. */
export class WaitingWorkers implements Disposable {
  readonly #children: ChildProcess[] = [];

  constructor(count: number, terms: WorkerTerms) {
    try {
      while (this.#children.length < count) {
        const child = startWorkerProcess(terms);
        // Whoever takes it, or starts another one in its place, hears of faults.
        child.on("error", () => {});
        this.#children.push(child);
      }
    } catch {
      // It is told when the broker tries itself.
    }
  }

  /** One that still lives, for its first owner. */
  take(): ChildProcess | undefined {
    for (let child = this.#children.shift(); child !== undefined; child = this.#children.shift()) {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) return child;
    }
    return undefined;
  }

  /** Ends those that nobody took. */
  [Symbol.dispose](): void {
    for (const child of this.#children.splice(0)) child.kill("SIGKILL");
  }
}
