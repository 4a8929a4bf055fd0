/** What a data connection brings in answer to MLSD or LIST, as entries: bounded in lines, octets and warnings. */
import { bytesOf } from "../base/bytes.ts";
import type { ListedEntry, ListedTime } from "../protocol/listings/entry.ts";
import { type ListingKind, ListingReader } from "../protocol/listings/reader.ts";
import { unsafeName } from "../protocol/listings/unsafe-name.ts";
import { joined } from "../protocol/octets.ts";
import type { NameCoder } from "./charset.ts";
import { FtpError, printable } from "./errors.ts";
import { GUESS_HELD, LISTING_LINE, LISTING_MOST, WARNINGS_MOST, WARNING_SHOWN } from "./limits.ts";
import type { Entry, EntryTime, EntryType, Listing } from "./types.ts";

type EntryTerms = {
  /** The folder that is listed, from the server's root. */
  readonly folder: string;
  readonly coder: NameCoder;
  /** Minutes that the server's clock is ahead of UTC in LIST (`zoneMinutes` of protocol/). Default 0. */
  readonly zoneMinutes?: number | undefined;
};

export type ListingTerms = EntryTerms & {
  readonly kind: ListingKind;
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

type Child = ListedEntry & { readonly type: EntryType };

function entryOf({ type, ...listed }: Child, { folder, coder, zoneMinutes = 0 }: EntryTerms): Entry {
  const { name: raw, size, roughSize, mode, owner, group, target, time } = listed;
  const name = coder.decode(raw);
  return {
    name,
    path: folder.endsWith("/") ? folder + name : `${folder}/${name}`,
    type,
    raw,
    ...(size !== undefined && { size }),
    ...(roughSize !== undefined && { roughSize }),
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
  readonly #held: Child[] = [];
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
        if (found !== undefined) yield* this.#released(found);
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
      if (found !== undefined) yield* this.#released(found);
    }
    yield* this.#letGo();
  }

  /** Entries wait, in their order, until their names tell in which character set they are. */
  *#released(listed: Child): Generator<Entry> {
    const mustWait = this.#terms.coder.sample(listed.name);
    if (this.#held.length === 0 && !mustWait) {
      yield entryOf(listed, this.#terms);
      return;
    }
    this.#held.push(listed);
    if (this.#held.length >= GUESS_HELD) yield* this.#letGo();
  }

  *#letGo(): Generator<Entry> {
    this.#terms.coder.settle();
    for (const listed of this.#held.splice(0)) yield entryOf(listed, this.#terms);
  }

  #entryOfLine(line: string): Child | undefined {
    const octets = joined(line.endsWith("\r") ? line.slice(0, -1) : line);
    if (octets.length > LISTING_LINE) return this.#warn("this line is too long", octets);
    const found = this.#reader.line(octets);
    if (found === "unknown") return this.#warn("no known format of listings fits this line", octets);
    return found === "ignored" ? undefined : this.#entry(found);
  }

  /** But for the folder itself and its parent, and what must not become a file. */
  #entry(listed: ListedEntry | undefined): Child | undefined {
    if (listed === undefined) return undefined;
    const { type } = listed;
    if (type === "this" || type === "parent") return undefined;
    const reason = unsafeName(listed.name);
    return reason === undefined ? { ...listed, type } : this.#warn(`${NAME_LEFT_OUT}, for ${reason}`, listed.name);
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
