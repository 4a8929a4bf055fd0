/** Calls on threads of libuv's pool. Koffi refuses the 257th under way, by an exception: more than that wait for their turn. */
import { Turns } from "../base/turns.ts";

export type Native = ((...values: readonly unknown[]) => number) & {
  async(...values: readonly unknown[]): void;
};

/** Calls under way: koffi has places for 256 (its `max_async_calls`), some of them for other calls; the pool has 16 threads. */
const AT_ONCE = 192;
/** Calls that may wait; each is one of a transfer or listing, of which a process has fewer. */
const WAITING = 1_000_000;

const turns = new Turns({ atOnce: AT_ONCE, waiting: WAITING });

/** @returns what the call returns; -1 for every fault too, as the errno of another thread is out of reach. */
export async function elsewhere(call: Native, ...values: readonly unknown[]): Promise<number> {
  const result = await turns.run(async () => await started(call, values));
  return result ?? -1;
}

async function started(call: Native, values: readonly unknown[]): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  call.async(...values, (fault: unknown, result: number) => {
    // Held until here: the other thread reads them and writes to them.
    void values;
    resolve(fault === null || fault === undefined ? result : -1);
  });
  return await promise;
}
