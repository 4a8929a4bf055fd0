/**
 * Steps that run at the same time. One whose path has to do with that of an earlier one waits for it: a file for its
 * folder, a folder's removal for what is in it, whatever takes a place for what leaves it.
 */

type Running = { readonly path: string; readonly done: Promise<void> };

export class WorkQueue {
  readonly #parallel: number;
  readonly #running = new Set<Running>();

  constructor(parallel: number) {
    this.#parallel = parallel;
  }

  /** Waits for a place. @param work never rejects. */
  async add(path: string, work: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#parallel) await Promise.race([...this.#running].map(({ done }) => done));
    const before = [...this.#running].filter((other) => areRelated(path, other.path)).map(({ done }) => done);
    const done = Promise.withResolvers<void>();
    const running: Running = { path, done: done.promise };
    this.#running.add(running);
    void Promise.all(before)
      .then(work)
      .finally(() => {
        this.#running.delete(running);
        done.resolve();
      });
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
