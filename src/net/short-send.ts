/** A short file that lies in memory, onto a connection that takes it: two calls and no wait. */
import { type DataCalls, WOULD_WAIT } from "../sys/data-calls.ts";
import { SMALL_SEND } from "./limits.ts";
import type { FileSpan } from "./transport.ts";

/** One for all: calls are synchronous, and the kernel has taken the octets when one returns. */
const scrap = Buffer.allocUnsafeSlow(SMALL_SEND);

/** @returns octets sent; 0 where it is no short file, does not lie in memory, or the connection has no room. @throws {DataCallError} */
export function sendShort(
  calls: DataCalls,
  { socket, file }: { readonly socket: number; readonly file: number },
  { start, end }: FileSpan,
): number {
  const length = end - start;
  if (length <= 0 || length > SMALL_SEND) return 0;
  if (calls.readIfInMemory(file, scrap, length, start) !== length) return 0;
  const sent = calls.send(socket, length === scrap.length ? scrap : scrap.subarray(0, length), false);
  return sent === WOULD_WAIT ? 0 : sent;
}
