/** Connects by plain system calls: a socket of Node's costs as much as all that is done with a short file. */
import { type DataCalls, DataCallError } from "../sys/data-calls.ts";
import type { Endpoint } from "./addresses.ts";
import { DescriptorEnd } from "./data-end.ts";

export type NativeConnectTerms = {
  /** Milliseconds until it must be there. */
  readonly ms: number;
  readonly signal: AbortSignal;
};

/**
 * @param remote an address without a zone: `fe80::1%eth0` has a number that only the system knows.
 * @throws {DataCallError}, ETIMEDOUT where nobody answers; or the signal's reason.
 */
export async function connectNatively(
  remote: Endpoint,
  { ms, signal }: NativeConnectTerms,
  calls: DataCalls,
): Promise<DescriptorEnd> {
  signal.throwIfAborted();
  const descriptor = calls.connect(remote.address, remote.port);
  const watch = calls.watch(descriptor);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new DataCallError("connect", "ETIMEDOUT")), ms);
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  watch.once("writable", resolve);
  try {
    await promise;
    calls.connected(descriptor);
    return new DescriptorEnd(descriptor, remote, calls);
  } catch (error) {
    watch[Symbol.dispose]();
    calls.close(descriptor);
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}
