/** Where the lines of the shell come from: a terminal with editing, a pipe, or a text. */
import { type Interface, createInterface, cursorTo, clearScreenDown } from "node:readline";
import { type Readable, Writable } from "node:stream";
import { HISTORY_MOST, PENDING_LINES } from "./limits.ts";

export interface Lines {
  /** @returns undefined at the end. */
  next(prompt: string): Promise<string | undefined>;
  /** @returns undefined where nobody can be asked, or at Ctrl-C or Ctrl-D. */
  ask(question: string, about?: { readonly isSecret?: boolean }): Promise<string | undefined>;
  /** Whether a prompt stands there and waits. */
  readonly isWaiting: boolean;
  /** Shows text above the prompt. */
  notice(text: string): void;
  close(): void;
}

/** Lines of a text that is there already. */
export class TextLines implements Lines {
  readonly isWaiting = false;
  readonly #lines: string[];

  constructor(text: string) {
    this.#lines = text.split(/\r?\n/);
    if (this.#lines.at(-1) === "") this.#lines.pop();
  }

  async next(): Promise<string | undefined> {
    return this.#lines.shift();
  }

  /** All that are left, once. */
  rest(): readonly string[] {
    return this.#lines.splice(0);
  }

  async ask(): Promise<string | undefined> {
    return undefined;
  }

  notice(): void {}

  close(): void {}
}

/** Lines of a pipe or file. */
export class StreamLines implements Lines {
  readonly isWaiting = false;
  readonly #interface: Interface;
  readonly #lines: AsyncIterator<string>;

  constructor(input: Readable) {
    this.#interface = createInterface({ input, crlfDelay: Infinity, terminal: false });
    this.#lines = this.#interface[Symbol.asyncIterator]();
  }

  async next(): Promise<string | undefined> {
    const { done, value } = await this.#lines.next();
    return done === true ? undefined : value;
  }

  async ask(): Promise<string | undefined> {
    return undefined;
  }

  notice(): void {}

  close(): void {
    this.#interface.close();
  }
}

export type TerminalParts = {
  readonly input: Readable & { setRawMode?(isRaw: boolean): unknown };
  readonly output: Writable & { readonly columns?: number };
  readonly complete: (line: string) => Promise<readonly [string[], string]>;
  /** The newest first. */
  readonly history: () => readonly string[];
  /** Ctrl-C at a question. */
  readonly interrupt: () => void;
};

type Waiting = { readonly resolve: (line: string | undefined) => void; readonly isQuestion: boolean };

/**
 * A terminal. Only while a line is wanted is it in raw mode: a command that runs, and a program that it starts, have the
 * terminal as any program has it, so that Ctrl-C and Ctrl-Z are signals, and what is typed meanwhile waits in the kernel.
 */
export class TerminalLines implements Lines {
  readonly #parts: TerminalParts;
  readonly #screen: Screen;
  #interface: Interface | undefined;
  #waiting: Waiting | undefined;
  #pending: string[] = [];
  /** readline's own list. */
  #shown: string[] = [];
  #isEnded = false;

  constructor(parts: TerminalParts) {
    this.#parts = parts;
    this.#screen = new Screen(parts.output);
    parts.input.once("end", () => (this.#isEnded = true));
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  async next(prompt: string): Promise<string | undefined> {
    const line = this.#pending.shift();
    if (line !== undefined) return line;
    return await this.#read(prompt, { isQuestion: false, isSecret: false });
  }

  async ask(question: string, { isSecret = false }: { readonly isSecret?: boolean } = {}): Promise<string | undefined> {
    return await this.#read(question, { isQuestion: true, isSecret });
  }

  notice(text: string): void {
    const { output } = this.#parts;
    if (this.#waiting === undefined || this.#interface === undefined) {
      output.write(text);
      return;
    }
    cursorTo(output, 0);
    clearScreenDown(output);
    output.write(text);
    this.#interface.prompt(true);
  }

  close(): void {
    this.#isEnded = true;
    this.#interface?.close();
  }

  async #read(prompt: string, about: { isQuestion: boolean; isSecret: boolean }): Promise<string | undefined> {
    if (this.#isEnded) return undefined;
    const editor = this.#editor();
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#waiting = { resolve, isQuestion: about.isQuestion };
    this.#parts.input.setRawMode?.(true);
    this.#refresh();
    editor.setPrompt(prompt);
    editor.prompt();
    this.#screen.isMuted = about.isSecret;
    try {
      return await promise;
    } finally {
      this.#waiting = undefined;
      if (about.isSecret) {
        this.#screen.isMuted = false;
        this.#parts.output.write("\n");
      }
      this.#interface?.pause();
      this.#parts.input.setRawMode?.(false);
    }
  }

  /** Ctrl-D closes readline's interface: the next line needs a new one. */
  #editor(): Interface {
    if (this.#interface !== undefined) return this.#interface;
    const editor = createInterface({
      input: this.#parts.input,
      output: this.#screen,
      terminal: true,
      history: [...this.#parts.history()],
      historySize: HISTORY_MOST,
      completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
        void this.#complete(line, done);
      },
    });
    this.#interface = editor;
    editor.on("line", (line) => this.#arrived(line));
    editor.on("SIGINT", () => this.#interrupted(editor));
    editor.on("history", (lines) => {
      this.#shown = lines;
      this.#refresh();
    });
    editor.on("close", () => {
      this.#interface = undefined;
      this.#waiting?.resolve(undefined);
    });
    return editor;
  }

  /** What is kept, and how, the shell decides: a password must not come back by an arrow key. */
  #refresh(): void {
    this.#shown.splice(0, this.#shown.length, ...this.#parts.history());
  }

  #arrived(line: string): void {
    if (this.#waiting !== undefined) {
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve(line);
    } else if (this.#pending.length < PENDING_LINES) this.#pending.push(line);
  }

  /** At the prompt what was typed goes away; at a question the command goes away that has asked. */
  #interrupted(editor: Interface): void {
    editor.write(null, { ctrl: true, name: "e" });
    editor.write(null, { ctrl: true, name: "u" });
    if (this.#waiting?.isQuestion !== true) return;
    this.#parts.output.write("\n");
    this.#waiting.resolve(undefined);
    this.#parts.interrupt();
  }

  async #complete(line: string, done: (error: null, result: [string[], string]) => void): Promise<void> {
    let result: [string[], string] = [[], line];
    if (this.#waiting?.isQuestion === false) {
      try {
        const [names, typed] = await this.#parts.complete(line);
        result = [[...names], typed];
      } catch {
        // No completion is all that a failure means.
      }
    }
    done(null, result);
  }
}

/** The terminal as readline sees it: a password is not shown. */
class Screen extends Writable {
  isMuted = false;
  readonly #output: TerminalParts["output"];

  constructor(output: TerminalParts["output"]) {
    super();
    this.#output = output;
    output.on("resize", () => this.emit("resize"));
  }

  /** readline breaks lines by it. */
  get columns(): number | undefined {
    return this.#output.columns;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (!this.isMuted) this.#output.write(chunk);
    done();
  }
}
