/** Reads listings of any server line by line: nobody tells the format of LIST, so each is tried, the last one first. */
import type { ByteString } from "../../base/bytes.ts";
import { joined } from "../octets.ts";
import { dosFormat } from "./dos.ts";
import type { Format, ListedEntry, ListingState } from "./entry.ts";
import { eplfFormat } from "./eplf.ts";
import { os400Format, vmFormat } from "./ibm.ts";
import { factsInListFormat, mlsdFormat } from "./mlsd.ts";
import { mvsFormat } from "./mvs.ts";
import { namesFormat } from "./names.ts";
import { nameFirstFormat, nonStopFormat, os9Format, sizeFirstFormat } from "./plain.ts";
import { unixFormat } from "./unix.ts";
import { vmsFormat, vmsRest } from "./vms.ts";

/** Those that say most about what they are come first. */
const LIST_FORMATS: readonly Format[] = [
  unixFormat,
  dosFormat,
  eplfFormat,
  vmsFormat,
  os400Format,
  vmFormat,
  nonStopFormat,
  os9Format,
  mvsFormat,
  sizeFirstFormat,
  nameFirstFormat,
  factsInListFormat,
];

/** The commands that list a folder (RFC 3659 §7, RFC 959 §4.1.3). */
export const LISTING_KINDS = ["mlsd", "list", "nlst"] as const;
export type ListingKind = (typeof LISTING_KINDS)[number];

/**
 * One listing, a line at a time. It holds no more than one line, and no line is an error: what no format fits is
 * "unknown". The time for a line grows with its length alone.
 */
export class ListingReader {
  readonly #formats: readonly Format[];
  readonly #state: ListingState;
  #last: Format;

  /** @param options.now milliseconds since 1970 UTC: dates without a year are the latest that are at most a day ahead. */
  constructor({ kind, now }: { readonly kind: ListingKind; readonly now: number }) {
    this.#formats = kind === "list" ? LIST_FORMATS : [];
    this.#last = { mlsd: mlsdFormat, list: unixFormat, nlst: namesFormat }[kind];
    this.#state = { now, isDayFirst: false };
  }

  /**
   * @param line without its line end.
   * @returns "ignored" for headings, sums, empty lines and the first half of an entry of two lines; "unknown" for a line of no known
   *   format. What was held back comes in place of a later line, so call `finish` at the end.
   */
  line(line: ByteString): ListedEntry | "ignored" | "unknown" {
    const whole = withoutReturns(line);
    if (whole.trim() === "") return "ignored";
    const known = this.#last(whole, this.#state);
    if (known !== undefined) return known;
    for (const format of this.#formats) {
      if (format === this.#last) continue;
      const found = format(whole, this.#state);
      if (found === undefined) continue;
      this.#last = format;
      return found;
    }
    return "unknown";
  }

  /** @returns the last entry, where the listing ended before the line that was to tell its facts. */
  finish(): ListedEntry | undefined {
    return vmsRest(this.#state);
  }
}

/** Some servers convert line ends that were converted before: CR CR LF. */
function withoutReturns(line: ByteString): ByteString {
  let end = line.length;
  while (end > 0 && line.charCodeAt(end - 1) === CR) end--;
  return end === line.length ? line : joined(line.slice(0, end));
}

const CR = 13;
