/**
 * The event loop's time, shared out: work that could hold the loop for long looks at its turn now and then, and waits
 * for the next one when it is over. Each round of the loop serves one of those that wait, in order, so that a hundred
 * of them delay the others' replies no longer than one.
 */

/** Milliseconds of one turn: others wait for it and what the loop does besides, and should see less than 2 ms. */
const TURN_MS = 1;

const waiting: (() => void)[] = [];

export class Turn {
  #started = performance.now();

  /** Whether others should be let in before the work goes on. */
  get over(): boolean {
    return performance.now() - this.#started >= TURN_MS;
  }

  /** Settles when it is this work's turn again. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(serve);
    });
    this.#started = performance.now();
  }
}

function serve(): void {
  waiting.shift()?.();
  // What this one does runs before the loop comes round to the next.
  if (waiting.length > 0) setImmediate(serve);
}
