/**
 * EPSV for the next transfer, sent while this one runs: a file then costs one round trip less. Only with servers of which
 * it is known that they bear it; one that is not does it to the running transfer (clients.md §5d).
 */
import { parse229 } from "../protocol/host-port.ts";
import type { ControlLink } from "./control.ts";
import { type FtpReply, FtpError } from "./errors.ts";
import { ABORT_WAIT_MS, AHEAD_MS, STREAK_MS } from "./limits.ts";

/**
 * Greetings of servers that read one command at a time. Pure-FTPd and ProFTPD look at commands during a transfer and refuse
 * EPSV then (500, 450), with a reply that overtakes the transfer's own: it would be taken for that (test/client/detect.test.ts).
 */
const KNOWN_SERVERS = /vsFTPd|Ferryman/i;

/** @param told what `detect` found and the store has kept; undefined: nothing. */
export function bearsPipelining(greeting: string, told: boolean | undefined): boolean {
  return told ?? KNOWN_SERVERS.test(greeting);
}

/** Whether it reads one line after the other, so that replies come in the order of commands, whatever these are. */
export function readsInOrder(greeting: string, told: boolean | undefined): boolean {
  return told !== false && KNOWN_SERVERS.test(greeting);
}

const EPSV = ["EPSV"] as const;
const NONE = [] as const;

export class Ahead {
  readonly #link: ControlLink;
  readonly #isAllowed: () => boolean;
  #isAsked = false;
  #port: { readonly number: number; readonly at: number } | undefined;
  #lastEnd = Number.NEGATIVE_INFINITY;
  #isStreak = false;

  constructor(link: ControlLink, isAllowed: () => boolean) {
    this.#link = link;
    this.#isAllowed = isAllowed;
  }

  /** A transfer begins. @returns the port that the server has opened for it, if it has. */
  begin(): number | undefined {
    const now = performance.now();
    this.#isStreak = now - this.#lastEnd < STREAK_MS;
    const port = this.#port;
    this.#port = undefined;
    return port !== undefined && now - port.at < AHEAD_MS ? port.number : undefined;
  }

  /** The command that is to go out early, if there will be another transfer. Whoever asks sends it. */
  line(): readonly ["EPSV"] | readonly [] {
    if (!this.#isStreak || !this.#isAllowed()) return NONE;
    this.#isAsked = true;
    return EPSV;
  }

  /** @returns whether a reply was that to our EPSV; one that is refused comes after the transfer's own. */
  takes(reply: FtpReply): boolean {
    if (!this.#isAsked || reply.code !== 229) return false;
    this.#isAsked = false;
    const number = parse229(reply.lines.join(" "));
    this.#port = number === undefined ? undefined : { number, at: performance.now() };
    return true;
  }

  /** The transfer has its last reply: whatever the server says to our EPSV comes now. */
  async end(): Promise<void> {
    this.#lastEnd = performance.now();
    if (!this.#isAsked) return;
    try {
      const reply = await this.#link.reply({ ms: ABORT_WAIT_MS });
      if (!this.takes(reply)) this.#isAsked = false;
    } catch (error) {
      if (!(error instanceof FtpError)) throw error;
      this.#link.destroy("there was no reply to a command that had gone out early");
    }
  }

  /** The transfer broke off: which reply is whose could not be told. */
  breakOff(): void {
    if (this.#isAsked) this.#link.destroy("a transfer broke off while the next one was asked for");
    this.#isAsked = false;
  }
}
