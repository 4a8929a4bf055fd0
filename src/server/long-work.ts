/** Work on the server's own disk that may take long: digests, copies, whole trees. ABOR ends it like a transfer. */
import type { VirtualPath } from "../protocol/path.ts";
import type { Context } from "./context.ts";
import { Refusal } from "./errors.ts";

/** Milliseconds that work goes on for a client that has closed its side: a script's last reply may still be wanted. */
const ORPHAN_MS = 10_000;

/** @throws {Refusal} 451 when ABOR came, or the client is gone; else what `act` throws. */
export async function longWork<T>(
  context: Context,
  path: VirtualPath,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using run = context.running.begin({ direction: "work", path, octets: () => 0 }, context.signal);
  let timer: NodeJS.Timeout | undefined;
  const signal = context.hungUp();
  const hungUp = (): void => {
    timer = setTimeout(() => void context.running.abort(), ORPHAN_MS);
  };
  if (signal.aborted) hungUp();
  signal.addEventListener("abort", hungUp, { once: true });
  try {
    return await act(run.signal);
  } catch (error) {
    if (run.signal.aborted) throw new Refusal(451, "Stopped before the end.");
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", hungUp);
  }
}
