/** Buffers in which uploads wait to be written by other threads. They are kept: fresh pages cost as much as the copy. */
import { UPLOAD_BUFFERS_AT_ONCE, UPLOAD_BUFFER } from "./limits.ts";

/** A buffer on loan. Disposing gives it back. */
export class UploadBuffer implements Disposable {
  readonly octets = Buffer.allocUnsafeSlow(UPLOAD_BUFFER);
  /** Octets in it, and how many of them are written; kept by the borrower. */
  held = 0;
  written = 0;
  readonly #giveBack: (lent: UploadBuffer) => void;

  constructor(giveBack: (lent: UploadBuffer) => void) {
    this.#giveBack = giveBack;
  }

  [Symbol.dispose](): void {
    this.#giveBack(this);
  }
}

export class UploadBuffers {
  readonly #idle: UploadBuffer[] = [];
  #count = 0;

  /** @returns undefined: all are out. */
  borrow(): UploadBuffer | undefined {
    const idle = this.#idle.pop();
    if (idle !== undefined || this.#count >= UPLOAD_BUFFERS_AT_ONCE) return idle;
    this.#count += 1;
    return new UploadBuffer((lent) => this.#takeBack(lent));
  }

  #takeBack(lent: UploadBuffer): void {
    lent.held = 0;
    lent.written = 0;
    this.#idle.push(lent);
  }
}
