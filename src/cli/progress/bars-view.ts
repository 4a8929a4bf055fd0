/** Transfers on a terminal: one line for each active file, drawn again in place; those that ended scroll up. */
import { printable } from "../../client/errors.ts";
import { wrapped } from "../wrap.ts";
import { activeLines, redrawn } from "./render.ts";
import {
  type BoardStream,
  type Tally,
  type TransferEnd,
  type TransferFile,
  type View,
  endLine,
  shownFile,
} from "./tally.ts";

/** Milliseconds between two drawings: nobody reads faster, and each costs a slow terminal time. */
const DRAW_MS = 100;
/** Lines of ended files that wait for the next drawing; more are written at once. */
const WAITING_LINES = 500;
/** Of a terminal that does not say. */
const COLUMNS = 80;
const ROWS = 24;

export class BarsView implements View {
  readonly everyMs = DRAW_MS;
  readonly #tally: Tally;
  readonly #stream: BoardStream;
  #above: string[] = [];
  #before: readonly string[] = [];

  constructor(tally: Tally, stream: BoardStream) {
    this.#tally = tally;
    this.#stream = stream;
  }

  /** Shown with the next tick: a file that is over by then never needs a bar. */
  begun(): void {}

  ended(file: TransferFile, end: TransferEnd): void {
    this.#later(endLine(file, end, this.#columns() - 1));
  }

  note(line: string): void {
    for (const each of line.split("\n")) this.#later(printable(each));
  }

  tick(): void {
    this.#tally.measure();
    this.#draw([...this.#tally.active].map(shownFile));
  }

  close(): void {
    this.#draw([]);
  }

  #later(line: string): void {
    this.#above.push(...wrapped(line, this.#columns()).split("\n"));
    if (this.#tally.active.size === 0) this.#draw([]);
    else if (this.#above.length >= WAITING_LINES) this.tick();
  }

  #draw(files: Parameters<typeof activeLines>[0]): void {
    const columns = this.#columns();
    const screen = { columns, rows: this.#stream.rows || ROWS };
    const lines = activeLines(files, this.#tally.totals(), screen);
    const text = redrawn({ before: this.#before, above: this.#above, lines }, columns);
    this.#before = lines;
    this.#above = [];
    if (text !== "") this.#stream.write(text);
  }

  /** Asked each time: the window may have another size now. Some terminals say 0 for "unknown". */
  #columns(): number {
    return this.#stream.columns || COLUMNS;
  }
}
