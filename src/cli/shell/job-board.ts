/** The transfers of one command: handed on to the board that people see, as long as it is in the foreground. */
import type { ShownTransfer, TransferBoard, TransferStart } from "../progress/board.ts";
import { shownName, shownSize } from "../progress/figures.ts";

type Active = { readonly name: string; bytes: number; total: number | undefined; resumedAt: number };

/** Columns of a name in `jobs`. */
const NAME_COLUMNS = 30;

export class JobBoard implements TransferBoard {
  #shown: TransferBoard | undefined;
  readonly #active = new Set<Active>();
  #ended = 0;

  /** @param shown what people see; undefined: nothing. */
  constructor(shown: TransferBoard | undefined) {
    this.#shown = shown;
  }

  /** Whether people see it. */
  get isShown(): boolean {
    return this.#shown !== undefined;
  }

  /** How many transfers have ended, well or not. */
  get ended(): number {
    return this.#ended;
  }

  begin({ name, total, resumedAt = 0 }: TransferStart): ShownTransfer {
    const active: Active = { name, bytes: 0, total, resumedAt };
    this.#active.add(active);
    const shown = this.#shown?.begin({ name, total, resumedAt });
    const end = (): void => {
      if (this.#active.delete(active)) this.#ended += 1;
    };
    return {
      update: (bytes, figures = {}) => {
        active.bytes = bytes;
        active.total = figures.total ?? active.total;
        active.resumedAt = figures.resumedAt ?? active.resumedAt;
        shown?.update(bytes, figures);
      },
      done: (note) => {
        end();
        shown?.done(note);
      },
      failed: (message) => {
        end();
        shown?.failed(message);
      },
    };
  }

  expect(plan: Parameters<TransferBoard["expect"]>[0]): void {
    this.#shown?.expect(plan);
  }

  note(line: string): void {
    this.#shown?.note(line);
  }

  /** From now on nothing is shown. */
  close(): void {
    this.#shown?.close();
    this.#shown = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** For `jobs`: `a.iso 52%, 3 files done`. */
  about(): string {
    const [first] = this.#active;
    const done = this.#ended === 0 ? [] : [`${this.#ended} ${this.#ended === 1 ? "file" : "files"} done`];
    if (first === undefined) return done.join("");
    const there = first.resumedAt + first.bytes;
    const isKnown = first.total !== undefined && first.total > 0;
    const figure = isKnown ? `${Math.floor((there / (first.total ?? 1)) * 100)}%` : shownSize(there);
    const others = this.#active.size > 1 ? [`${this.#active.size - 1} more`] : [];
    return [`${shownName(first.name, NAME_COLUMNS)} ${figure}`, ...others, ...done].join(", ");
  }
}
