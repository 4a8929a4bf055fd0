/** So many at the same time: who comes later waits, in the order of coming. */

export class Places {
  #free: number;
  /** At most as many as there are callers. */
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = Math.max(count, 1);
  }

  /** @returns a place, which is given back when it is disposed of. */
  async take(): Promise<Disposable> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return {
      [Symbol.dispose]: () => {
        const next = this.#waiting.shift();
        if (next === undefined) this.#free += 1;
        else next();
      },
    };
  }
}
