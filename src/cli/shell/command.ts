/** What a command of the shell is, and what it is given when it runs. */
import type { Client } from "../../client/types.ts";
import type { Connection } from "./connection.ts";
import type { JobBoard } from "./job-board.ts";
import type { Jobs } from "./jobs.ts";
import type { NameCache } from "./name-cache.ts";
import type { Out } from "./out.ts";
import type { Place } from "./place.ts";
import type { Settings } from "./settings.ts";
import type { CommandTable } from "./table.ts";
import type { Word } from "./words.ts";

export const TOPICS = [
  "connection",
  "folders",
  "listing",
  "transfers",
  "names",
  "files",
  "jobs",
  "settings",
  "shell",
] as const;
export type Topic = (typeof TOPICS)[number];

/** What its words name, for completion; "first-local" and "first-remote" the other one from the second word on. */
export type Completes =
  | "remote"
  | "local"
  | "folder"
  | "local-folder"
  | "first-local"
  | "first-remote"
  | "command"
  | "set";

export type ShellCommand = {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly topic: Topic;
  /** Behind the name: `[-l] [FOLDER]`. */
  readonly usage: string;
  /** One line, without a full stop. */
  readonly help: string;
  /** Further lines of `help NAME`. */
  readonly more?: readonly string[];
  /** For `help NAME`: lines as they may be typed. */
  readonly examples?: readonly string[];
  readonly completes?: Completes;
  /** It needs the terminal or changes the connection: never in the background. */
  readonly foreground?: true;
  /** @throws {Error} when it failed; the message goes to people. */
  readonly run: (call: Call) => Promise<void>;
};

/** Where commands run: the prompt, a script or a job. */
export type Context = {
  readonly place: Place;
  readonly out: Out;
  readonly signal: AbortSignal;
  readonly board: JobBoard;
  readonly isBackground: boolean;
  /** Of aliases and files inside each other. */
  readonly depth: number;
  /** Aliases that are being written out: they do not stand for themselves again. */
  readonly expanding: ReadonlySet<string>;
  /** A line for people, beside the output. */
  readonly say: (line: string) => void;
  /** What follows the line that runs, for commands that take lines; undefined at the end. */
  readonly nextLine: (prompt: string) => Promise<string | undefined>;
  /** What a job began with, whatever is opened in the meantime. */
  readonly pin: { client?: Client | undefined };
};

export type Call = Context & {
  readonly shell: Shell;
  /** As it stands in the table. */
  readonly name: string;
  /** Those behind the name. */
  readonly words: readonly Word[];
  /** @throws {ShellError} when there is no connection. */
  readonly client: () => Client;
  readonly line: (text: string) => Promise<void>;
};

/** What commands see of the shell. */
export interface Shell {
  readonly settings: Settings;
  readonly aliases: Map<string, string>;
  /** Of macdef and .netrc. */
  readonly macros: Map<string, readonly string[]>;
  /** Of `restart`, for the next file alone. */
  restartAt: number | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly jobs: Jobs;
  readonly connection: Connection;
  readonly table: CommandTable;
  readonly names: NameCache;
  /** Whether a person can be asked. */
  readonly isTerminal: boolean;
  readonly history: () => readonly string[];
  /** @returns undefined when there is nobody, or no answer. */
  readonly ask: (question: string, about?: { readonly isSecret?: boolean }) => Promise<string | undefined>;
  /** Runs lines as if they stood there. @returns whether the last one went well. */
  readonly run: (text: string, context: Context) => Promise<boolean>;
  /** Runs lines beside the prompt. @returns the number of the job. */
  readonly runBeside: (text: string, context: Context, about: { readonly queued: boolean }) => number;
  /** The bell of the terminal, where there is one. */
  readonly ring: () => void;
  /** Runs a program of the host. @returns whether it went well. */
  readonly program: (program: string, context: Context) => Promise<boolean>;
}
