/** Transfers where there is no terminal: a line at the end of each file, and one now and then for long ones. */
import { printable } from "../../client/errors.ts";
import { fitting } from "../wrap.ts";
import { plainLine } from "./render.ts";
import {
  type BoardStream,
  type Tally,
  type TransferEnd,
  type TransferFile,
  type View,
  endLine,
  shownFile,
} from "./tally.ts";

/** Milliseconds between two lines of one file: enough for a log that somebody watches. */
const LINE_MS = 10_000;
/** Milliseconds between two looks. */
const LOOK_MS = 1_000;

export class LinesView implements View {
  readonly everyMs = LOOK_MS;
  readonly #tally: Tally;
  readonly #stream: BoardStream;
  /** When each active file had its last line. */
  readonly #said = new WeakMap<TransferFile, number>();

  constructor(tally: Tally, stream: BoardStream) {
    this.#tally = tally;
    this.#stream = stream;
  }

  begun(): void {}

  ended(file: TransferFile, end: TransferEnd): void {
    this.#say(endLine(file, end));
  }

  tick(): void {
    this.#tally.measure();
    const now = this.#tally.now();
    for (const file of this.#tally.active) {
      if (now - (this.#said.get(file) ?? file.startedAt) < LINE_MS) continue;
      this.#said.set(file, now);
      this.#say(plainLine(shownFile(file)));
    }
  }

  note(line: string): void {
    for (const each of line.split("\n")) this.#say(printable(each));
  }

  close(): void {}

  #say(line: string): void {
    this.#stream.write(`${fitting(line, this.#stream)}\n`);
  }
}
