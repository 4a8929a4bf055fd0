/** SIGUSR1, and Ctrl-T where there is one (SIGINFO), ask a command how far it is, as dd does it. */
import type { AskedBoard } from "./board.ts";

const SIGNALS = ["SIGUSR1", "SIGINFO"] as const;

/** @param say writes one line to a person. */
export function toldOnSignal(board: AskedBoard, say: (line: string) => void): Disposable {
  const tell = (): void => {
    for (const line of board.status()) say(line);
  };
  for (const signal of SIGNALS) process.on(signal, tell);
  return {
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.off(signal, tell);
    },
  };
}
