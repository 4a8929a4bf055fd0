/**
 * Octets of a control connection into lines, Telnet taken out (RFC 959 §5.3, RFC 854). Bounded in memory and linear
 * in time however the octets arrive (attacks 42 to 45).
 */
import { type ByteString, bytesOf } from "../base/bytes.ts";
import { LINE_LIMIT, LINE_START, SUBNEGOTIATION_LIMIT } from "./limits.ts";

export type LineEvent =
  /** Without its line end. */
  | { readonly kind: "line"; readonly line: ByteString }
  /** Told once, as soon as a line cannot fit; all of it up to its LF is dropped and never run (attack 44). */
  | { readonly kind: "too-long" }
  /** Telnet IP: the client announces ABOR (RFC 959 §4.1.3). */
  | { readonly kind: "interrupt" };

const NUL = 0;
const LF = 10;
const CR = 13;
/** The lowest Telnet command (EOF, RFC 1184); below it an octet after IAC is text of a client that does not double. */
const FIRST_COMMAND = 236;
const SE = 240;
const DM = 242;
const IP = 244;
const SB = 250;
const WILL = 251;
const IAC = 255;

/** Where lines are put together within one call. */
const scratch = Buffer.allocUnsafeSlow(LINE_LIMIT);

/** What the last octets mean for the next one. */
type State = "text" | "command" | "option" | "subnegotiation" | "subnegotiation-command";

/**
 * Lines end in LF; one CR before it is dropped. CR NUL is a CR within the line, and so is a LF right after it
 * (RFC 2640 §3.1); IAC IAC is one octet 0xFF; Telnet commands and negotiations are dropped. The same octets give the same events however they are split.
 */
export class LineSplitter {
  readonly #limit: number;
  /** Its own only between two calls, and only for a line that has begun: of thousands of sessions few have one. */
  #held: Buffer = scratch;
  #length = 0;
  #state: State = "text";
  /** Octets of the subnegotiation so far. */
  #subnegotiated = 0;
  /** What the line's last octet was, held or dropped. After CR NUL neither this CR nor a LF ends the line. */
  #last: "cr" | "padded-cr" | "other" = "other";
  #discarding = false;

  /** @param limit octets of a line with its line end. */
  constructor(limit: number = LINE_LIMIT) {
    this.#limit = limit;
  }

  /** Octets held of a line that has not ended: always fewer than the limit. */
  get pending(): number {
    return this.#length;
  }

  push(chunk: Buffer): readonly LineEvent[] {
    const events: LineEvent[] = [];
    if (this.#length === 0) this.#held = scratch;
    for (const octet of chunk) {
      if (this.#state !== "text") this.#telnet(octet, events);
      else if (octet === IAC) this.#state = "command";
      else this.#text(octet, events);
    }
    if (this.#held === scratch && this.#length > 0) this.#grow();
    return events;
  }

  /** An octet after IAC; leaves for the next state. */
  #telnet(octet: number, events: LineEvent[]): void {
    switch (this.#state) {
      case "command":
        this.#command(octet, events);
        return;
      case "subnegotiation":
        if (octet === IAC) this.#state = "subnegotiation-command";
        else this.#subnegotiate(events);
        return;
      case "subnegotiation-command":
        this.#state = octet === SE ? "text" : "subnegotiation";
        if (octet !== SE) this.#subnegotiate(events);
        return;
      default:
        this.#state = "text"; // the option of WILL, WONT, DO or DONT: we take part in none
    }
  }

  #command(octet: number, events: LineEvent[]): void {
    this.#state = "text";
    if (octet === IAC) this.#hold(octet, events);
    else if (octet >= WILL) this.#state = "option";
    else if (octet === SB) {
      this.#state = "subnegotiation";
      this.#subnegotiated = 0;
    } else if (octet === IP) events.push({ kind: "interrupt" });
    else if (octet < FIRST_COMMAND) {
      // No command: IAC was text, of a client that does not double it. At the start of a line, where no name can
      // stand, it is what is left of a Synch: its DM went as TCP urgent data, which Node does not hand over in line.
      if (this.#length > 0) this.#hold(IAC, events);
      this.#text(octet, events);
    }
  }

  /** A subnegotiation without end would swallow every command after it: the line counts as too long. */
  #subnegotiate(events: LineEvent[]): void {
    this.#subnegotiated++;
    if (this.#subnegotiated <= SUBNEGOTIATION_LIMIT) return;
    this.#state = "text";
    this.#discard(events);
  }

  #text(octet: number, events: LineEvent[]): void {
    // CR NUL LF is a CR and a LF of a name (RFC 2640 §3.1): what follows must not become a command of its own.
    if (octet === LF && this.#last !== "padded-cr") {
      this.#endLine(events);
      return;
    }
    // The other half of a torn Synch: a client that sends IAC as the urgent octet leaves DM in line.
    if (octet === DM && this.#length === 0) return;
    if (octet === NUL && this.#last === "cr") {
      this.#last = "padded-cr";
      return;
    }
    this.#hold(octet, events);
  }

  #hold(octet: number, events: LineEvent[]): void {
    this.#last = octet === CR ? "cr" : "other";
    if (this.#discarding) return;
    // Even a LF now would make it one octet too long, or exactly the limit with it.
    if (this.#length + 1 >= this.#limit) {
      this.#discard(events);
      return;
    }
    if (this.#length === this.#held.length) this.#grow();
    this.#held[this.#length] = octet;
    this.#length++;
  }

  #grow(): void {
    const larger = Buffer.allocUnsafe(Math.min(this.#limit, Math.max(this.#length * 2, LINE_START)));
    this.#held.copy(larger, 0, 0, this.#length);
    this.#held = larger;
  }

  #discard(events: LineEvent[]): void {
    this.#length = 0;
    if (!this.#discarding) events.push({ kind: "too-long" });
    this.#discarding = true;
  }

  #endLine(events: LineEvent[]): void {
    if (!this.#discarding) {
      const end = this.#last === "cr" ? this.#length - 1 : this.#length;
      events.push({ kind: "line", line: bytesOf(this.#held.subarray(0, end)) });
    }
    this.#discarding = false;
    this.#last = "other";
    this.#length = 0;
  }
}
