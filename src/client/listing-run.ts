/**
 * A listing while it comes. The network is emptied at its own pace into memory, within `LISTING_MOST`: so the session is
 * free again soon, and a caller who works on each entry with other calls waits for nobody.
 */
import type { DataTransport } from "../net/transport.ts";
import { FtpError } from "./errors.ts";
import { LISTING_MOST } from "./limits.ts";

/** Chunks that one side puts in and the other takes out. */
export class ChunkQueue implements AsyncIterable<Buffer> {
  readonly #chunks: Buffer[] = [];
  #octets = 0;
  #isTaken = false;
  #isOver = false;
  #fault: unknown;
  #wake: (() => void) | undefined;

  /** That have come so far. */
  get octets(): number {
    return this.#octets;
  }

  /**
   * Takes in all that comes on a data connection. What an earlier try brought is forgotten if nobody has seen it; else
   * this one fails, as two halves of different listings would make a third that was never true.
   * @throws {FtpError} LIMIT, RESET, {DataError}
   */
  async fill(transport: DataTransport, what: string): Promise<void> {
    if (this.#isTaken) {
      throw new FtpError("RESET", `${what}: the listing broke off, and a part of it was given out already`, {
        phase: "transfer",
        connection: "data",
        retryable: false,
      });
    }
    this.#chunks.length = 0;
    this.#octets = 0;
    for (;;) {
      const chunks = await transport.receive();
      if (chunks.length === 0) return;
      for (const chunk of chunks) {
        this.#octets += chunk.length;
        if (this.#octets > LISTING_MOST) {
          throw new FtpError("LIMIT", `${what}: the listing has more than ${LISTING_MOST} octets`, {
            phase: "transfer",
            connection: "data",
          });
        }
        // The buffer is used again for what comes next.
        this.#chunks.push(Buffer.from(chunk));
      }
      this.#wake?.();
    }
  }

  /** Nothing more comes. @param fault why not. */
  end(fault?: unknown): void {
    this.#isOver = true;
    this.#fault = fault;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const [chunk] = this.#chunks.splice(0, 1);
      if (chunk !== undefined) {
        this.#isTaken = true;
        yield chunk;
        continue;
      }
      if (this.#isOver) {
        if (this.#fault !== undefined) throw this.#fault;
        return;
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }
}
