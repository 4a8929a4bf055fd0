/** Who listens to a client. What a listener throws ends no call: it becomes a warning of the process. */
import { EventEmitter } from "node:events";
import type { ClientEvents, ConnectOptions } from "./types.ts";

/** Name of the warnings, for `process.on("warning")` and `--disable-warning`. */
const WARNING = "FerrymanListenerWarning";

export class EventHub {
  readonly #emitter = new EventEmitter();

  constructor(listeners: ConnectOptions["on"] = {}) {
    // A program may have as many listeners as it likes.
    this.#emitter.setMaxListeners(0);
    for (const [event, listener] of Object.entries(listeners)) {
      if (listener !== undefined) this.#emitter.on(event, guarded(event, listener));
    }
  }

  on<K extends keyof ClientEvents>(event: K, listener: (detail: ClientEvents[K]) => void): () => void {
    const heard = guarded(event, listener);
    this.#emitter.on(event, heard);
    return () => void this.#emitter.off(event, heard);
  }

  readonly emit = <K extends keyof ClientEvents>(event: K, detail: ClientEvents[K]): void => {
    this.#emitter.emit(event, detail);
  };
}

/** The first exception of each listener is told; one that throws at every command would fill the log. */
function guarded<T>(event: string, listener: (detail: T) => void): (detail: T) => void {
  let isTold = false;
  return (detail) => {
    try {
      listener(detail);
    } catch (error) {
      if (isTold) return;
      isTold = true;
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.emitWarning(`a listener of the client's "${event}" threw, and the call goes on: ${what}`, WARNING);
    }
  };
}
