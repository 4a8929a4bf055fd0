/** Errors of the client as ends of a command: what failed, what to do, what the server said, and an exit code. */
import { FtpError, type FtpErrorCode, shownReply } from "../../client/errors.ts";
import { CliError, EXIT, type ExitCode } from "../exit.ts";
import { type FailureFacts, failureFacts } from "./failure-facts.ts";

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

type Words = {
  /** What a reply means, behind "cannot get /pub/a: ". */
  readonly means: string;
  /** What to do, where the error itself does not say. */
  readonly cure?: string;
};

/** Of refusals: their words are the server's, in its language, and often say less than its code. */
const REFUSALS: Readonly<Partial<Record<FtpErrorCode, Words>>> = {
  AUTH: { means: "name or password are not taken", cure: "Check both, capitals too; -u NAME signs in as another user" },
  NOT_FOUND: {
    means: "there is no such file or folder, or this user may not see it",
    cure: "See what is there: ferryman ls and the URL of its folder",
  },
  EXISTS: { means: "something of that name is there already", cure: "Choose another name, or remove it first" },
  DENIED: {
    means: "this user may not",
    cure: "Sign in as somebody who may (-u NAME), or ask those who run the server",
  },
  QUOTA: { means: "the account has used up its room there", cure: "Remove something, or ask those who run the server" },
  NO_SPACE: { means: "the disk there is full", cure: "Remove something, or tell those who run the server" },
  BUSY: { means: "the server cannot do it now", cure: "Try again later; --connections 1 asks less of it" },
  DATA_BLOCKED: {
    means: "no data connection came about",
    cure: "ferryman doctor URL finds out which way gets through",
  },
  RESET: { means: "the data connection broke off", cure: "Try again; get and put go on where they stopped with -c" },
  UNSUPPORTED: { means: "the server does not know how", cure: "ferryman doctor URL tells what it can do" },
  PROTOCOL: { means: "the server does not take it in this place" },
};

/** Where the command itself tells more than the code. */
const BY_COMMAND: readonly (readonly [code: FtpErrorCode, command: RegExp, words: Words])[] = [
  [
    "NOT_FOUND",
    /^(?:STOR|APPE|MKD) /,
    { means: "its folder is not there, or this user may not write in it", cure: "-p makes the folders on the way" },
  ],
  ["EXISTS", /^MKD /, { means: "something of that name is there already", cure: "With -p that is no failure" }],
  ["AUTH", /^(?:USER|PASS|ACCT) /, { ...REFUSALS.AUTH, means: "the name or the password is wrong" }],
];

function wordsOf({ code, command = "" }: FtpError): Words | undefined {
  return BY_COMMAND.find(([known, verb]) => known === code && verb.test(command))?.[2] ?? REFUSALS[code];
}

/** A sentence, the cure in a line of its own, and then the server's words. */
function explained(error: FtpError): string {
  const { message, reply } = error;
  const said = reply === undefined ? undefined : shownReply(reply);
  const words = said !== undefined && message.endsWith(`: ${said}`) ? wordsOf(error) : undefined;
  // Not with a capital: it may begin with a name.
  const what = words === undefined || said === undefined ? message : `${message.slice(0, -said.length)}${words.means}`;
  const cure = error.hint ?? words?.cure;
  return [
    sentence(what),
    ...(cure === undefined ? [] : [sentence(`${cure.charAt(0).toUpperCase()}${cure.slice(1)}`)]),
    ...(words === undefined ? [] : [`The server said: ${said}`]),
  ].join("\n");
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** For a line among others. */
export function explainedInLine(error: FtpError): string {
  return explained(error).replaceAll("\n", " ");
}

/** @param url what the command was to work on. @returns what is not the client's unchanged. */
export function asCliError(error: unknown, url?: string): unknown {
  if (error instanceof CliError && error.url === undefined && url !== undefined) {
    const { message, exitCode, cause, isTold } = error;
    return new CliError(message, exitCode, { cause, isTold, url });
  }
  if (!(error instanceof FtpError)) return error;
  // A name that nobody knows will not be known later either.
  const isLasting = error.code === "UNREACHABLE" && !error.retryable;
  const exitCode = isLasting ? EXIT.failed : (CODES[error.code] ?? EXIT.failed);
  return new CliError(explained(error), exitCode, { cause: error, url });
}

/** Runs a command's work; the client's errors become ends of the command. */
export async function ending<T>(work: () => Promise<T>, url?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asCliError(error, url);
  }
}

/** For a command on many files: failures are told as they come, and counted. */
export class Failures {
  #count = 0;
  #worst: ExitCode = EXIT.ok;
  readonly #say: (line: string, error: CliError) => void;

  constructor(say: (line: string, error: CliError) => void) {
    this.#say = say;
  }

  get count(): number {
    return this.#count;
  }

  /** @param isTold people and programs know it already. @throws what is not the client's. */
  note(error: unknown, { isTold = false, url }: { readonly isTold?: boolean; readonly url?: string } = {}): void {
    const end = asCliError(error, url);
    if (!(end instanceof CliError)) throw error;
    this.#count += 1;
    // One that may pass is told only if all of them may.
    this.#worst = this.#worst === EXIT.ok || this.#worst === end.exitCode ? end.exitCode : EXIT.failed;
    if (!isTold) this.#say(`error: ${end.message}`, end);
  }

  /** @param rest why some were not tried. @throws {CliError} if there were any: their own code where all failed alike, else 1. */
  end(of: number, rest = ""): void {
    if (this.#count === 0) return;
    const exitCode = this.#count < of || this.#worst === EXIT.ok ? EXIT.failed : this.#worst;
    throw new CliError(of === 1 ? "" : `${this.#count} of ${of} failed.${rest}`, exitCode, { isTold: true });
  }
}

/** The line of `--json` for what ends a command. */
export function failureEvent(error: CliError): Record<string, unknown> {
  return { v: 1, event: "failed", ...(error.url === undefined ? {} : { url: error.url }), ...factsOf(error) };
}

export function factsOf({ message, exitCode, cause }: CliError): FailureFacts {
  if (cause instanceof FtpError) return failureFacts(cause);
  return {
    code: exitCode === EXIT.usage ? "USAGE" : "FAILED",
    phase: "local",
    retryable: exitCode === EXIT.tryAgain,
    replyCode: null,
    replyText: null,
    message,
    hint: null,
  };
}
