/** Servers that say at once that a listing is over and open no data connection for it: it is empty. */
import { setTimeout as delay } from "node:timers/promises";
import { EMPTY_WAIT_MS } from "./limits.ts";

/**
 * @param nothing asked after `EMPTY_WAIT_MS`; undefined: something has come, so the rest is waited for.
 * @throws what `moving` throws until then.
 */
export async function orNothing<T>(moving: Promise<T>, nothing: () => T | undefined): Promise<T> {
  // If nobody waits for it any longer, its failure is nobody's.
  moving.catch(() => {});
  const stop = new AbortController();
  const late = delay(EMPTY_WAIT_MS, "late" as const, { signal: stop.signal });
  late.catch(() => {});
  try {
    const first = await Promise.race([moving.then((value) => ({ value })), late]);
    if (first !== "late") return first.value;
    return nothing() ?? (await moving);
  } finally {
    stop.abort();
  }
}
