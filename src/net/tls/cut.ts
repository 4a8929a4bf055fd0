/**
 * What a stream below a TLS engine knows and the engine is not told: that the peer has ended TCP. So the engine ends by
 * the peer's close_notify alone, and a cut upload is never taken for a whole one (attack 14).
 */
import { Duplex } from "node:stream";

/** Turns of the event loop in which nothing moves before the engine is believed to hold nothing more. */
const QUIET_TURNS = 2;

export class CutStream extends Duplex {
  #cut = false;

  constructor() {
    super({ allowHalfOpen: true });
  }

  /** Whether the peer has closed the TCP connection's side; the TLS engine is not told. */
  get cut(): boolean {
    return this.#cut;
  }

  /** Calls once when that comes about, or at once. @returns what takes the listener away. */
  onCut(listener: () => void): () => void {
    if (this.#cut) listener();
    else this.once("cut", listener);
    return () => void this.off("cut", listener);
  }

  /**
   * Settles when the engine has had its time to take all that came before the cut. It looks in every turn of the loop, so
   * it is for those who take everything out of the engine.
   * @param isOver ends the wait.
   * @returns false when `isOver` said so.
   */
  async quiet(isOver: () => boolean): Promise<boolean> {
    // Octets pass from stream to stream in later turns: a few without any in between are the end of it.
    for (let turns = 0; turns < QUIET_TURNS; turns++) {
      await new Promise(setImmediate);
      if (isOver()) return false;
      if (this.readableLength > 0) turns = -1;
    }
    return true;
  }

  protected noteCut(): void {
    this.#cut = true;
    this.emit("cut");
  }
}
