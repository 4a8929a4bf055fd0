/** How a command of the shell can end other than well. */
import { FtpError, printable } from "../../client/errors.ts";

/** An expected failure: `message` is for people and says what to do. */
export class ShellError extends Error {
  override readonly name: string = "ShellError";
}

/** The command was written wrongly. */
export class UsageError extends ShellError {
  override readonly name = "UsageError";
}

/** Ctrl-C, or `kill`: what was asked for ends, the session does not. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";

  constructor() {
    super("interrupted");
  }
}

/** `exit`: thrown through everything that runs. */
export class ExitRequest extends Error {
  override readonly name = "ExitRequest";
  /** 0 to 255; undefined: as the commands before have gone. */
  readonly code: number | undefined;

  constructor(code: number | undefined) {
    super("exit");
    this.code = code;
  }
}

/** Whoever read our output has gone, such as a pager that was left early: no failure. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/** Parts of a command failed, and each has been told about already. */
export class PartsFailed extends ShellError {
  override readonly name = "PartsFailed";
  /** Whether the message says more than the parts did. */
  readonly isNews: boolean;

  constructor({ failed, of }: { readonly failed: number; readonly of: number }) {
    super(`${failed} of ${of} failed`);
    this.isNews = of > 1;
  }
}

/** What went wrong, as one line for people, with what may help. */
export function described(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const hint = error instanceof FtpError && error.hint !== undefined ? ` (${error.hint})` : "";
  return printable(text + hint);
}
