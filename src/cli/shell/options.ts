/** What `runShell` is told, and how errors become exit codes. */
import type { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";
import { FtpError } from "../../client/errors.ts";
import type { Client, ConnectOptions } from "../../client/types.ts";
import { CliError, EXIT, type ExitCode } from "../exit.ts";
import type { BoardMode } from "../progress/board.ts";
import type { ShellCommand } from "./command.ts";
import type { Connect } from "./connection.ts";
import { UsageError } from "./errors.ts";

/** A script of ftp.exe with its flags. */
export type WindowsScript = {
  readonly text: string;
  readonly host?: string | undefined;
  /** Without `-n`: the two lines behind `open` are name and password. */
  readonly logsIn: boolean;
  /** `-A`: as anonymous. */
  readonly isAnonymous: boolean;
  /** Without `-g`. */
  readonly usesGlobs: boolean;
};

export type ShellOptions = {
  /** Makes connections; without it there is only `client`. */
  readonly connect?: Connect | undefined;
  /** A connection that is there already; the shell closes it. */
  readonly client?: Client | undefined;
  /** Where to connect first. */
  readonly url?: string | undefined;
  /** For every connection. */
  readonly connectOptions?: ConnectOptions | undefined;
  readonly input: Readable & { setRawMode?(isRaw: boolean): unknown };
  readonly output: Writable & { readonly columns?: number; readonly isTTY?: boolean };
  readonly errorOutput: Writable & { readonly columns?: number; readonly rows?: number; readonly isTTY?: boolean };
  /** Whether a person sits there: prompt, editing, questions. */
  readonly terminal: boolean;
  /** `-c`, and what a file of `-f` says: run, and then the end. */
  readonly commands?: string | undefined;
  /** `-e`: run first. */
  readonly first?: string | undefined;
  /** `-s`: in place of `commands`. */
  readonly windowsScript?: WindowsScript | undefined;
  /** By name and value, as `set` takes them. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** How transfers are shown. */
  readonly board?: BoardMode | undefined;
  /** Further commands, such as `mirror`. */
  readonly more?: readonly ShellCommand[] | undefined;
  /** Looks a password up, or asks for one where this is no terminal of the shell's. Default: the terminal is asked. */
  readonly password?: ((url: string, user: string) => Promise<string | undefined>) | undefined;
  /** File of commands that are run first; false: none. Default: `$XDG_CONFIG_HOME/ferryman/shellrc`. */
  readonly startFile?: string | false | undefined;
  /** File of the history; false: none. Default: `$XDG_STATE_HOME/ferryman/history`. */
  readonly history?: string | false | undefined;
  readonly localFolder?: string | undefined;
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /** Of SIGINT and SIGTSTP. Default: the process. */
  readonly signals?: EventEmitter | undefined;
};

/** How the command line ends when a connection cannot be made, by the table of `exit.ts`. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof UsageError) return EXIT.usage;
  if (!(error instanceof FtpError)) return EXIT.failed;
  if (error.code === "USAGE") return EXIT.usage;
  if (["AUTH", "DENIED", "TLS_UNTRUSTED", "TLS_DOWNGRADE"].includes(error.code)) return EXIT.refused;
  return error.retryable ? EXIT.tryAgain : EXIT.failed;
}
