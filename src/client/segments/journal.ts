/**
 * What of a segmented download is on the disk, in a small file beside it: after a kill the same download goes on from
 * there. It is a few lines of text that name the version of the source, so that halves of two versions never meet.
 */
import { createHash } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
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

export type Journal = {
  /** A digest of the URL: a journal tells others nothing. */
  readonly source: string;
  readonly size: number;
  readonly modifiedMs: number | undefined;
  readonly done: readonly Range[];
};

const HEAD = "ferryman segments 1";
const DIGEST_DIGITS = 32;

export function sourceDigest(url: string): string {
  return createHash("sha256").update(url).digest("hex").slice(0, DIGEST_DIGITS);
}

/** Its text, at most `JOURNAL_OCTETS`. Of too many ranges the shortest are left out. */
export function formatJournal({ url, size, modifiedMs }: Version, done: readonly Range[]): string {
  const kept =
    done.length <= JOURNAL_RANGES
      ? done
      : done
          .toSorted((one, other) => other.end - other.start - (one.end - one.start))
          .slice(0, JOURNAL_RANGES)
          .toSorted((one, other) => one.start - other.start);
  const lines = kept.map(({ start, end }) => `${start} ${end}`);
  return [HEAD, `source ${sourceDigest(url)}`, `size ${size}`, `time ${modifiedMs ?? "-"}`, ...lines, "end", ""].join(
    "\n",
  );
}

/** @returns undefined for a text that is not, or not all of, a journal: it is not believed in part. */
export function parseJournal(text: string): Journal | undefined {
  const [head, source, size, time, ...rest] = text.split("\n");
  if (head !== HEAD || rest.at(-1) !== "" || rest.at(-2) !== "end") return undefined;
  const digest = /^source ([\da-f]{32})$/.exec(source ?? "")?.[1];
  const octets = numberOf(/^size (\d{1,16})$/.exec(size ?? "")?.[1]);
  const stamp = /^time (-|-?\d{1,16})$/.exec(time ?? "")?.[1];
  if (digest === undefined || octets === undefined || stamp === undefined) return undefined;
  const done = parseRanges(rest.slice(0, -2), octets);
  if (done === undefined) return undefined;
  return { source: digest, size: octets, modifiedMs: stamp === "-" ? undefined : Number(stamp), done };
}

/** In order and without overlaps, as they were written. */
function parseRanges(lines: readonly string[], size: number): Range[] | undefined {
  if (lines.length > JOURNAL_RANGES) return undefined;
  const done: Range[] = [];
  let last = 0;
  for (const line of lines) {
    const [, from, to] = /^(\d{1,16}) (\d{1,16})$/.exec(line) ?? [];
    const [start, end] = [numberOf(from), numberOf(to)];
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
export function doneOf(journal: Journal | undefined, version: Version): RangeSet | undefined {
  if (journal === undefined || version.modifiedMs === undefined) return undefined;
  const isSame =
    journal.source === sourceDigest(version.url) &&
    journal.size === version.size &&
    journal.modifiedMs === version.modifiedMs;
  if (!isSame) return undefined;
  const done = new RangeSet();
  for (const { start, end } of journal.done) done.add(start, end);
  return done;
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

/** In one step: whoever reads it sees the old one or the new one. */
export async function writeJournal(path: string, text: string): Promise<void> {
  const fresh = journalDraft(path);
  await rm(fresh, { force: true });
  const file = await open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await file.writeFile(text, "latin1");
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}
