/**
 * One transfer over the data connection: the replies around it (RFC 959 §5.4: 150, then 226 or the reason why not) and
 * the moving of octets. RETR, STOR, LIST and their kin differ only in what they move.
 */
import { faultMessage } from "../base/fault-text.ts";
import { DataError } from "../net/data-connection.ts";
import type { DataEnd } from "../net/data-end.ts";
import type { DataTransport, FileSpan } from "../net/transport.ts";
import { AsciiDecoder, AsciiEncoder } from "../protocol/ascii.ts";
import { reply } from "../protocol/reply.ts";
import { readAhead } from "../workspace/read-ahead.ts";
import type { Reading, TransferLog, Writing } from "../workspace/transfers.ts";
import type { Say } from "./command.ts";
import type { Context } from "./context.ts";
import { Refusal } from "./errors.ts";
import type { Progress } from "./running-transfer.ts";
import { inMode, takeModePlace } from "./transfer-mode.ts";
import type { SignedIn } from "./session.ts";

/** Octets of one read: over TLS a smaller one cost a quarter more. Two are in use at once, within the session's memory. */
const READ_BUFFER = 524_288;
/** Octets below which a file is read into a buffer of its own size. */
const SMALL_FILE = 65_536;
/**
 * Milliseconds that the 150 waits for the data connection, so that a connection that fails at once is answered by 425
 * alone. Then it goes out all the same: some clients connect only when they have seen it.
 */
const PRELIMINARY_WAIT_MS = 500;

export type Transfer = Omit<Progress, "octets"> & {
  /** Whose MODE it follows. */
  readonly session: SignedIn;
  readonly say: Say;
  /** Counts the octets, and is told how it ended. */
  readonly log: TransferLog;
  /** Text of the 150. Clients read the size out of `(1234 bytes)`. */
  readonly opening: string;
  /** Moves everything; throws to end the transfer with that error's reply. */
  readonly move: (connection: DataTransport, signal: AbortSignal) => Promise<void>;
  /** Does all of it without a wait, for what is short: true when that came about. Tried in clear and without a throttle. */
  readonly atOnce?: ((end: DataEnd) => boolean) | undefined;
  /** Text of the 226. */
  readonly closing: () => string;
};

export async function carry(context: Context, transfer: Transfer): Promise<void> {
  context.data.demandPlan();
  const { log, say } = transfer;
  try {
    using coder = takeModePlace(transfer.session);
    const asked = context.takeTransferPlace();
    using place = asked instanceof Promise ? await asked : asked;
    // Held until the end.
    void [coder, place];
    const ready = context.data.takeReady();
    if (ready !== undefined && goesAtOnce(context, transfer) && transfer.atOnce?.(ready) === true) {
      say(reply(150, transfer.opening));
      say(reply(226, transfer.closing()));
    } else await move(context, transfer, ready);
  } catch (error) {
    if (error instanceof DataError && error.fault === "aborted") log.end("aborted");
    else log.end("failed", faultMessage(error));
    throw error;
  }
  log.end("complete");
}

/** Whether octets go out as they are, and as fast as they can. */
function goesAtOnce(context: Context, { session, direction, atOnce }: Transfer): boolean {
  if (atOnce === undefined || session.mode !== "stream" || context.data.isPrivate) return false;
  return context.throttleOf(direction)?.limited !== true;
}

/** What may wait: STAT tells of it meanwhile, and ABOR ends it. */
async function move(context: Context, transfer: Transfer, ready: DataEnd | undefined): Promise<void> {
  const { direction, path, log, say } = transfer;
  using run = context.running.begin({ direction, path, octets: () => log.octets }, context.signal);
  const { signal } = run;
  let end = ready;
  if (end === undefined) end = await awaitEnd(context, { signal, transfer, run });
  else say(reply(150, transfer.opening));
  run.announced();
  await using connection = await begin(context, { end, transfer, signal });
  await transfer.move(connection, signal);
  say(reply(226, transfer.closing()));
}

async function begin(
  context: Context,
  { end, transfer, signal }: { end: DataEnd; transfer: Transfer; signal: AbortSignal },
): Promise<DataTransport> {
  try {
    const transport = await context.data.begin(end, transfer.direction === "upload" ? "in" : "out", {
      stallMs: context.settings.stallTimeout * 1000,
      signal,
      throttle: context.throttleOf(transfer.direction),
      memory: context.sessionMemory,
    });
    return inMode(transport, transfer.session);
  } catch (error) {
    return orAborted(error, signal);
  }
}

/** Waits for the data connection; says the 150 on the way, once. */
async function awaitEnd(
  context: Context,
  { signal, transfer, run }: { signal: AbortSignal; transfer: Transfer; run: { announced(): void } },
): Promise<DataEnd> {
  const { say, opening } = transfer;
  const connecting = context.data.open(signal);
  const isLate = !(await settlesWithin(connecting, PRELIMINARY_WAIT_MS));
  if (isLate) {
    say(reply(150, opening));
    run.announced();
  }
  const end = await connecting.catch((error: unknown) => orAborted(error, signal));
  if (!isLate) say(reply(150, opening));
  return end;
}

function orAborted(error: unknown, signal: AbortSignal): never {
  if (signal.aborted) throw new DataError("aborted");
  throw error;
}

async function settlesWithin(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds);
    const settled = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    promise.then(settled, settled);
  });
}

/** A short file, as far as it goes out without a wait; `sendFile` sends what is left. @returns whether that was all. */
export function sendFileAtOnce(end: DataEnd, { reader, log }: Reading, span: FileSpan): boolean {
  const { descriptor } = reader;
  if (descriptor === undefined || end.sendAtOnce === undefined) return false;
  const { sent, over } = end.sendAtOnce(descriptor, span);
  log.octets += sent;
  return over;
}

/**
 * Sends a file. While one buffer is on its way to the peer the next one is read.
 * @param span in octets of the file; for `ascii` a restart counts octets of the wire (RFC 3659 §5.3), hence `skip`.
 */
export async function sendFile(
  connection: DataTransport,
  { reader, log }: Reading,
  { span, ascii, skip }: { span: FileSpan; ascii: boolean; skip: number },
): Promise<void> {
  const encoder = ascii ? new AsciiEncoder() : undefined;
  const moved = (octets: number): void => {
    log.octets += octets;
  };
  const { descriptor } = reader;
  // Something may have gone out at once.
  let rest = { start: span.start + log.octets, end: span.end };
  if (!ascii && descriptor !== undefined && connection.sendFile !== undefined) {
    rest = { start: await connection.sendFile(descriptor, rest, moved), end: span.end };
  }
  let skipping = skip;
  const send = async (chunk: Buffer): Promise<void> => {
    const wanted = skipping === 0 ? chunk : chunk.subarray(Math.min(skipping, chunk.length));
    skipping -= chunk.length - wanted.length;
    if (wanted.length > 0) await connection.send(wanted, moved);
  };
  if (rest.start < rest.end) {
    const size =
      rest.end - rest.start <= SMALL_FILE ? SMALL_FILE : Math.min(READ_BUFFER, Math.floor(connection.memory / 2));
    for await (const chunk of readAhead(reader, rest, size)) await send(encoder?.push(chunk) ?? chunk);
  }
  if (encoder !== undefined) await send(encoder.end());
  else if (log.octets < span.end - span.start) {
    // A 226 would say that the octets which the 150 announced are all there.
    throw new Refusal(451, "The file became shorter while it was sent: what came is not the whole.");
  }
  await connection.finish();
}

/** Receives a file up to the peer's FIN and publishes it; an upload that breaks off is kept for a restart. */
export async function receiveFile(
  connection: DataTransport,
  { upload, log }: Writing,
  { ascii, signal }: { ascii: boolean; signal: AbortSignal },
): Promise<void> {
  const decoder = ascii ? new AsciiDecoder() : undefined;
  try {
    for (;;) {
      if (decoder === undefined && (await receiveInKernel(connection, { upload, log })) === "end") break;
      const chunks = await connection.receive();
      if (chunks.length === 0) break;
      for (const chunk of chunks) log.octets += chunk.length;
      await upload.write(decoder === undefined ? chunks : chunks.map((chunk) => decoder.push(chunk)));
    }
    if (decoder !== undefined) await upload.write([decoder.end()]);
  } catch (error) {
    if (error instanceof DataError) await upload.keep();
    throw error;
  }
  if (signal.aborted) {
    await upload.keep();
    throw new DataError("aborted");
  }
  await upload.publish();
}

/** As far as the kernel gets by itself: to the end, or to what the plain way of writing must deal with. */
async function receiveInKernel(
  connection: DataTransport,
  { upload, log }: Pick<Writing, "upload" | "log">,
): Promise<"end" | "more"> {
  const { descriptor } = upload;
  if (descriptor === undefined || connection.receiveFile === undefined) return "more";
  const rest = await connection.receiveFile(descriptor, (octets) => {
    log.octets += octets;
  });
  if (rest === "end") return "end";
  if (rest.length > 0) await upload.write(rest);
  return "more";
}
