/** Tries again, with longer and longer waits, as long as the error says that it may help. */
import { setTimeout as delay } from "node:timers/promises";
import { FtpError } from "./errors.ts";
import { RETRY_ATTEMPTS, RETRY_FIRST_MS, RETRY_MOST_MS } from "./limits.ts";
import type { RetryOptions } from "./types.ts";

export type RetryTerms = {
  readonly options: RetryOptions;
  readonly signal: AbortSignal | undefined;
  /** Whether it is worth it, beside `retryable`. */
  readonly isWorth?: (error: FtpError) => boolean;
  readonly heard: (detail: { readonly error: FtpError; readonly attempt: number; readonly waitMs: number }) => void;
};

/** @param work is told which try it is, from 1. */
export async function withRetries<T>(
  work: (attempt: number) => Promise<T>,
  { options, signal, heard, isWorth }: RetryTerms,
): Promise<T> {
  const attempts = Math.max(options.attempts ?? RETRY_ATTEMPTS, 1);
  const most = options.mostMs ?? RETRY_MOST_MS;
  let wait = Math.min(options.firstMs ?? RETRY_FIRST_MS, most);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      if (!(error instanceof FtpError) || !error.retryable || attempt >= attempts) throw error;
      if (isWorth?.(error) === false) throw error;
      // Half of it by chance, so that many clients do not come back at once.
      const waitMs = Math.round(wait / 2 + (Math.random() * wait) / 2);
      heard({ error, attempt, waitMs });
      await delay(waitMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
      wait = Math.min(wait * 2, most);
    }
  }
}
