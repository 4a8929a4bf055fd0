/** What `runShell` is told, and how errors become exit codes. */
import type { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Client, ConnectOptions } from "../../client/types.ts";
import { CliError, EXIT, type ExitCode } from "../exit.ts";
import { asCliError } from "../remote/failure.ts";
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
  /** Where to connect first: a URL, a host, or a bookmark's name. */
  readonly target?: string | undefined;
  /** For `target` alone. */
  readonly targetOptions?: ConnectOptions | undefined;
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
  /** No notes about the way to the server. */
  readonly quiet?: boolean | undefined;
  /** How transfers are shown. */
  readonly board?: BoardMode | undefined;
  /** Further commands, such as `mirror`. */
  readonly more?: readonly ShellCommand[] | undefined;
  /** Asks for a password where the shell itself has no terminal, as with `-c`. */
  readonly askPassword?: ((question: string) => Promise<string | undefined>) | undefined;
  /** File of commands that are run first; false: none. Default: `$XDG_CONFIG_HOME/ferryman/shellrc`. */
  readonly startFile?: string | false | undefined;
  /** File of the history; false: none. Default: `$XDG_STATE_HOME/ferryman/history`. */
  readonly history?: string | false | undefined;
  readonly localFolder?: string | undefined;
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /** Of SIGINT and SIGTSTP. Default: the process. */
  readonly signals?: EventEmitter | undefined;
};

/** How the command line ends when a connection cannot be made. */
export function exitCodeOf(error: unknown): ExitCode {
  const end = asCliError(error);
  if (end instanceof CliError) return end.exitCode;
  return error instanceof UsageError ? EXIT.usage : EXIT.failed;
}
