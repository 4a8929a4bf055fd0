/** What the shell holds while it runs: the connection, settings, jobs, and the command in the foreground. */
import { EventEmitter } from "node:events";
import { printable } from "../../client/errors.ts";
import { type TransferBoard, boardMode, createBoard } from "../progress/board.ts";
import type { Call, Context, Shell } from "./command.ts";
import { SHELL_COMMANDS } from "./commands/index.ts";
import type { CompletionGround } from "./completion.ts";
import { Connection } from "./connection.ts";
import { ExitRequest, Interrupted, described } from "./errors.ts";
import { type Evaluation, runText } from "./evaluate.ts";
import { JobBoard } from "./job-board.ts";
import { Jobs } from "./jobs.ts";
import type { Lines } from "./lines.ts";
import { NameCache } from "./name-cache.ts";
import type { ShellOptions } from "./options.ts";
import { JobOut, StreamOut, runProgram } from "./out.ts";
import type { Place } from "./place.ts";
import { Settings } from "./settings.ts";
import { CommandTable } from "./table.ts";

/** Milliseconds that the end waits for jobs that were ended, and for QUIT: a server that does not answer holds nobody. */
const END_WAIT_MS = 4_000;

export type StateParts = {
  readonly lines: Lines;
  readonly history: () => readonly string[];
  readonly isPrompting: boolean;
};

type Foreground = {
  readonly stop: AbortController;
  readonly giveUp: () => void;
  readonly board: TransferBoard | undefined;
};

async function noLine(): Promise<undefined> {}

export class ShellState implements Shell {
  readonly settings = new Settings();
  readonly aliases = new Map<string, string>();
  readonly macros = new Map<string, readonly string[]>();
  restartAt: number | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly jobs = new Jobs();
  readonly names = new NameCache();
  readonly connection: Connection;
  readonly table: CommandTable;
  readonly isTerminal: boolean;
  readonly place: Place;
  readonly evaluation: Evaluation;
  readonly #options: ShellOptions;
  readonly #parts: StateParts;
  readonly #signals: EventEmitter;
  #foreground: Foreground | undefined;
  /** Programs that have the terminal now. */
  #programs = 0;

  /** @throws {UsageError} for settings that there are not. */
  constructor(options: ShellOptions, parts: StateParts) {
    this.#options = options;
    this.#parts = parts;
    this.#signals = options.signals ?? process;
    this.environment = options.environment ?? process.env;
    this.isTerminal = parts.isPrompting;
    this.table = new CommandTable([...SHELL_COMMANDS, ...(options.more ?? [])]);
    this.connection = new Connection(options.connect, {
      settings: this.settings,
      base: options.connectOptions ?? {},
      isQuiet: options.quiet,
    });
    this.connection.say = (line) => this.say(line);
    this.connection.ask = async (user, host) => await this.#password(user, host);
    this.jobs.parallel = () => this.settings.number("queue-parallel");
    const localFolder = options.localFolder ?? process.cwd();
    this.place = { folder: "/", previous: undefined, home: "/", localFolder, previousLocal: undefined };
    this.evaluation = {
      shell: this,
      stopsAtFailure: () => !parts.isPrompting && !this.settings.isOn("continue-on-error"),
      programOutput: this.#programOutput(),
      besideOutput: options.errorOutput,
    };
    for (const [name, value] of Object.entries(options.settings ?? {})) this.settings.set(name, value);
  }

  history(): readonly string[] {
    return this.#parts.history();
  }

  /** A line for people, on standard error; above the bars where there are any. */
  say(line: string): void {
    const board = this.#foreground?.board;
    if (this.#parts.lines.isWaiting) this.#parts.lines.notice(`${line}\n`);
    else if (board !== undefined && this.#mode() === "bars") for (const each of line.split("\n")) board.note(each);
    else this.#options.errorOutput.write(`${line}\n`);
  }

  ring(): void {
    if (this.isTerminal) this.#options.errorOutput.write("\u0007");
  }

  async ask(question: string, about?: { readonly isSecret?: boolean }): Promise<string | undefined> {
    return this.isTerminal ? await this.#parts.lines.ask(question, about) : undefined;
  }

  /** At a terminal it is a question, which Ctrl-C ends with the command that asks. */
  async #nextLine(prompt: string): Promise<string | undefined> {
    const { lines } = this.#parts;
    return this.isTerminal ? await lines.ask(prompt) : await lines.next("");
  }

  /** The terminal of the shell, else whoever else can be asked. */
  async #password(user: string, host: string): Promise<string | undefined> {
    const question = `Password of ${printable(user)} at ${printable(host)}: `;
    if (this.isTerminal) return await this.#parts.lines.ask(question, { isSecret: true });
    return await this.#options.askPassword?.(question);
  }

  async run(text: string, context: Context): Promise<boolean> {
    return await runText(this.evaluation, text, context);
  }

  runBeside(text: string, context: Context, { queued }: { readonly queued: boolean }): number {
    const board = new JobBoard(undefined);
    const out = new JobOut(undefined);
    const place = { ...context.place };
    // What is opened in the meantime is not for this job, nor are the lines that follow.
    const pin = { client: context.pin.client ?? this.connection.client };
    const plan = { title: text, out, about: () => board.about(), client: pin.client, queued };
    const job = this.jobs.start(plan, async (signal) => {
      const say = (line: string): void => void out.write(`${line}\n`);
      const inside = { ...context, place, out, board, signal, say, pin, nextLine: noLine, isBackground: true };
      return await this.#beside(inside, async () => await runText(this.evaluation, text, inside));
    });
    if (this.isTerminal && job.state !== "done") context.say(`[${job.id}] ${job.state}`);
    return job.id;
  }

  async program(program: string, context: Context): Promise<boolean> {
    this.#programs += 1;
    try {
      const output = context.isBackground ? this.#options.errorOutput : this.#programOutput();
      return await runProgram(program, { cwd: context.place.localFolder, output, signal: context.signal });
    } finally {
      this.#programs -= 1;
    }
  }

  /**
   * Runs work while Ctrl-C aborts it and Ctrl-Z sends it to the background.
   * @throws {Interrupted} @throws {ExitRequest}
   */
  async inForeground(title: string, work: (context: Context) => Promise<boolean>): Promise<boolean> {
    const stop = new AbortController();
    const gaveUp = Promise.withResolvers<"gave up">();
    const left = Promise.withResolvers<"left">();
    const shown = this.settings.isOn("progress") && this.#mode() !== "none" ? this.#board() : undefined;
    const board = new JobBoard(shown);
    const out = new JobOut(new StreamOut(this.#options.output, this.#options.terminal));
    const place = { ...this.place };
    let isBeside = false;
    const context: Context = {
      place,
      out,
      board,
      signal: stop.signal,
      get isBackground() {
        return isBeside;
      },
      depth: 0,
      expanding: new Set(),
      pin: {},
      nextLine: async (prompt) => (isBeside ? undefined : await this.#nextLine(prompt)),
      say: (line) => {
        if (isBeside) void out.write(`${line}\n`);
        else this.say(line);
      },
    };
    this.#foreground = { stop, giveUp: () => gaveUp.resolve("gave up"), board: shown };
    using held = new DisposableStack();
    held.use(this.#hearSignals(() => left.resolve("left")));
    const running = work(context);
    try {
      const first = await Promise.race([running, gaveUp.promise, left.promise]);
      if (first === "left") {
        isBeside = true;
        context.pin.client = this.connection.client;
        board.close();
        await out.turn(undefined);
        const { client } = context.pin;
        const plan = { title, out, about: () => board.about(), client, stop, queued: false };
        const job = this.jobs.start(plan, async () => {
          return await this.#beside(context, async () => await running);
        });
        this.#options.errorOutput.write(`\n[${job.id}] goes on in the background: ${printable(title)}\n`);
        return true;
      }
      if (first === "gave up") {
        running.catch(() => {});
        throw new Interrupted();
      }
      return first;
    } finally {
      board.close();
      this.#foreground = undefined;
      if (!isBeside) Object.assign(this.place, place);
    }
  }

  /** Ctrl-C: aborts what runs; once more: does not wait for it either. */
  interrupt(): void {
    if (this.#foreground === undefined) return;
    const { stop, giveUp } = this.#foreground;
    if (stop.signal.aborted) giveUp();
    else stop.abort(new Interrupted());
  }

  /** For work that is not a line: the first connection, scripts of Windows. */
  callOf(context: Context): Call {
    return {
      ...context,
      shell: this,
      name: "",
      words: [],
      client: () => context.pin.client ?? this.connection.current(),
      line: async (text) => await context.out.write(`${text}\n`),
    };
  }

  completionGround(): CompletionGround {
    const { table, aliases, place, names } = this;
    return { table, aliases, place, names, client: this.connection.client };
  }

  async close(): Promise<void> {
    const ends = this.jobs.all.map(async ({ stop, went }) => {
      stop.abort(new Interrupted());
      await went;
    });
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, END_WAIT_MS);
    const ending = Promise.allSettled(ends).then(async () => await this.connection.closeAll());
    await Promise.race([ending, late]);
    clearTimeout(timer);
  }

  async #beside(context: Context, work: () => Promise<boolean>): Promise<boolean> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ExitRequest) context.say("exit: it does not work in the background");
      else if (!(error instanceof Interrupted)) context.say(described(error));
      return false;
    }
  }

  #hearSignals(leave: () => void): Disposable {
    const onInterrupt = (): void => this.interrupt();
    const onStop = (): void => {
      // A program that has the terminal is stopped by the same key, and we stop with it, as a pipeline does.
      if (this.#programs > 0) process.kill(process.pid, "SIGSTOP");
      else leave();
    };
    this.#signals.on("SIGINT", onInterrupt);
    if (this.isTerminal) this.#signals.on("SIGTSTP", onStop);
    return {
      [Symbol.dispose]: () => {
        this.#signals.off("SIGINT", onInterrupt);
        this.#signals.off("SIGTSTP", onStop);
      },
    };
  }

  #mode(): ReturnType<typeof boardMode> {
    return this.#options.board ?? boardMode({}, this.#options.errorOutput, this.environment);
  }

  #board(): TransferBoard {
    return createBoard(this.#mode(), { stderr: this.#options.errorOutput, stdout: this.#options.output });
  }

  /** A program has the terminal itself; elsewhere what it says takes the way of all output. */
  #programOutput(): ShellOptions["output"] | "inherit" {
    return this.#options.output === process.stdout ? "inherit" : this.#options.output;
  }
}
