/** How the command line ends: the codes of design.md, three of them from sysexits.h, and the errors that carry them. */

import { withoutPasswords } from "../base/masked.ts";

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** EX_TEMPFAIL: the same command may work later. */
  tryAgain: 75,
  /** EX_NOPERM: somebody with the right must do it. */
  refused: 77,
  /** EX_CONFIG: a setting has to change first. */
  configuration: 78,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export type CliErrorDetails = {
  /** What it came from, for `--json`. */
  readonly cause?: unknown;
  /** What the command was to work on, without a password. */
  readonly url?: string | undefined;
  /** Each failure has had an event of its own: this one only counts them. */
  readonly isTold?: boolean;
};

/** An expected failure: `message` is for people and says what to do; no stack is shown. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;
  readonly url: string | undefined;
  readonly isTold: boolean;

  constructor(message: string, exitCode: ExitCode, { cause, url, isTold = false }: CliErrorDetails = {}) {
    super(withoutPasswords(message), cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
    this.url = url;
    this.isTold = isTold;
  }
}
