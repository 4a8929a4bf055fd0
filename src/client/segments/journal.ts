/**
 * What of a segmented download is there, in a small file beside it: after a kill the same download goes on from
 * there. It is a few lines of text that name the version of the source, so that halves of two versions never meet.
 */
import { createHash } from "node:crypto";
import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { constants } from "node:fs";
import { JOURNAL_OCTETS, JOURNAL_RANGES } from "./limits.ts";
import { type Range, RangeSet } from "./ranges.ts";

/** One version of a source. */
export type Version = {
  /** Of its first source: host, port and path, without password. */
  readonly url: string;
  readonly size: number;
  /** Undefined: nothing tells this version from another of the same size. */
  readonly modifiedMs: number | undefined;
};

/** What of a version is there. */
export type Kept = {
  /** Given to the system, which has it as long as it runs. */
  readonly written: readonly Range[];
  /** On the disk: it is there after a loss of power too. */
  readonly synced: readonly Range[];
  /** Tells one run of the system from another; undefined: nothing does. */
  readonly boot: string | undefined;
};

export type Journal = Kept & {
  /** A digest of the URL: a journal tells others nothing. */
  readonly source: string;
  readonly size: number;
  readonly modifiedMs: number | undefined;
};

const HEAD = "ferryman segments 1";
const DIGEST_DIGITS = 32;

export function sourceDigest(url: string): string {
  return createHash("sha256").update(url).digest("hex").slice(0, DIGEST_DIGITS);
}

/** Its text, at most `JOURNAL_OCTETS`. Of too many ranges the shortest are left out. */
export function formatJournal({ url, size, modifiedMs }: Version, { written, synced, boot }: Kept): string {
  const head = [
    HEAD,
    `source ${sourceDigest(url)}`,
    `size ${size}`,
    `time ${modifiedMs ?? "-"}`,
    `boot ${boot ?? "-"}`,
  ];
  return [...head, ...formatRanges(written), "synced", ...formatRanges(synced), "end", ""].join("\n");
}

function formatRanges(ranges: readonly Range[]): readonly string[] {
  const kept =
    ranges.length <= JOURNAL_RANGES
      ? ranges
      : ranges
          .toSorted((one, other) => other.end - other.start - (one.end - one.start))
          .slice(0, JOURNAL_RANGES)
          .toSorted((one, other) => one.start - other.start);
  return kept.map(({ start, end }) => `${start} ${end}`);
}

/** @returns undefined for a text that is not, or not all of, a journal: it is not believed in part. */
export function parseJournal(text: string): Journal | undefined {
  const found = FORMAT.exec(text)?.groups;
  const size = numberOf(found?.["size"]);
  if (found === undefined || size === undefined) return undefined;
  const { source = "", time, boot } = found;
  const [written, synced] = [parseRanges(found["written"], size), parseRanges(found["synced"], size)];
  if (written === undefined || synced === undefined) return undefined;
  const modifiedMs = time === "-" ? undefined : Number(time);
  return { source, size, modifiedMs, boot: boot === "-" ? undefined : boot, written, synced };
}

const FORMAT = new RegExp(
  [
    `^${HEAD}`,
    "source (?<source>[\\da-f]{32})",
    "size (?<size>\\d{1,16})",
    "time (?<time>-|-?\\d{1,16})",
    "boot (?<boot>[\\w-]{1,64})",
    "(?<written>(?:\\d{1,16} \\d{1,16}\n)*)synced",
    "(?<synced>(?:\\d{1,16} \\d{1,16}\n)*)end\n$",
  ].join("\n"),
);

/** In order and without overlaps, as they were written. */
function parseRanges(text: string | undefined, size: number): Range[] | undefined {
  const lines = text?.split("\n").slice(0, -1) ?? [];
  if (lines.length > JOURNAL_RANGES) return undefined;
  const done: Range[] = [];
  let last = 0;
  for (const line of lines) {
    const [start, end] = line.split(" ").map(numberOf);
    if (start === undefined || end === undefined || start < last || end <= start || end > size) return undefined;
    done.push({ start, end });
    last = end;
  }
  return done;
}

function numberOf(digits: string | undefined): number | undefined {
  const value = Number(digits ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** What of this version is there; undefined: the journal is of another one, or its version cannot be told. */
export function doneOf(journal: Journal | undefined, version: Version, boot: string | undefined): RangeSet | undefined {
  if (journal === undefined || version.modifiedMs === undefined) return undefined;
  const isSame =
    journal.source === sourceDigest(version.url) &&
    journal.size === version.size &&
    journal.modifiedMs === version.modifiedMs;
  if (!isSame) return undefined;
  const done = new RangeSet();
  const isSameRun = boot !== undefined && journal.boot === boot;
  for (const { start, end } of isSameRun ? journal.written : journal.synced) done.add(start, end);
  return done;
}

/** Of this run of the system; undefined where it does not say. */
export async function bootId(): Promise<string | undefined> {
  try {
    const id = (await readFile("/proc/sys/kernel/random/boot_id", "latin1")).trim();
    return /^[\w-]{1,64}$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

/** @returns undefined where there is none that can be read. */
export async function readJournal(path: string): Promise<Journal | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, O_RDONLY | O_NOFOLLOW);
    const buffer = Buffer.alloc(JOURNAL_OCTETS + 1);
    let octets = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, octets, buffer.length - octets, octets);
      octets += bytesRead;
      if (bytesRead === 0 || octets === buffer.length) break;
    }
    return octets > JOURNAL_OCTETS ? undefined : parseJournal(buffer.toString("latin1", 0, octets));
  } catch {
    return undefined;
  } finally {
    await file?.close();
  }
}

/** Where a journal is written before it takes the place of the old one. */
export function journalDraft(path: string): string {
  return `${path}.new`;
}

/**
 * In one step: whoever reads it sees the old one or the new one. Nobody waits for the disk: a journal that the loss of
 * power spoils is no journal, and the download begins anew.
 */
export async function writeJournal(path: string, text: string): Promise<void> {
  const fresh = journalDraft(path);
  await rm(fresh, { force: true });
  const file = await open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    try {
      await file.writeFile(text, "latin1");
    } finally {
      await file.close();
    }
    await rename(fresh, path);
  } catch (error) {
    // On a full disk what is half would be in the way for ever.
    await rm(fresh, { force: true });
    throw error;
  }
}
