/** Ctrl-C and its like: the first asks for a graceful end, the second for an end at once. */

/**
 * Milliseconds in which signals count as one: a terminal sends Ctrl-C to npm, to the launcher and to us, and each of
 * those passes it on. Nobody presses twice that fast on purpose.
 */
const ONE_PRESS_MS = 400;
const STOPS = ["SIGINT", "SIGTERM"] as const;

export type Surroundings = {
  readonly source?: NodeJS.EventEmitter;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
  /** SIGHUP at a terminal says that it was closed; without one it asks a service to read its configuration again. */
  readonly hasTerminal?: boolean;
};

export type StopSignals = Disposable & {
  /** Whether somebody has asked for the end. */
  readonly isAsked: boolean;
  /** Resolves with the signal that asked for the end. */
  readonly first: Promise<NodeJS.Signals>;
  /** Resolves when somebody would not wait. */
  readonly second: Promise<NodeJS.Signals>;
  /** Set by whoever can reload. */
  onReload: () => void;
};

export function stopSignals({
  source = process,
  now = () => performance.now(),
  hasTerminal = process.stdin.isTTY || process.stderr.isTTY,
}: Surroundings = {}): StopSignals {
  const first = Promise.withResolvers<NodeJS.Signals>();
  const second = Promise.withResolvers<NodeJS.Signals>();
  let since: number | undefined;
  const hear = (signal: NodeJS.Signals): void => {
    if (since === undefined) {
      since = now();
      first.resolve(signal);
    } else if (now() - since >= ONE_PRESS_MS) second.resolve(signal);
  };
  for (const signal of STOPS) source.on(signal, hear);
  const hangUp = (): void => {
    if (hasTerminal) hear("SIGHUP");
    else signals.onReload();
  };
  source.on("SIGHUP", hangUp);
  const signals: StopSignals = {
    get isAsked() {
      return since !== undefined;
    },
    first: first.promise,
    second: second.promise,
    [Symbol.dispose]() {
      for (const signal of STOPS) source.off(signal, hear);
      source.off("SIGHUP", hangUp);
    },
    onReload: () => {},
  };
  return signals;
}
