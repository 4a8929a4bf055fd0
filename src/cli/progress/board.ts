/** What shows transfers to people or programs: whoever moves a file says so here, and need not know how it is shown. */
import { EventsView } from "./events-view.ts";
import { LinesView } from "./lines-view.ts";
import { BarsView } from "./bars-view.ts";
import type { FtpError } from "../../client/errors.ts";
import { plainLine, totalLine } from "./render.ts";
import {
  type BoardStream,
  type NotedFailure,
  Tally,
  type TransferEnd,
  type TransferFile,
  type View,
  shownFile,
} from "./tally.ts";

export type { BoardStream, NotedFailure } from "./tally.ts";

/** Columns of the line about all transfers in a `status`: nobody knows where it goes. */
const STATUS_COLUMNS = 79;

export type TransferStart = {
  /** For people: mostly the path that was asked for. */
  readonly name: string;
  /** Octets of the whole file, where it is known. */
  readonly total?: number | undefined;
  /** Octets that were there before. */
  readonly resumedAt?: number | undefined;
  /** For programs: what it is, without a password. */
  readonly url?: string | undefined;
};

export type TransferFigures = { readonly total?: number | undefined; readonly resumedAt?: number | undefined };

/** One transfer on a board. What comes after its end is not heard. */
export interface ShownTransfer {
  /**
   * @param bytes moved by this call so far, as `Progress.bytes` of the client.
   * @param figures that became known only now.
   */
  update(bytes: number, figures?: TransferFigures): void;
  /** @param note why nothing had to be moved, for people: "is there already". */
  done(note?: string): void;
  /** @param message for people. @param error for programs. */
  failed(message: string, error?: FtpError): void;
}

/** Shows transfers. A program that ends calls `close`. */
export interface TransferBoard extends Disposable {
  begin(start: TransferStart): ShownTransfer;
  /** How many files and octets there will be in all, for the total; may be said again as more is found. */
  expect(plan: { readonly files?: number | undefined; readonly bytes?: number | undefined }): void;
  /**
   * A line for people that would disturb active lines if it were written beside the board.
   * @param failure what it tells of, where that is a failure: programs hear of it as of any other.
   */
  note(line: string, failure?: NotedFailure): void;
  /** Nothing is drawn any more, and the terminal is as it should be. */
  close(): void;
}

/** A board that can be asked. */
export interface AskedBoard extends TransferBoard {
  /** How far it is, in lines: each active transfer, and all together. */
  status(): readonly string[];
}

/** "bars" for a terminal, "lines" for what is none, "events" for programs, "none" (but failures) with `--quiet`. */
export type BoardMode = "bars" | "lines" | "events" | "none";

export type BoardSurroundings = {
  /** People look here. Default: the process's standard error. */
  readonly stderr?: BoardStream;
  /** Programs read here. Default: the process's standard output. */
  readonly stdout?: BoardStream;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
  /** Calls again and again. @returns what ends it. */
  readonly every?: (work: () => void, ms: number) => () => void;
};

/** `TERM=dumb` knows no cursor, so that lines are all it can take. */
export function boardMode(
  flags: { readonly quiet?: boolean | undefined; readonly json?: boolean | undefined },
  stream: BoardStream = process.stderr,
  environment: NodeJS.ProcessEnv = process.env,
): BoardMode {
  if (flags.json === true) return "events";
  if (flags.quiet === true) return "none";
  return stream.isTTY === true && environment["TERM"] !== "dumb" ? "bars" : "lines";
}

export function createBoard(mode: BoardMode, surroundings: BoardSurroundings = {}): AskedBoard {
  const { stderr = process.stderr, stdout = process.stdout, now = monotonic, every = repeatedly } = surroundings;
  const tally = new Tally(now);
  return new Board(tally, viewOf(mode, { tally, stderr, stdout }), every);
}

function viewOf(
  mode: BoardMode,
  { tally, stderr, stdout }: { readonly tally: Tally; readonly stderr: BoardStream; readonly stdout: BoardStream },
): View {
  switch (mode) {
    case "bars":
      return new BarsView(tally, stderr);
    case "lines":
      return new LinesView(tally, stderr);
    case "events":
      return new EventsView(tally, stdout);
    case "none":
      return quietView(new LinesView(tally, stderr));
    default:
      return mode satisfies never;
  }
}

/** Failures are told, and nothing else is. */
function quietView(lines: View): View {
  return {
    everyMs: undefined,
    begun() {},
    ended(file, end) {
      if (end.problem !== undefined) lines.ended(file, end);
    },
    tick() {},
    note(line, failure) {
      if (failure !== undefined) lines.note(line, failure);
    },
    close() {},
  };
}

class Board implements AskedBoard {
  readonly #tally: Tally;
  readonly #view: View;
  readonly #every: NonNullable<BoardSurroundings["every"]>;
  #stopTicking: (() => void) | undefined;
  #isClosed = false;

  constructor(tally: Tally, view: View, every: NonNullable<BoardSurroundings["every"]>) {
    this.#tally = tally;
    this.#view = view;
    this.#every = every;
  }

  begin(start: TransferStart): ShownTransfer {
    const file = this.#tally.begin(start);
    this.#view.begun(file);
    const { everyMs } = this.#view;
    if (everyMs !== undefined && !this.#isClosed) this.#stopTicking ??= this.#every(() => this.#view.tick(), everyMs);
    return {
      update: (bytes, figures) => this.#tally.update(file, bytes, figures),
      done: (note) => this.#end(file, note === undefined ? {} : { note }),
      failed: (problem, error) => this.#end(file, { problem, error }),
    };
  }

  expect({ files, bytes }: Parameters<TransferBoard["expect"]>[0]): void {
    this.#tally.files = files ?? this.#tally.files;
    this.#tally.expected = bytes ?? this.#tally.expected;
  }

  note(line: string, failure?: NotedFailure): void {
    this.#view.note(line, failure);
  }

  status(): readonly string[] {
    this.#tally.measure();
    const files = [...this.#tally.active].map((file) => plainLine(shownFile(file)));
    if (files.length === 1 && (this.#tally.files ?? 1) === 1) return files;
    return [...files, totalLine(this.#tally.totals(), STATUS_COLUMNS)];
  }

  close(): void {
    this.#pause();
    if (!this.#isClosed) this.#view.close();
    this.#isClosed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #end(file: TransferFile, end: TransferEnd): void {
    if (!this.#tally.end(file, end.problem !== undefined)) return;
    if (this.#tally.active.size === 0) this.#pause();
    if (!this.#isClosed) this.#view.ended(file, end);
  }

  #pause(): void {
    this.#stopTicking?.();
    this.#stopTicking = undefined;
  }
}

function monotonic(): number {
  return performance.now();
}

/** A timer that keeps no process alive. */
function repeatedly(work: () => void, ms: number): () => void {
  const timer = setInterval(work, ms).unref();
  return () => clearInterval(timer);
}
