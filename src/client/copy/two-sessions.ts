/**
 * Two sessions at once, for copies between servers. Whoever holds one and waits for another could wait for ever, so pools
 * are asked in one order by all, and for two of one pool there is a queue in which one caller at a time is in between.
 */
import { FtpError } from "../errors.ts";
import type { Hub } from "../hub.ts";
import type { Pool } from "../pool.ts";
import type { FtpSession } from "../session.ts";
import { SECOND_LOOK_MS } from "./limits.ts";

export type Pair = { readonly from: FtpSession; readonly to: FtpSession };

const numbers = new WeakMap<Pool, number>();
let pools = 0;

function numberOf(pool: Pool): number {
  const known = numbers.get(pool);
  if (known !== undefined) return known;
  numbers.set(pool, (pools += 1));
  return pools;
}

/** @throws what the work throws, FtpError, or the signal's reason. */
export async function withTwo<T>(
  { from, to }: { readonly from: Hub; readonly to: Hub },
  work: (pair: Pair) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  if (from.pool === to.pool) return await twoOf(from.pool, work, signal);
  const isFromFirst = numberOf(from.pool) < numberOf(to.pool);
  const [first, second] = isFromFirst ? [from.pool, to.pool] : [to.pool, from.pool];
  return await first.use(
    async (one) =>
      await second.use(
        async (other) => await work(isFromFirst ? { from: one, to: other } : { from: other, to: one }),
        signal,
      ),
    signal,
  );
}

/** Who is between the first session of a pool and the second. */
const turns = new WeakMap<Pool, Promise<void>>();

async function twoOf<T>(pool: Pool, work: (pair: Pair) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const { promise, resolve: over } = Promise.withResolvers<void>();
  const before = turns.get(pool);
  turns.set(
    pool,
    (before ?? Promise.resolve()).then(async () => await promise),
  );
  try {
    await before;
    return await pool.use(async (from) => {
      using second = secondOf(pool, signal);
      return await pool.use(async (to) => {
        over();
        second[Symbol.dispose]();
        return await work({ from, to });
      }, second.signal);
    }, signal);
  } finally {
    over();
  }
}

/** Ends the wait for a second session when the server turns out to give one alone. */
function secondOf(pool: Pool, signal: AbortSignal | undefined): Disposable & { readonly signal: AbortSignal } {
  const stop = new AbortController();
  const look = (): void => {
    if (pool.most < 2) stop.abort(onlyOne());
  };
  look();
  const timer = setInterval(look, SECOND_LOOK_MS);
  return {
    signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

function onlyOne(): FtpError {
  return new FtpError("LIMIT", "a copy on one server needs two connections to it, and there may be one alone", {
    phase: "connect",
    retryable: false,
    hint: "allow more connections, or download the file and upload it",
  });
}
