/**
 * TYPE A: lines end in CRLF on the wire and in LF on the host (RFC 959 §3.1.1.1, §3.4). The same octets give the same
 * result however they are split into chunks.
 */
const LF = 10;
const CR = 13;
const NOTHING = Buffer.alloc(0);
const LONE_CR = Buffer.of(CR);

/** Host to wire: LF becomes CRLF. A CRLF that the file holds already stays one; so does a CR without LF. */
export class AsciiEncoder {
  #endedInCr = false;

  /** @returns the octets to send: `chunk` itself where nothing changes. */
  push(chunk: Buffer): Buffer {
    let lf = chunk.indexOf(LF);
    if (chunk.length === 0) return chunk;
    const endedInCr = this.#endedInCr;
    this.#endedInCr = chunk[chunk.length - 1] === CR;
    if (lf === -1) return chunk;
    const out = Buffer.allocUnsafe(chunk.length * 2);
    let written = 0;
    let from = 0;
    for (; lf !== -1; lf = chunk.indexOf(LF, from)) {
      const crBefore = lf === 0 ? endedInCr : chunk[lf - 1] === CR;
      written += chunk.copy(out, written, from, lf);
      if (!crBefore) out[written++] = CR;
      out[written++] = LF;
      from = lf + 1;
    }
    written += chunk.copy(out, written, from);
    return out.subarray(0, written);
  }

  /** What is still to send after the last chunk: nothing, as every octet goes out at once. */
  end(): Buffer {
    return NOTHING;
  }
}

/** Wire to host: CRLF becomes LF. A CR or LF alone stays. */
export class AsciiDecoder {
  /** A CR that ended the last chunk: what it is depends on the next octet. */
  #carriedCr = false;

  push(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk;
    const whole = this.#carriedCr ? Buffer.concat([LONE_CR, chunk]) : chunk;
    this.#carriedCr = whole[whole.length - 1] === CR;
    const end = this.#carriedCr ? whole.length - 1 : whole.length;
    let cr = whole.indexOf(CR);
    if (cr === -1 || cr >= end) return whole.subarray(0, end);
    const out = Buffer.allocUnsafe(end);
    let written = 0;
    let from = 0;
    for (; cr !== -1; cr = whole.indexOf(CR, cr + 1)) {
      if (whole[cr + 1] !== LF) continue;
      written += whole.copy(out, written, from, cr);
      from = cr + 1;
    }
    written += whole.copy(out, written, from, end);
    return out.subarray(0, written);
  }

  /** What is still to store after the last octet: a CR that no LF followed. */
  end(): Buffer {
    const rest = this.#carriedCr ? LONE_CR : NOTHING;
    this.#carriedCr = false;
    return rest;
  }
}
