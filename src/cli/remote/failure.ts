/** Errors of the client as ends of a command: what failed, what to do, and an exit code. */
import { FtpError, type FtpErrorCode } from "../../client/errors.ts";
import { CliError, EXIT, type ExitCode } from "../exit.ts";

const CODES: Readonly<Partial<Record<FtpErrorCode, ExitCode>>> = {
  USAGE: EXIT.usage,
  AUTH: EXIT.refused,
  DENIED: EXIT.refused,
  TLS_UNTRUSTED: EXIT.refused,
  TLS_DOWNGRADE: EXIT.refused,
  BUSY: EXIT.tryAgain,
  TIMEOUT: EXIT.tryAgain,
  STALLED: EXIT.tryAgain,
  UNREACHABLE: EXIT.tryAgain,
  RESET: EXIT.tryAgain,
};

/** A sentence, and the cure in a line of its own. */
function explained(error: FtpError): string {
  // Not with a capital: it may begin with a name.
  const sentence = /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
  if (error.hint === undefined) return sentence;
  const hint = `${error.hint.charAt(0).toUpperCase()}${error.hint.slice(1)}`;
  return `${sentence}\n${/[.!?]$/.test(hint) ? hint : `${hint}.`}`;
}

/** For a line among others. */
export function explainedInLine(error: FtpError): string {
  return explained(error).replaceAll("\n", " ");
}

/** @returns what is not the client's unchanged. */
export function asCliError(error: unknown): unknown {
  if (!(error instanceof FtpError)) return error;
  // A name that nobody knows will not be known later either.
  const isLasting = error.code === "UNREACHABLE" && !error.retryable;
  return new CliError(explained(error), isLasting ? EXIT.failed : (CODES[error.code] ?? EXIT.failed));
}

/** Runs a command's work; the client's errors become ends of the command. */
export async function ending<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asCliError(error);
  }
}

/** For a command on many files: failures are told as they come, and counted. */
export class Failures {
  #count = 0;
  #worst: ExitCode = EXIT.ok;
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** @param isTold people know it already. @throws what is not the client's. */
  note(error: unknown, isTold = false): void {
    const end = asCliError(error);
    if (!(end instanceof CliError)) throw error;
    this.#count += 1;
    // One that may pass is told only if all of them may.
    this.#worst = this.#worst === EXIT.ok || this.#worst === end.exitCode ? end.exitCode : EXIT.failed;
    if (!isTold) this.#say(`error: ${end.message}`);
  }

  /** @throws {CliError} if there were any. */
  end(of: number): void {
    if (this.#count === 0) return;
    throw new CliError(
      of === 1 ? "" : `${this.#count} of ${of} failed.`,
      this.#worst === EXIT.ok ? EXIT.failed : this.#worst,
    );
  }
}
