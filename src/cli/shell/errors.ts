/** How a command of the shell can end other than well. */

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
