/** Where commands that go to a server write, and how Ctrl-C ends them. */
import type { Readable, Writable } from "node:stream";
import { systemCode } from "../../base/system-code.ts";
import { FtpError } from "../../client/errors.ts";
import { localFault } from "../../client/octets.ts";
import { printable } from "../columns.ts";
import { EXIT } from "../exit.ts";
import { stopSignals } from "../stop-signals.ts";
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

export type EndTerms = {
  /** Lines that say what was left and how to go on. */
  readonly afterwards?: () => readonly string[];
  /** Where the result goes: when its reader has gone, nothing is left to do. */
  readonly pipe?: Writable | undefined;
  /** Milliseconds for all of it (`--max-time`). */
  readonly mostMs?: number | undefined;
};

/**
 * Runs work that Ctrl-C or SIGTERM ends softly: what can be continued is kept. The second press ends at once. A reader of
 * the result that has had enough (`| head`) ends it too, without a word and with code 0: it got what it wanted.
 * @throws what the work throws; TIMEOUT after `mostMs`; LOCAL_IO or NO_SPACE where the result cannot be written.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { afterwards = () => [], pipe, mostMs }: EndTerms = {},
): Promise<T> {
  const stop = new AbortController();
  const interrupted = new Error("interrupted");
  using _ = stopping(() => stop.abort(interrupted));
  using late = new DisposableStack();
  if (mostMs !== undefined)
    late.adopt(
      setTimeout(() => stop.abort(tooLate(mostMs)), mostMs),
      clearTimeout,
    );
  let fault: Error | undefined;
  const broken = (error: Error): void => {
    fault = error;
    stop.abort(error);
  };
  pipe?.on("error", broken);
  late.defer(() => pipe?.off("error", broken));
  try {
    const result = await work(stop.signal);
    endOfPipe(fault);
    return result;
  } catch (error) {
    endOfPipe(fault);
    if (!stop.signal.aborted) throw error;
    // The line that was being drawn ends here.
    const before = process.stderr.isTTY ? "\n" : "";
    const isInterrupted = error === interrupted;
    const lines = [...(isInterrupted ? ["ferryman: interrupted."] : []), ...afterwards()];
    process.stderr.write(`${before}${lines.map((line) => `${fitting(line, process.stderr)}\n`).join("")}`);
    if (isInterrupted) process.exit(INTERRUPTED);
    throw error;
  }
}

/** The first Ctrl-C, SIGTERM or SIGHUP calls; the second ends the process. */
export function stopping(stop: () => void): Disposable {
  const signals = stopSignals({ hasTerminal: true });
  void signals.first.then(stop);
  void signals.second.then((signal) => {
    // By the signal itself: process.exit waits for system calls that are under way, and one of a dead disk never ends.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
  return signals;
}

function tooLate(ms: number): FtpError {
  return new FtpError("TIMEOUT", `it is not done within ${ms / 1000} s (--max-time)`, { phase: "local" });
}

/** @throws {FtpError} for a result that could not be written. */
function endOfPipe(fault: Error | undefined): void {
  if (fault === undefined) return;
  if (systemCode(fault) === "EPIPE") process.exit(EXIT.ok);
  throw localFault(fault, "cannot write to standard output");
}

/** One line to a person. */
export function sayer(io: Pick<RemoteIo, "stderr">): (line: string) => void {
  return (line) => void io.stderr.write(`${fitting(line.split("\n").map(printable).join("\n"), io.stderr)}\n`);
}
