/** `ferryman open`: the loop of prompt, command and answer, for people and for scripts. */
import { existsSync } from "node:fs";
import { printable } from "../../client/errors.ts";
import { EXIT } from "../exit.ts";
import type { Context } from "./command.ts";
import { readCommands } from "./commands/more.ts";
import { arrived, openTarget } from "./commands/connection.ts";
import { jobLine } from "./commands/jobs.ts";
import { complete } from "./completion.ts";
import { ExitRequest, Interrupted, described } from "./errors.ts";
import { runStep, runText } from "./evaluate.ts";
import { scriptAction } from "./ftp-script.ts";
import { History, historyPath, keptLine, startFilePath } from "./history.ts";
import { type Lines, StreamLines, TerminalLines, TextLines } from "./lines.ts";
import { type ShellOptions, type WindowsScript, exitCodeOf } from "./options.ts";
import { promptText } from "./prompt.ts";
import { ShellState } from "./state.ts";

export type { ShellOptions, WindowsScript } from "./options.ts";

/** What a shell says of a command that Ctrl-C has ended. */
const INTERRUPTED = 130;

/**
 * Runs the shell until its end: Ctrl-D, `exit`, the end of a script or its first failure.
 * @returns the exit code: that of `exit N`; 0 for people; for scripts 1 when a command failed; 77 when a name, password or
 * certificate was refused at the start, 75 when the connection may come about later, 130 when Ctrl-C ended one.
 */
export async function runShell(options: ShellOptions): Promise<number> {
  const loop = new Loop(options);
  try {
    return await loop.run();
  } finally {
    await loop.close();
  }
}

class Loop {
  readonly #options: ShellOptions;
  readonly #state: ShellState;
  readonly #history: History;
  readonly #lines: Lines;
  /** A person is at the prompt, so that a failure is no end. */
  readonly #isPrompting: boolean;
  #hasFailed = false;
  #wasWarned = false;

  constructor(options: ShellOptions) {
    const { environment = process.env, history } = options;
    this.#options = options;
    this.#isPrompting = options.terminal && options.commands === undefined && options.windowsScript === undefined;
    const isKept = this.#isPrompting && history !== false;
    this.#history = new History(isKept ? (history ?? historyPath(environment)) : undefined);
    this.#lines = this.#source();
    this.#state = new ShellState(options, {
      lines: this.#lines,
      history: () => this.#history.lines,
      isPrompting: this.#isPrompting,
    });
    this.#state.jobs.onEnd = () => {
      if (this.#lines.isWaiting) this.#tellEnded();
    };
  }

  async run(): Promise<number> {
    try {
      await this.#history.load();
      await this.#startFile();
      const problem = await this.#connect();
      if (problem !== undefined) return problem;
      if (this.#options.first !== undefined && !(await this.#foreground(this.#options.first)) && !this.#goesOn()) {
        return EXIT.failed;
      }
      if (this.#options.windowsScript === undefined) return await this.#loop();
      await this.#windowsScript(this.#options.windowsScript);
      return await this.#end();
    } catch (error) {
      if (!(error instanceof ExitRequest)) throw error;
      const code = await this.#end();
      return error.code ?? code;
    }
  }

  async close(): Promise<void> {
    this.#lines.close();
    await this.#state.close();
  }

  #source(): Lines {
    const { commands, input, output, windowsScript } = this.#options;
    if (commands !== undefined || windowsScript !== undefined)
      return new TextLines(commands ?? windowsScript?.text ?? "");
    if (!this.#options.terminal) return new StreamLines(input);
    return new TerminalLines({
      input,
      output,
      complete: async (line) => await complete(line, this.#state.completionGround()),
      history: () => this.#history.lines,
      interrupt: () => this.#state.interrupt(),
    });
  }

  async #startFile(): Promise<void> {
    const { startFile, environment = process.env, windowsScript } = this.#options;
    if (startFile === false || windowsScript !== undefined) return;
    const path = startFile ?? startFilePath(environment);
    if (!existsSync(path)) return;
    if (!(await this.#foreground(await readCommands(path)))) this.#state.say(`note: a command of ${path} failed`);
  }

  /** @returns the exit code where it is the end: a script cannot go on without its server. */
  async #connect(): Promise<number | undefined> {
    const { client, target, targetOptions = {} } = this.#options;
    if (client !== undefined) {
      this.#state.connection.adopt(client);
      arrived(
        { place: this.#state.place, shell: this.#state, say: (line) => this.#state.say(line) },
        client,
        undefined,
      );
      return undefined;
    }
    if (target === undefined) return undefined;
    try {
      await this.#state.inForeground("open", async (context) => {
        await openTarget(this.#state.callOf(context), target, targetOptions);
        return true;
      });
      return undefined;
    } catch (error) {
      const isOver = error instanceof Interrupted;
      this.#state.say(`open: ${isOver ? "interrupted" : described(error)}`);
      if (this.#isPrompting) return undefined;
      return isOver ? INTERRUPTED : exitCodeOf(error);
    }
  }

  async #loop(): Promise<number> {
    for (;;) {
      this.#tellEnded();
      const line = await this.#lines.next(this.#prompt());
      if (line === undefined) {
        if (this.#isPrompting) this.#options.output.write("\n");
        if (await this.#mayEnd()) return await this.#end();
        continue;
      }
      await this.#remember(line);
      try {
        const isWell = await this.#foreground(line);
        if (!isWell && !this.#goesOn()) return EXIT.failed;
        this.#wasWarned = false;
      } catch (error) {
        if (!(error instanceof ExitRequest)) throw error;
        if (await this.#mayEnd()) throw error;
      }
    }
  }

  /** FTPPROMPT as ftp has it, where it says something. */
  #prompt(): string {
    const { connection, place, environment } = this.#state;
    return promptText(connection.client?.info, place.folder, environment["FTPPROMPT"] || undefined);
  }

  /** Whether a failure is no end. */
  #goesOn(): boolean {
    return this.#isPrompting || this.#state.settings.isOn("continue-on-error");
  }

  async #remember(line: string): Promise<void> {
    const kept = this.#isPrompting ? keptLine(line, this.#state.table) : undefined;
    if (kept !== undefined) await this.#history.add(kept);
  }

  async #foreground(text: string): Promise<boolean> {
    return await this.#attempt(text, async (context) => await runText(this.#state.evaluation, text, context));
  }

  async #attempt(title: string, work: (context: Context) => Promise<boolean>): Promise<boolean> {
    try {
      const isWell = await this.#state.inForeground(title, work);
      if (!isWell) this.#hasFailed = true;
      return isWell;
    } catch (error) {
      if (!(error instanceof ExitRequest)) this.#hasFailed = true;
      if (!(error instanceof Interrupted)) throw error;
      this.#state.say("interrupted");
      // Who stops a script by Ctrl-C does not mean one command of it.
      if (!this.#isPrompting) throw new ExitRequest(INTERRUPTED);
      return false;
    }
  }

  /** Asks once where jobs would be lost: the second try in a row needs no answer. */
  async #mayEnd(): Promise<boolean> {
    const count = this.#state.jobs.all.length;
    if (count === 0 || !this.#isPrompting || this.#wasWarned) return true;
    this.#wasWarned = true;
    const what = count === 1 ? "A job is running; end it" : `${count} jobs are running; end them`;
    const answer = await this.#lines.ask(`${what} [y/N]? `);
    // Who says bye once more means it.
    return answer === undefined || /^\s*(?:y|bye|exit|quit)/i.test(answer);
  }

  /** A script's jobs belong to it: it ends when they have. */
  async #end(): Promise<number> {
    if (this.#isPrompting) return EXIT.ok;
    await this.#attempt("wait", async ({ signal }) => {
      for (let job = this.#state.jobs.all[0]; job !== undefined; job = this.#state.jobs.all[0]) {
        const ending = job;
        const stop = (): void => ending.stop.abort(new Interrupted());
        signal.addEventListener("abort", stop, { once: true });
        await ending.went;
        signal.removeEventListener("abort", stop);
      }
      return true;
    });
    this.#tellEnded();
    return this.#hasFailed || this.#state.jobs.hasFailed ? EXIT.failed : EXIT.ok;
  }

  #tellEnded(): void {
    for (const job of this.#state.jobs.takeEnded()) {
      const said = job.out.take();
      const line = jobLine({ ...job, about: () => "" });
      if (this.#isPrompting) this.#lines.notice(`${said}${line}\n`);
      else {
        if (said !== "") this.#options.output.write(said);
        this.#state.say(line);
      }
    }
  }

  async #windowsScript({ host, logsIn, isAnonymous, usesGlobs }: WindowsScript): Promise<void> {
    let waiting: { readonly host: string; readonly port: string | undefined } | undefined;
    const lines: string[] = host === undefined ? [] : [`open ${host}`];
    const own = this.#lines instanceof TextLines ? this.#lines.rest() : [];
    lines.push(...own);
    const nextLine = (): string | undefined => lines.shift()?.trim();
    const open = async (user: string, password: string): Promise<void> => {
      const target = waiting;
      waiting = undefined;
      if (target === undefined) return this.#fail("user: there is no connection: open HOST first");
      const { host: name, port } = target;
      await this.#attempt("open", async (context) => await this.#opened({ name, port, user, password }, context));
    };
    for (let line = nextLine(); line !== undefined; line = nextLine()) {
      const nameOf = (word: string): string | undefined => {
        const found = this.#state.table.find(word);
        return found.ok ? found.command.name : undefined;
      };
      const action = scriptAction(line, { nextLine, nameOf, isWaitingForUser: waiting !== undefined, usesGlobs });
      if (action.kind === "open") {
        waiting = { host: action.host, port: action.port };
        if (isAnonymous) await open("anonymous", "ferryman@");
        else if (logsIn) await open(nextLine() ?? "", nextLine() ?? "");
      } else if (action.kind === "user") {
        if (waiting === undefined && this.#state.connection.client !== undefined) await this.#reopened(action);
        else await open(action.user, action.password);
      } else if (action.kind === "program") {
        await this.#attempt("!", async (context) => await this.#state.program(action.program, context));
      } else if (action.kind === "step") {
        await this.#attempt(line, async (context) => await runStep(this.#state.evaluation, action.step, context));
      }
    }
  }

  async #reopened({ user, password }: { readonly user: string; readonly password: string }): Promise<void> {
    await this.#attempt("user", async (context) => {
      try {
        const client = await this.#state.connection.reopen({ user, password, signal: context.signal });
        if (client !== undefined) arrived(this.#state.callOf(context), client, undefined);
        return true;
      } catch (error) {
        context.say(`user: ${described(error)}`);
        return false;
      }
    });
  }

  async #opened(
    { name, port, user, password }: { name: string; port: string | undefined; user: string; password: string },
    context: Context,
  ): Promise<boolean> {
    const url = `ftp://${name.includes(":") ? `[${name}]` : name}${port === undefined ? "" : `:${port}`}`;
    try {
      if (!URL.canParse(url)) throw new Error(`"${printable(name)}" is no host`);
      await openTarget(this.#state.callOf(context), url, user === "" ? {} : { user, password });
      return true;
    } catch (error) {
      if (context.signal.aborted) throw new Interrupted();
      context.say(`open: ${described(error)}`);
      return false;
    }
  }

  #fail(line: string): void {
    this.#hasFailed = true;
    this.#state.say(line);
  }
}
