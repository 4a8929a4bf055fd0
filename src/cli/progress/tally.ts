/** The figures of a board: which transfers there are, how far each has come, and all of them together. */
import type { FailureFacts } from "../remote/failure-facts.ts";
import { type Meter, measured, rateOf, startedMeter } from "./meter.ts";
import { type FtpError, printable } from "../../client/errors.ts";
import { shownName } from "./figures.ts";
import { type ShownFile, type ShownTotals, doneLine, failedLine } from "./render.ts";

/** What is needed of a standard stream. */
export interface BoardStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** `problem`: why it failed. `note`: why nothing had to be moved. */
export type TransferEnd = {
  readonly problem?: string;
  readonly error?: FtpError | undefined;
  readonly note?: string;
};

/** A failure that is none of a transfer that has begun: a folder that cannot be listed, a URL that says nothing. */
export type NotedFailure = {
  /** A path, or what else was asked for. */
  readonly name?: string;
  readonly url?: string | undefined;
  readonly facts: FailureFacts;
};

/** How a board shows what happens. */
export interface View {
  /** Milliseconds between two calls of `tick` while anything is active; undefined: never. */
  readonly everyMs: number | undefined;
  begun(file: TransferFile): void;
  ended(file: TransferFile, end: TransferEnd): void;
  tick(): void;
  note(line: string, failure?: NotedFailure): void;
  close(): void;
}

export type TransferFile = {
  /** From 1, in the order of beginning. */
  readonly id: number;
  readonly name: string;
  readonly url: string | undefined;
  readonly startedAt: number;
  bytes: number;
  total: number | undefined;
  resumedAt: number;
  meter: Meter;
  endedAt: number | undefined;
};

/** Holds active transfers alone, so it is as large as whoever begins them lets it become: the connections of a client. */
export class Tally {
  readonly now: () => number;
  readonly active = new Set<TransferFile>();
  /** Of the whole run, where somebody has said so. */
  files: number | undefined;
  expected: number | undefined;
  #begun = 0;
  #ended = 0;
  #failed = 0;
  /** Octets of transfers that have ended. */
  #moved = 0;
  #meter: Meter;

  constructor(now: () => number) {
    this.now = now;
    this.#meter = startedMeter(now());
  }

  begin({
    name,
    url,
    total,
    resumedAt = 0,
  }: Pick<TransferFile, "name"> & {
    readonly total?: number | undefined;
    readonly resumedAt?: number | undefined;
    readonly url?: string | undefined;
  }): TransferFile {
    this.#begun += 1;
    const startedAt = this.now();
    // A clock that stood still meanwhile would count waits as slowness.
    if (this.active.size === 0) this.#meter = { ...this.#meter, at: startedAt };
    const file: TransferFile = {
      id: this.#begun,
      name,
      url,
      startedAt,
      bytes: 0,
      total,
      resumedAt,
      meter: startedMeter(startedAt),
      endedAt: undefined,
    };
    this.active.add(file);
    return file;
  }

  update(
    file: TransferFile,
    bytes: number,
    figures: { readonly total?: number | undefined; readonly resumedAt?: number | undefined } = {},
  ): void {
    if (file.endedAt !== undefined) return;
    file.bytes = bytes;
    file.total = figures.total ?? file.total;
    file.resumedAt = figures.resumedAt ?? file.resumedAt;
  }

  /** @returns false where it has ended before. */
  end(file: TransferFile, isFailed: boolean): boolean {
    if (file.endedAt !== undefined) return false;
    file.endedAt = this.now();
    this.active.delete(file);
    this.#ended += 1;
    if (isFailed) this.#failed += 1;
    this.#moved += file.bytes;
    return true;
  }

  /** Reads all meters at the clock's time. */
  measure(): void {
    const now = this.now();
    for (const file of this.active) file.meter = measured(file.meter, { now, bytes: file.bytes });
    this.#meter = measured(this.#meter, { now, bytes: this.#bytes() });
  }

  totals(): ShownTotals {
    return {
      ended: this.#ended,
      files: this.files,
      failed: this.#failed,
      bytes: this.#bytes(),
      total: this.expected,
      rate: rateOf(this.#meter),
    };
  }

  #bytes(): number {
    let bytes = this.#moved;
    for (const file of this.active) bytes += file.bytes;
    return bytes;
  }
}

export function shownFile(file: TransferFile): ShownFile {
  const { name, bytes, resumedAt, total, meter } = file;
  return { name, bytes, resumedAt, total, rate: rateOf(meter) };
}

/** The line that stays. @param width columns; none where there is no terminal. */
export function endLine(file: TransferFile, { problem, note }: TransferEnd, width?: number): string {
  const shown = shownFile(file);
  if (problem !== undefined) return failedLine(shown, printable(problem));
  if (note !== undefined) return `${shownName(file.name, Infinity)}  ${printable(note)}`;
  return doneLine({ ...shown, ms: lasted(file) }, width);
}

/** Milliseconds of a transfer that has ended. */
export function lasted({ startedAt, endedAt = startedAt }: TransferFile): number {
  return endedAt - startedAt;
}
