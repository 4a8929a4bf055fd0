/** Who listens to a client. What a listener throws ends no call: it becomes a warning of the process. */
import { EventEmitter } from "node:events";
import type { ClientEvents, ConnectOptions } from "./types.ts";

/** Name of the warnings, for `process.on("warning")` and `--disable-warning`. */
const WARNING = "FerrymanListenerWarning";

export class EventHub {
  readonly #emitter = new EventEmitter();
  /** Listeners that have thrown: one that throws at every command would fill the log. */
  readonly #told = new WeakSet<object>();

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
    for (const listener of this.#emitter.listeners(event)) {
      try {
        Reflect.apply(listener, undefined, [detail]);
      } catch (error) {
        this.#tell(event, listener, error);
      }
    }
  };

  #tell(event: string, listener: object, error: unknown): void {
    if (this.#told.has(listener)) return;
    this.#told.add(listener);
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.emitWarning(`a listener of the client's "${event}" threw, and the call goes on: ${what}`, WARNING);
  }
}
