/** One stream for everything that happens: who, logs, metrics, hooks and bans read it; none of them can stop it. */

import { faultMessage } from "./fault-text.ts";
export type Listener<E> = (event: E) => void;

export class EventStream<E> {
  readonly #listeners = new Set<Listener<E>>();
  readonly #onFault: (fault: unknown) => void;

  /** @param onFault told what a listener threw; a broken log must not end a session. */
  constructor(onFault: (fault: unknown) => void = reportFault) {
    this.#onFault = onFault;
  }

  emit(event: E): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (fault) {
        this.#onFault(fault);
      }
    }
  }

  /** @returns the way to stop listening. */
  subscribe(listener: Listener<E>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function reportFault(fault: unknown): void {
  process.emitWarning(`an event listener failed: ${faultMessage(fault)}`);
}
