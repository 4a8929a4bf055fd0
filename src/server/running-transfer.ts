/** The one transfer or long work that a connection may have under way: what ABOR ends, STAT tells of and the idle clock waits for. */
import type { VirtualPath } from "../protocol/path.ts";

export type Progress = {
  readonly direction: "download" | "upload" | "listing" | "work";
  readonly path: VirtualPath;
  /** Octets moved so far. */
  readonly octets: () => number;
};

export class RunningTransfer {
  readonly #onChange: () => void;
  #controller: AbortController | undefined;
  #progress: Progress | undefined;
  #announced = false;
  /** Those that wait for the last reply of the command under way. */
  #waiting: (() => void)[] = [];

  /** @param onChange told when a transfer starts, is announced (150) or ends. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get active(): boolean {
    return this.#controller !== undefined;
  }

  /** Whether its 150 has gone out: only then may other replies come before its end (RFC 959 §5.4). */
  get announced(): boolean {
    return this.#announced;
  }

  get progress(): Progress | undefined {
    return this.#progress;
  }

  /**
   * Marks the start. Dispose what it returns when the transfer is over.
   * @param until ends the transfer too: the connection's own end.
   */
  begin(progress: Progress, until: AbortSignal): Disposable & { readonly signal: AbortSignal; announced(): void } {
    // Not AbortSignal.any: one listener is cheaper than a composite, and ends for sure with the transfer.
    const controller = new AbortController();
    const end = (): void => controller.abort();
    if (until.aborted) end();
    until.addEventListener("abort", end, { once: true });
    this.#controller = controller;
    this.#progress = progress;
    this.#announced = false;
    this.#onChange();
    return {
      signal: controller.signal,
      announced: () => {
        this.#announced = true;
        this.#onChange();
      },
      [Symbol.dispose]: () => {
        until.removeEventListener("abort", end);
        this.#controller = undefined;
        this.#progress = undefined;
        this.#announced = false;
        this.#onChange();
      },
    };
  }

  /** The connection's own: the command under way has sent its last reply. */
  settle(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const goOn of waiting) goOn();
  }

  /** Ends the transfer, if there is one; settles when its last reply is out. @returns whether there was one. */
  async abort(): Promise<boolean> {
    if (this.#controller === undefined) return false;
    const settled = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#controller.abort();
    await settled;
    return true;
  }
}
