/**
 * Steps that run at the same time. One whose path has to do with that of an earlier one waits for it: a file for its
 * folder, a folder's removal for what is in it, whatever takes a place for what leaves it.
 */

type Running = { readonly path: string; readonly done: Promise<void> };

export class WorkQueue {
  readonly #parallel: number;
  readonly #running = new Set<Running>();
  /** Called when one has ended. */
  #onFree: (() => void) | undefined;

  constructor(parallel: number) {
    this.#parallel = parallel;
  }

  /** Waits for a place; one caller at a time. @param work never rejects. */
  async add(path: string, work: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#parallel) {
      await new Promise<void>((resolve) => {
        this.#onFree = resolve;
      });
    }
    const before: Promise<void>[] = [];
    for (const other of this.#running) if (areRelated(path, other.path)) before.push(other.done);
    const running: Running = { path, done: this.#run(before, work, () => this.#running.delete(running)) };
    this.#running.add(running);
  }

  async #run(before: readonly Promise<void>[], work: () => Promise<void>, end: () => void): Promise<void> {
    // It does not begin before it is one of those that run.
    await (before.length === 0 ? undefined : Promise.all(before));
    try {
      await work();
    } finally {
      end();
      this.#onFree?.();
    }
  }

  async idle(): Promise<void> {
    await Promise.all([...this.#running].map(({ done }) => done));
  }
}

/** Whether they are the same, or one lies in the other. "" is what all lie in. */
function areRelated(one: string, other: string): boolean {
  if (one === other || one === "" || other === "") return true;
  return one.length < other.length ? other.startsWith(`${one}/`) : one.startsWith(`${other}/`);
}
