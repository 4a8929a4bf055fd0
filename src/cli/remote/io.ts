/** Where commands that go to a server write, and how Ctrl-C ends them. */
import type { Readable, Writable } from "node:stream";
import { printable } from "../columns.ts";
import { type Shown, fitting } from "../wrap.ts";

export type RemoteIo = {
  readonly stdout: Writable;
  readonly stderr: Writable & Shown;
  readonly stdin: Readable;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

export const PROCESS_IO: RemoteIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  now: Date.now,
};

/** What a shell says of a command that Ctrl-C has ended. */
const INTERRUPTED = 130;

/**
 * Runs work that Ctrl-C or SIGTERM ends softly: what can be continued is kept. The second press ends at once.
 * @param afterwards lines that say what was left and how to go on.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  afterwards: () => readonly string[] = () => [],
): Promise<T> {
  const stop = new AbortController();
  const interrupt = (): void => {
    if (stop.signal.aborted) process.exit(INTERRUPTED);
    stop.abort(new Error("interrupted"));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    return await work(stop.signal);
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) {
      const lines = ["ferryman: interrupted.", ...afterwards()];
      // The line that was being drawn ends here.
      const before = process.stderr.isTTY ? "\n" : "";
      process.stderr.write(`${before}${lines.map((line) => `${fitting(line, process.stderr)}\n`).join("")}`);
      process.exit(INTERRUPTED);
    }
    throw error;
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}

/** One line to a person. */
export function sayer(io: Pick<RemoteIo, "stderr">): (line: string) => void {
  return (line) => void io.stderr.write(`${fitting(line.split("\n").map(printable).join("\n"), io.stderr)}\n`);
}
