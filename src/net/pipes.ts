/** The pipes through which the native path moves octets. They are kept: making one costs as much as moving 100 KiB. */
import { type DataCalls, DataCallError } from "../sys/data-calls.ts";
import { PIPES_AT_ONCE, PIPE_LEAST, PIPE_OCTETS } from "./limits.ts";

type Made = ReturnType<DataCalls["pipe"]>;

/** A pipe on loan. Disposing gives it back; one that still holds octets is closed. */
export class Pipe implements Disposable {
  readonly reading: number;
  readonly writing: number;
  /** Octets that it can hold at most; fewer where they come in small pieces. */
  readonly octets: number;
  /** Octets in it; kept by the borrower. */
  held = 0;
  readonly #giveBack: (pipe: Pipe) => void;

  constructor({ reading, writing, octets }: Made, giveBack: (pipe: Pipe) => void) {
    this.reading = reading;
    this.writing = writing;
    this.octets = octets;
    this.#giveBack = giveBack;
  }

  [Symbol.dispose](): void {
    this.#giveBack(this);
  }
}

export class Pipes {
  readonly #calls: DataCalls;
  readonly #idle: Pipe[] = [];
  #count = 0;

  constructor(calls: DataCalls) {
    this.#calls = calls;
  }

  /** @returns undefined: all are out, or the system gives none that is worth it. */
  borrow(): Pipe | undefined {
    const idle = this.#idle.pop();
    if (idle !== undefined || this.#count >= PIPES_AT_ONCE) return idle;
    try {
      const made = this.#calls.pipe(PIPE_OCTETS);
      if (made.octets >= PIPE_LEAST) {
        this.#count += 1;
        return new Pipe(made, (pipe) => this.#takeBack(pipe));
      }
      this.#close(made);
    } catch (error) {
      // Out of descriptors: the transfer goes without.
      if (!(error instanceof DataCallError)) throw error;
    }
    return undefined;
  }

  #takeBack(pipe: Pipe): void {
    if (pipe.held === 0) this.#idle.push(pipe);
    else {
      this.#count -= 1;
      this.#close(pipe);
    }
  }

  #close({ reading, writing }: Pick<Made, "reading" | "writing">): void {
    this.#calls.close(reading);
    this.#calls.close(writing);
  }
}
