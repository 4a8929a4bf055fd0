/** Ctrl-C and its like: the first asks for a graceful end, the second for an end at once. */

/**
 * Milliseconds in which signals count as one: a terminal sends Ctrl-C to npm, to the launcher and to us, and each of
 * those passes it on. Nobody presses twice that fast on purpose.
 */
const ONE_PRESS_MS = 400;
/** SIGHUP: the terminal was closed. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export type StopSignals = Disposable & {
  /** Resolves with the signal that asked for the end. */
  readonly first: Promise<NodeJS.Signals>;
  /** Resolves when somebody would not wait. */
  readonly second: Promise<NodeJS.Signals>;
};

/** @param now milliseconds that only grow. */
export function stopSignals(
  source: NodeJS.EventEmitter = process,
  now: () => number = () => performance.now(),
): StopSignals {
  const first = Promise.withResolvers<NodeJS.Signals>();
  const second = Promise.withResolvers<NodeJS.Signals>();
  let since: number | undefined;
  const hear = (signal: NodeJS.Signals): void => {
    if (since === undefined) {
      since = now();
      first.resolve(signal);
    } else if (now() - since >= ONE_PRESS_MS) second.resolve(signal);
  };
  for (const signal of SIGNALS) source.on(signal, hear);
  return {
    first: first.promise,
    second: second.promise,
    [Symbol.dispose]() {
      for (const signal of SIGNALS) source.off(signal, hear);
    },
  };
}
