/** How a command of the shell can end other than well. */
import { withoutPasswords } from "../../base/masked.ts";
import { FtpError, printable } from "../../client/errors.ts";
import { systemCode } from "../../base/system-code.ts";

/** An expected failure: `message` is for people and says what to do. */
export class ShellError extends Error {
  override readonly name: string = "ShellError";
  /** How the command is used: told in a line of its own. */
  readonly usage: string | undefined;

  constructor(message: string, options: ErrorOptions & { readonly usage?: string } = {}) {
    super(withoutPasswords(message), options);
    this.usage = options.usage;
  }
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
  if (!(error instanceof FtpError)) return printable(withoutPasswords(localFault(error)));
  const hint = error.hint ?? unsaid(error);
  return printable(error.message + (hint === undefined ? "" : ` (${hint})`));
}

/** Words in which servers say themselves what a 550 means. */
const SAID = /no such|not found|not exist|n't exist|missing|denied|permission|not permitted|exists|not empty|\(rule /i;

/** Where the reply is a number and little else, what it means. */
function unsaid({ code, reply }: FtpError): string | undefined {
  if (reply === undefined || SAID.test(reply.lines.join(" "))) return undefined;
  if (code === "NOT_FOUND") return "it is not there, or not for this user: the server does not say which";
  if (code === "DENIED") return "this user may not do it there";
  if (code === "UNSUPPORTED") return "the server does not know this command, or not these words";
  if (code === "QUOTA" || code === "NO_SPACE") return "there is no room left for this user";
  return undefined;
}

const LOCAL_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: "is not there",
  EACCES: "is not for this user",
  EPERM: "is not for this user",
  EISDIR: "is a folder",
  ENOTDIR: "goes through what is no folder",
  EEXIST: "is there already",
  ENOTEMPTY: "is not empty",
  ENAMETOOLONG: "has too long a name",
  EROFS: "lies where nothing can be written",
  ENOSPC: "finds no room on the disk",
};

/** Faults of this host's files in words; others as they are. */
function localFault(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const fault = LOCAL_FAULTS[systemCode(error)];
  const path = error instanceof Error && "path" in error && typeof error.path === "string" ? error.path : undefined;
  return fault === undefined || path === undefined ? text : `${path} ${fault} (on this host)`;
}
