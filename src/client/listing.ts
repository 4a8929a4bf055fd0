/** What a data connection brings in answer to MLSD or LIST, as entries: bounded in lines, octets and warnings. */
import { bytesOf } from "../base/bytes.ts";
import type { ListedEntry, ListedTime } from "../protocol/listings/entry.ts";
import { ListingReader } from "../protocol/listings/reader.ts";
import { unsafeName } from "../protocol/listings/unsafe-name.ts";
import { joined } from "../protocol/octets.ts";
import type { NameCoder } from "./charset.ts";
import { FtpError, printable } from "./errors.ts";
import { LISTING_LINE, LISTING_MOST, WARNINGS_MOST, WARNING_SHOWN } from "./limits.ts";
import type { Entry, EntryTime, EntryType, Listing } from "./types.ts";

type EntryTerms = {
  /** The folder that is listed, from the server's root. */
  readonly folder: string;
  readonly coder: NameCoder;
  /** Minutes that the server's clock is ahead of UTC in LIST (`zoneMinutes` of protocol/). Default 0. */
  readonly zoneMinutes?: number | undefined;
};

export type ListingTerms = EntryTerms & {
  readonly kind: "mlsd" | "list";
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  /** Octets that may come. Default `LISTING_MOST`. */
  readonly most?: number | undefined;
};

/**
 * The entries of one listing but for the folder itself and its parent. It can be gone through once. Lines of no known
 * format, lines that are too long, and names that must not become files (attack 64) are left out and stand in `warnings`.
 * @param chunks of the data connection; what they throw is thrown on, and leaving early ends them.
 * @throws {FtpError} LIMIT once more than `most` octets have come.
 */
export function readListing(chunks: AsyncIterable<Buffer>, terms: ListingTerms): Listing {
  return new ReadListing(chunks, terms);
}

/** What `warnings` say of a name that must not become a file. */
export const NAME_LEFT_OUT = "this name is left out";

/** @returns undefined for what is no entry of the folder: itself and its parent. */
function entryOf(listed: ListedEntry, { folder, coder, zoneMinutes }: EntryTerms): Entry | undefined {
  const { type } = listed;
  if (type === "this" || type === "parent") return undefined;
  return entry(listed, type, { folder, coder, zoneMinutes });
}

function entry(listed: ListedEntry, type: EntryType, { folder, coder, zoneMinutes = 0 }: EntryTerms): Entry {
  const { name: raw, size, mode, owner, group, target, time } = listed;
  const name = coder.decode(raw);
  return {
    name,
    path: folder.endsWith("/") ? folder + name : `${folder}/${name}`,
    type,
    raw,
    ...(size !== undefined && { size }),
    ...(time !== undefined && { modified: entryTime(time, zoneMinutes) }),
    ...(mode !== undefined && { mode }),
    ...(owner !== undefined && { owner: coder.shown(owner) }),
    ...(group !== undefined && { group: coder.shown(group) }),
    ...(target !== undefined && { target: coder.decode(target) }),
  };
}

function entryTime({ ms, precision, zone }: ListedTime, zoneMinutes: number): EntryTime {
  if (zone === "utc") return { ms, precision, zone };
  return { ms: ms - zoneMinutes * 60_000, precision, zone: "assumed" };
}

class ReadListing implements Listing {
  readonly #terms: ListingTerms;
  readonly #reader: ListingReader;
  readonly #warnings: string[] = [];
  readonly #entries: AsyncGenerator<Entry, void, undefined>;

  constructor(chunks: AsyncIterable<Buffer>, terms: ListingTerms) {
    this.#terms = terms;
    this.#reader = new ListingReader(terms);
    this.#entries = this.#read(chunks);
  }

  get warnings(): readonly string[] {
    return this.#warnings;
  }

  [Symbol.asyncIterator](): AsyncIterator<Entry> {
    return this.#entries;
  }

  async toArray(): Promise<Entry[]> {
    return Array.fromAsync(this);
  }

  async *#read(chunks: AsyncIterable<Buffer>): AsyncGenerator<Entry, void, undefined> {
    const { most = LISTING_MOST } = this.#terms;
    let octets = 0;
    let begun = "";
    let isTooLong = false;
    for await (const chunk of chunks) {
      octets += chunk.length;
      if (octets > most) throw tooMuch(most);
      const text = bytesOf(chunk);
      let start = 0;
      for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
        const found = isTooLong ? undefined : this.#entryOfLine(begun + text.slice(start, end));
        begun = "";
        isTooLong = false;
        start = end + 1;
        if (found !== undefined) yield found;
      }
      if (!isTooLong) begun += text.slice(start);
      if (begun.length > LISTING_LINE) {
        this.#warn("this line is too long", begun);
        begun = "";
        isTooLong = true;
      }
    }
    // A last line without its end is a line: the data connection's end is what ends a listing (RFC 959 §3.4.1).
    for (const found of [begun === "" ? undefined : this.#entryOfLine(begun), this.#entry(this.#reader.finish())]) {
      if (found !== undefined) yield found;
    }
  }

  #entryOfLine(line: string): Entry | undefined {
    const octets = joined(line.endsWith("\r") ? line.slice(0, -1) : line);
    if (octets.length > LISTING_LINE) return this.#warn("this line is too long", octets);
    const found = this.#reader.line(octets);
    if (found === "unknown") return this.#warn("no known format of listings fits this line", octets);
    return found === "ignored" ? undefined : this.#entry(found);
  }

  #entry(listed: ListedEntry | undefined): Entry | undefined {
    if (listed === undefined) return undefined;
    const found = entryOf(listed, this.#terms);
    const reason = found && unsafeName(listed.name);
    if (reason !== undefined) return this.#warn(`${NAME_LEFT_OUT}, for ${reason}`, listed.name);
    return found;
  }

  #warn(what: string, line: string): undefined {
    if (this.#warnings.length >= WARNINGS_MOST) return;
    const shown = printable(this.#terms.coder.shown(joined(line.slice(0, WARNING_SHOWN))));
    this.#warnings.push(`${what}: ${shown}`);
  }
}

function tooMuch(most: number): FtpError {
  const message = `The listing has more than ${most} octets.`;
  return new FtpError("LIMIT", message, { phase: "transfer", connection: "data" });
}
