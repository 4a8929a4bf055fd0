/** Where a command writes: the terminal, a file, a program, or the memory of a background job. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { OutputClosed, ShellError } from "./errors.ts";
import { JOB_OUTPUT_MOST } from "./limits.ts";

export interface Out {
  /** Whether a person reads it, so that columns and pages make sense. */
  readonly isTerminal: boolean;
  readonly columns: number;
  /** Resolves when there is room for more. @throws {OutputClosed} when nobody reads any more. */
  write(data: string | Uint8Array): Promise<void>;
  /** Resolves when all is written. @throws {ShellError} when it could not be. */
  end(): Promise<void>;
}

/** Columns of what is no terminal. */
const COLUMNS = 80;

/** A stream of the process, which stays open. */
export class StreamOut implements Out {
  readonly isTerminal: boolean;
  readonly #stream: Writable & { readonly columns?: number };

  constructor(stream: Writable & { readonly columns?: number }, isTerminal: boolean) {
    this.#stream = stream;
    this.isTerminal = isTerminal;
  }

  get columns(): number {
    return this.#stream.columns || COLUMNS;
  }

  async write(data: string | Uint8Array): Promise<void> {
    if (this.#stream.destroyed || this.#stream.writableEnded) throw new OutputClosed();
    if (!this.#stream.write(data)) await drained(this.#stream);
  }

  async end(): Promise<void> {}
}

/** A stream that belongs to one command: a file or the input of a program. */
class OwnOut implements Out {
  readonly isTerminal = false;
  readonly columns = COLUMNS;
  readonly #stream: Writable;
  readonly #finished: () => Promise<void>;
  #error: NodeJS.ErrnoException | undefined;

  constructor(stream: Writable, finished: () => Promise<void>) {
    this.#stream = stream;
    this.#finished = finished;
    stream.on("error", (error) => (this.#error = error));
  }

  async write(data: string | Uint8Array): Promise<void> {
    this.#check();
    if (!this.#stream.write(data)) await drained(this.#stream);
    this.#check();
  }

  async end(): Promise<void> {
    if (this.#error === undefined) this.#stream.end();
    await this.#finished();
    this.#checkError();
  }

  #check(): void {
    this.#checkError();
    if (this.#error !== undefined || this.#stream.destroyed) throw new OutputClosed();
  }

  /** A reader that has gone is none. */
  #checkError(): void {
    if (this.#error === undefined || this.#error.code === "EPIPE") return;
    throw new ShellError(`the output could not be written: ${this.#error.message}`);
  }
}

/** `> file`, `>> file`. */
export function fileOut(path: string, isAppend: boolean): Out {
  const stream = createWriteStream(path, { flags: isAppend ? "a" : "w" });
  const closed = new Promise<void>((resolve) => stream.once("close", resolve));
  return new OwnOut(stream, async () => await closed);
}

export type ProgramPlace = {
  readonly cwd: string;
  /** For what the program says; "inherit" where it should have the terminal itself. */
  readonly output: Writable | "inherit";
  readonly signal: AbortSignal;
};

/** `| program`. @returns also whether the program went well, once it has ended. */
export function programOut(
  program: string,
  place: ProgramPlace,
): { readonly out: Out; readonly went: Promise<boolean> } {
  const child = started(program, place, "pipe");
  const went = ended(child, program);
  const { stdin } = child;
  if (stdin === null) throw new ShellError("the program has no input");
  return { out: new OwnOut(stdin, async () => void (await went.catch(() => false))), went };
}

/** `!program`; "" is a shell for people. @returns whether it went well. */
export async function runProgram(program: string, place: ProgramPlace): Promise<boolean> {
  const shell =
    process.platform === "win32" ? (process.env["COMSPEC"] ?? "cmd.exe") : (process.env["SHELL"] ?? "/bin/sh");
  return await ended(started(program === "" ? shell : program, place, "inherit"), program);
}

function started(program: string, { cwd, output, signal }: ProgramPlace, stdin: "pipe" | "inherit"): ChildProcess {
  const to = output === "inherit" ? "inherit" : "pipe";
  // A program's input is ours alone where we are at a terminal: in a script it would eat the lines that follow.
  const from = stdin === "inherit" && to === "pipe" ? "ignore" : stdin;
  const child = spawn(program, { shell: true, cwd, stdio: [from, to, "inherit"], signal });
  if (output !== "inherit") child.stdout?.pipe(output, { end: false });
  return child;
}

async function ended(child: ChildProcess, program: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  child.once("error", (error) => {
    if (error.name !== "AbortError") reject(new ShellError(`"${program}" could not be started: ${error.message}`));
  });
  child.once("close", (code) => resolve(code === 0));
  return await promise;
}

/** Text of a background job, up to a limit; or on to where the command wrote before it went to the background. */
export class JobOut implements Out {
  #direct: Out | undefined;
  #kept: Buffer[] = [];
  #size = 0;
  #isCut = false;

  constructor(direct: Out | undefined) {
    this.#direct = direct;
  }

  get isTerminal(): boolean {
    return this.#direct?.isTerminal ?? false;
  }

  get columns(): number {
    return this.#direct?.columns ?? COLUMNS;
  }

  async write(data: string | Uint8Array): Promise<void> {
    if (this.#direct !== undefined) return await this.#direct.write(data);
    const octets = Buffer.from(typeof data === "string" ? Buffer.from(data) : data);
    const room = JOB_OUTPUT_MOST - this.#size;
    if (octets.length > room) this.#isCut = true;
    if (room > 0) this.#kept.push(octets.subarray(0, room));
    this.#size += Math.min(room, octets.length);
  }

  async end(): Promise<void> {}

  /** What it says from now on is kept; or goes to `direct`, after what was kept. */
  async turn(direct: Out | undefined): Promise<void> {
    this.#direct = direct;
    if (direct !== undefined) await direct.write(this.take());
  }

  /** What was kept, once. */
  take(): string {
    const text = Buffer.concat(this.#kept).toString("utf8");
    const note = this.#isCut ? "\n(more was said and is not kept; write it to a file with >)\n" : "";
    this.#kept = [];
    this.#size = 0;
    this.#isCut = false;
    return text + note;
  }
}

/** Room again, or the end of the stream: the next write will tell. */
async function drained(stream: Writable): Promise<void> {
  using waiting = new DisposableStack();
  const ending = new AbortController();
  waiting.defer(() => ending.abort());
  const quietly = async (event: string): Promise<void> => {
    await once(stream, event, { signal: ending.signal }).catch(() => {});
  };
  await Promise.race([quietly("drain"), quietly("close"), quietly("error")]);
}
