/** Buffers in which uploads wait to be written by other threads. They are kept: fresh pages cost as much as the copy. */
import { CHUNKS_AT_ONCE, CHUNK_OCTETS } from "./limits.ts";

/** A buffer on loan. Disposing gives it back. */
export class Chunk implements Disposable {
  readonly buffer = Buffer.allocUnsafeSlow(CHUNK_OCTETS);
  /** Octets in it, and how many of them are written; kept by the borrower. */
  held = 0;
  written = 0;
  readonly #giveBack: (chunk: Chunk) => void;

  constructor(giveBack: (chunk: Chunk) => void) {
    this.#giveBack = giveBack;
  }

  [Symbol.dispose](): void {
    this.#giveBack(this);
  }
}

export class Chunks {
  readonly #idle: Chunk[] = [];
  #count = 0;

  /** @returns undefined: all are out. */
  borrow(): Chunk | undefined {
    const idle = this.#idle.pop();
    if (idle !== undefined || this.#count >= CHUNKS_AT_ONCE) return idle;
    this.#count += 1;
    return new Chunk((chunk) => this.#takeBack(chunk));
  }

  #takeBack(chunk: Chunk): void {
    chunk.held = 0;
    chunk.written = 0;
    this.#idle.push(chunk);
  }
}
