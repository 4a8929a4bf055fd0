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
  wait: { readonly signal?: AbortSignal | undefined; readonly late: () => Lateness },
): Promise<T> {
  // If nobody waits for it any longer, its failure is nobody's.
  work.catch(() => {});
  return await called<T>((resolve, reject) => void work.then(resolve, reject), ms, wait);
}

/** As `within`, for what calls back. @param begin is told whom to call. */
export async function called<T>(
  begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
  ms: number,
  { signal, late }: { readonly signal?: AbortSignal | undefined; readonly late: () => Lateness },
): Promise<T> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => reject(timedOut(ms, late())), ms);
  const abort = (): void => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  begin(resolve, reject);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
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
