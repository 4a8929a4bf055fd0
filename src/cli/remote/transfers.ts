/** Many files of one command: so many at a time, each shown on the board, failures counted and the rest gone on with. */
import { FtpError } from "../../client/errors.ts";
import type { DownloadOptions, Progress, Transferred } from "../../client/types.ts";
import { type TransferBoard, boardMode, createBoard } from "../progress/board.ts";
import { shownSize } from "../progress/figures.ts";
import { toldOnSignal } from "../progress/on-signal.ts";
import { Failures, explainedInLine, factsOf } from "./failure.ts";
import type { RemoteFlags } from "./flags.ts";
import { type RemoteIo, interruptible, sayer } from "./io.ts";
import { Places } from "./places.ts";

/** Parts that an interruption names; of more the number alone is told. */
const PARTS_NAMED = 5;

type Part = Parameters<NonNullable<DownloadOptions["onPart"]>>[0];

export type TransferFlags = RemoteFlags & {
  readonly parallel?: number | undefined;
  readonly failEarly?: true | undefined;
};

export type Transfers = {
  readonly board: TransferBoard;
  readonly failures: Failures;
  readonly signal: AbortSignal;
  /** One line to a person, which does not disturb bars. */
  readonly say: (line: string) => void;
  /** Files that are under way at the same time, of all that the command was told. */
  readonly places: Places;
  /** Whether a failure has ended the command: nothing more is begun. */
  readonly isOver: () => boolean;
  /** What was left of files that are not whole. */
  readonly parts: Part[];
};

type Terms = {
  readonly flags: TransferFlags;
  readonly io: RemoteIo;
  readonly isPiped?: boolean;
  /** What an interruption says where no part lies here. */
  readonly leftThere?: string;
};

/**
 * @param terms.isPiped standard output or error is for something else.
 * @param work gives back how many files there were.
 * @throws {CliError} when something failed.
 */
export async function transferring(
  { flags, io, isPiped = false, leftThere }: Terms,
  work: (transfers: Transfers) => Promise<number>,
): Promise<void> {
  const parts: Part[] = [];
  const run = async (signal: AbortSignal): Promise<void> => {
    using board = createBoard(boardMode(isPiped ? { quiet: true } : flags), { stderr: io.stderr, stdout: io.stdout });
    const say = flags.json === true || isPiped ? sayer(io) : (line: string): void => board.note(line);
    using _ = toldOnSignal(board, flags.quiet === true ? sayer(io) : say);
    const failures = new Failures((line, error) => board.note(line, { url: error.url, facts: factsOf(error) }));
    const isOver = (): boolean => flags.failEarly === true && failures.count > 0;
    const places = new Places(flags.parallel ?? 1);
    const count = await work({ board, failures, signal, say, places, isOver, parts });
    board.close();
    failures.end(count, isOver() ? " Nothing more was begun after the first failure." : "");
  };
  await interruptible(run, {
    afterwards: () => leftLines(parts, leftThere),
    pipe: isPiped ? io.stdout : undefined,
    mostMs: flags.maxTime,
  });
}

/** Where an interruption left something, and how to go on. */
function leftLines(parts: readonly Part[], leftThere = "Nothing of unfinished files is kept."): readonly string[] {
  if (parts.length === 0) return [leftThere];
  const more = parts.length - PARTS_NAMED;
  return [
    ...parts.slice(0, PARTS_NAMED).map(keptLine),
    ...(more > 0 ? [`${more} more files are there in part.`] : []),
    "The same command with -c goes on there.",
  ];
}

function keptLine({ path, bytes }: Part): string {
  return `${shownSize(bytes)} are kept in ${path}`;
}

export type OneFile = {
  readonly name: string;
  readonly url?: string | undefined;
  readonly total?: number | undefined;
  readonly run: (onProgress: (progress: Progress) => void, onPart: (part: Part) => void) => Promise<Transferred>;
};

/** One file on the board; a failure is told there and counted. */
export async function transferOne({ name, url, total, run }: OneFile, transfers: Transfers): Promise<void> {
  const { board, failures, signal, places, parts, say } = transfers;
  using _ = await places.take();
  if (transfers.isOver()) return;
  const shown = board.begin({ name, total, url });
  let kept: Part | undefined;
  try {
    const done = await run(
      ({ bytes, total: known, resumedAt }) => shown.update(bytes, { total: known, resumedAt }),
      (part) => {
        kept = part;
        parts.push(part);
      },
    );
    shown.update(done.bytes, { resumedAt: done.resumedAt });
    shown.done(done.leftAlone === true ? "is there already" : undefined);
  } catch (error) {
    if (signal.aborted || !(error instanceof FtpError)) throw error;
    shown.failed(explainedInLine(error), error);
    failures.note(error, { isTold: true });
    if (kept !== undefined) say(`${keptLine(kept)}; the same command with -c goes on there.`);
  }
}

/** @param parallel at the same time; none are begun after the end of all. */
export async function transferEach(
  files: Iterable<OneFile>,
  { parallel, transfers }: { readonly parallel: number; readonly transfers: Transfers },
): Promise<void> {
  await eachOf(Iterator.from(files), { parallel, transfers }, async (file) => await transferOne(file, transfers));
}

/** Takes one after another, so many at the same time: a list that is read as it comes is never far ahead. */
export async function eachOf<T>(
  items: Iterator<T> | AsyncIterator<T>,
  { parallel, transfers }: { readonly parallel: number; readonly transfers: Pick<Transfers, "isOver"> },
  work: (item: T) => Promise<void>,
): Promise<void> {
  const faults: unknown[] = [];
  const runner = async (): Promise<void> => {
    try {
      while (faults.length === 0 && !transfers.isOver()) {
        const next = await items.next();
        if (next.done === true) return;
        await work(next.value);
      }
    } catch (error) {
      faults.push(error);
    }
  };
  // All of them end before the error goes out: nothing is under way behind its back.
  await Promise.all(Array.from({ length: Math.max(parallel, 1) }, runner));
  if (faults.length > 0) throw faults[0];
}
