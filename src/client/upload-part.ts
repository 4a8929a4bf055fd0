/** What an upload that failed has left at the server: a place that writes files where they are to be has half of one. */
import { FtpError, type FtpReply, withDetails } from "./errors.ts";
import { askSize } from "./facts.ts";
import type { Hub } from "./hub.ts";
import { PART_ASK_MS } from "./limits.ts";

export type Left = {
  readonly hub: Hub;
  readonly path: string;
  /** Octets that it should have, where that is known. */
  readonly whole: number | undefined;
  /** What was there before, where that is known: it may be there still. */
  readonly before: number | undefined;
  readonly signal: AbortSignal | undefined;
};

/** The same error; it says what is there, and how to go on. An abort is the caller's own reason, and stays as it is. */
export async function withPart(error: unknown, { hub, path, whole, before, signal }: Left): Promise<unknown> {
  if (!(error instanceof FtpError) || error.code === "MISMATCH" || signal?.aborted === true) return error;
  const there = await sizeNow(path, hub, signal);
  // Refused: nothing is there, or the server does not say.
  if (typeof there === "object" || there === before || there === 0) return error;
  const text =
    there === undefined
      ? `a part of it may be at the server, as ${path}`
      : `${there}${whole === undefined ? "" : ` of ${whole}`} octets are at the server, as ${path}`;
  const hint = 'put it once more with mode "resume" (put -c) to go on there';
  return withDetails(error, {
    message: `${error.message}; ${text}`,
    hint: error.hint === undefined ? hint : `${error.hint}; ${hint}`,
  });
}

/** @returns the refusal, or undefined where nobody can be asked any more. */
async function sizeNow(
  path: string,
  hub: Hub,
  signal: AbortSignal | undefined,
): Promise<number | FtpReply | undefined> {
  const once = { signal, timeoutMs: PART_ASK_MS, retry: { attempts: 1 } };
  try {
    return await hub.call(async (session, call) => await askSize(path, { hub, session, signal: call.signal }), once);
  } catch {
    return undefined;
  }
}
