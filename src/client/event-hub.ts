/** Who listens to a client. A listener that throws is the program's own fault and is not caught. */
import { EventEmitter } from "node:events";
import type { ClientEvents, ConnectOptions } from "./types.ts";

export class EventHub {
  readonly #emitter = new EventEmitter();

  constructor(listeners: ConnectOptions["on"] = {}) {
    // A program may have as many listeners as it likes.
    this.#emitter.setMaxListeners(0);
    for (const [event, listener] of Object.entries(listeners)) {
      if (listener !== undefined) this.#emitter.on(event, listener);
    }
  }

  on<K extends keyof ClientEvents>(event: K, listener: (detail: ClientEvents[K]) => void): () => void {
    this.#emitter.on(event, listener);
    return () => void this.#emitter.off(event, listener);
  }

  readonly emit = <K extends keyof ClientEvents>(event: K, detail: ClientEvents[K]): void => {
    this.#emitter.emit(event, detail);
  };
}
