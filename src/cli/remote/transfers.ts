/** Many files of one command: so many at a time, each shown on the board, failures counted and the rest gone on with. */
import { FtpError } from "../../client/errors.ts";
import type { Progress, Transferred } from "../../client/types.ts";
import { type TransferBoard, boardMode, createBoard } from "../progress/board.ts";
import { Failures, explainedInLine } from "./failure.ts";
import type { RemoteFlags } from "./flags.ts";
import { type RemoteIo, interruptible, sayer } from "./io.ts";

export type Transfers = {
  readonly board: TransferBoard;
  readonly failures: Failures;
  readonly signal: AbortSignal;
  /** One line to a person, which does not disturb bars. */
  readonly say: (line: string) => void;
};

/** @param isPiped standard output or error is for something else. @throws {CliError} when something failed. */
export async function transferring(
  { flags, io, isPiped = false }: { readonly flags: RemoteFlags; readonly io: RemoteIo; readonly isPiped?: boolean },
  work: (transfers: Transfers) => Promise<number>,
): Promise<void> {
  await interruptible(async (signal) => {
    using board = createBoard(boardMode(isPiped ? { quiet: true } : flags));
    const say = flags.json === true || isPiped ? sayer(io) : (line: string): void => board.note(line);
    const failures = new Failures(say);
    const count = await work({ board, failures, signal, say });
    board.close();
    failures.end(count);
  });
}

export type OneFile = {
  readonly name: string;
  readonly total?: number | undefined;
  readonly run: (onProgress: (progress: Progress) => void) => Promise<Transferred>;
};

/** One file on the board; a failure is told there and counted. */
export async function transferOne(
  { name, total, run }: OneFile,
  { board, failures, signal }: Transfers,
): Promise<void> {
  const shown = board.begin({ name, total });
  try {
    const done = await run(({ bytes, total: known, resumedAt }) => shown.update(bytes, { total: known, resumedAt }));
    shown.update(done.bytes, { resumedAt: done.resumedAt });
    shown.done(done.leftAlone === true ? "is there already" : undefined);
  } catch (error) {
    if (signal.aborted || !(error instanceof FtpError)) throw error;
    shown.failed(explainedInLine(error));
    failures.note(error, true);
  }
}

/** @param parallel at the same time. */
export async function transferEach(
  files: Iterable<OneFile>,
  { parallel, transfers }: { readonly parallel: number; readonly transfers: Transfers },
): Promise<void> {
  const queue = Iterator.from(files);
  const runner = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await transferOne(next.value, transfers);
  };
  await Promise.all(Array.from({ length: Math.max(parallel, 1) }, runner));
}
