/** Waits of the client: each ends by its own limit, by the caller's signal, or by what it waits for. */
import { FtpError, type FtpErrorDetails } from "./errors.ts";

/** What is said when a wait was too long. */
export type Lateness = FtpErrorDetails & {
  readonly what: string;
  /** Milliseconds of the whole wait, where this was the last part of it. */
  readonly shownMs?: number;
};

/**
 * Waits for a promise, at most `ms`.
 * @throws the signal's reason, or an FtpError TIMEOUT that names what was awaited.
 */
export async function within<T>(
  work: Promise<T>,
  ms: number,
  { signal, late }: { readonly signal?: AbortSignal | undefined; readonly late: () => Lateness },
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(timedOut(ms, late())), ms);
  try {
    return await unlessAborted(Promise.race([work, promise]), signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for a promise. @throws the signal's reason, as soon as it is aborted. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  // If nobody waits for it any longer, its failure is nobody's.
  work.catch(() => {});
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function timedOut(ms: number, { what, shownMs = ms, ...details }: Lateness): FtpError {
  return new FtpError("TIMEOUT", `${what} within ${seconds(shownMs)}`, details);
}

/** Milliseconds in words. */
export function seconds(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`;
}

/** A signal that the caller's own and a limit in time both end; undefined if there is neither. */
export function joinedSignal(signal: AbortSignal | undefined, timeoutMs: number | undefined): AbortSignal | undefined {
  if (timeoutMs === undefined) return signal;
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(timedOut(timeoutMs, { what: "the call was not done", phase: "command" })),
    timeoutMs,
  );
  timer.unref();
  return signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]);
}
