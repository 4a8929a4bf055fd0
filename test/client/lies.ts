/** In which ways the liar can misbehave. What is absent is as a good server has it. */
import type { Break } from "./liar-wire.ts";

/** What the client said. */
export type Heard = {
  /** Counts control connections from 0. */
  readonly session: number;
  readonly line: string;
  readonly verb: string;
  readonly argument: string;
};

/** What comes in place of one true reply. Texts are octets and go out as they stand, line ends and all. */
export type Lie =
  | "truth"
  /** `""`: nothing. And then an end, where there is one. */
  | { readonly say: string; readonly end?: "reset" | "fin" | "half" }
  /** In one segment with the true reply. */
  | { readonly before: string }
  | { readonly after: string }
  /** Again and again, for as long as the client reads. `first` once before. */
  | { readonly endless: string; readonly first?: string }
  /** Milliseconds before the true reply, or before `late` in its place. */
  | { readonly waitMs: number; readonly late?: string }
  /** "half" is the end of what we say: lines are still heard and carried out. */
  | { readonly end: "reset" | "fin" | "half" };

/** @param reply the true one, with its line end. */
export type ReplyLie = Lie | ((heard: Heard, reply: string) => Lie);

/**
 * The parts of a transfer in any order. "half" is half of the data; "cut" ends TCP without TLS's close_notify; "hang"
 * waits for an ABOR or the end of the data connection, and "deaf" hears of nothing until the client has gone. The ones that need a connection make it.
 */
export type Step = "opening" | "connect" | "data" | "half" | "end" | "reset" | "cut" | "closing" | "hang" | "deaf";

export type Lies = {
  /**
   * By verb, `greeting`, or `VERB end` for the reply after the data; `*` for all without a line of their own. Of a list the
   * first is for the first time, and so on; after the last comes the truth.
   */
  readonly replies?: Readonly<Record<string, ReplyLie | readonly ReplyLie[]>>;
  /** By verb. */
  readonly steps?: Readonly<Record<string, readonly Step[]>>;
  /** What is sent, by verb, in place of the tree's; asked anew each time. It goes out as fast as the client reads. */
  readonly content?: Readonly<Record<string, () => Iterable<Buffer>>>;
  /** Of the data port that EPSV and PASV announce: "silent" answers no SYN, "refused" is closed. */
  readonly passivePort?: "open" | "silent" | "refused";
  /** IPv4 address that a 227 shows in place of the own one. The liar listens there too, and counts who comes. */
  readonly passiveAddress?: string;
  readonly breakControl?: Break;
  readonly breakData?: Break;
  /** How many connections are broken so; the ones after them are not. Default: all. */
  readonly breaks?: number;
  /** Each octet of the control connection in a segment of its own; of data connections. */
  readonly split?: boolean;
  readonly splitData?: boolean;
  /** Lines of FEAT; null: it is not known. */
  readonly features?: readonly string[] | null;
  /** A data connection over TLS that does not resume the control connection's session gets a 522. */
  readonly mustResume?: boolean;
};
