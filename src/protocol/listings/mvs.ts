/**
 * z/OS (MVS): data sets below a heading, the members of a partitioned one, and jobs. Sizes are tracks or records there, never
 * octets, and left out; those of load modules are octets of the program, not of what is sent.
 */
import { joined } from "../octets.ts";
import { clockOf, serverTime, shortDate } from "./dates.ts";
import { type Format, type ListedEntry, type ListingState, listedEntry } from "./entry.ts";
import { type Word, textAt, wordsOf } from "./words.ts";

const DATASETS = /^ *Volume +Unit\b/;
const MEMBERS = /^ *Name +VV\.MM\b/;
const MODULES = /^ *Name +Size +TTR\b/;
const JOBS = /^ *JOBNAME +JOBID\b/;

/** Up to 44 characters in parts of up to 8, mostly; some servers put the whole name between quotes. */
const NAME = /^'?[A-Z0-9$#@][A-Z0-9$#@.\-_{}]{0,60}(?:\([A-Z0-9$#@+-]{1,8}\))?'?$/i;
const MEMBER = /^[A-Z$#@][A-Z0-9$#@{]{0,7}$/i;
/** What stands in place of columns, and what it says of the name behind it. */
const SPECIAL =
  /^(?:Migrated|MIGRAT\d?|ARCIVE|\S{1,6}) +(?:Not Direct Access Device|Not Mounted|Error determining attributes|Tape|Offline) |^(?:Migrated|MIGRAT\d?|User catalog connector|Pseudo Directory|Error determining attributes|GDG|VSAM|Not Mounted|Archived) /;

export const mvsFormat: Format = (line, state) => {
  const heading = headingOf(line);
  if (heading !== undefined) {
    state.heading = heading;
    return "ignored";
  }
  const words = wordsOf(line, { most: 12 });
  // After twelve words there is no name of a data set, and no column of a member.
  if (words.length === 0 || words.length === 12) return undefined;
  return datasetOf(line, words, state) ?? moduleOf(words) ?? memberOf(words, state) ?? jobOf(words, state);
};

function headingOf(line: string): ListingState["heading"] {
  if (DATASETS.test(line)) return "datasets";
  if (MEMBERS.test(line)) return "members";
  if (MODULES.test(line)) return "modules";
  return JOBS.test(line) ? "jobs" : undefined;
}

function datasetOf(line: string, words: readonly Word[], state: ListingState): ListedEntry | undefined {
  const last = textAt(words, words.length - 1);
  if (!NAME.test(last)) return undefined;
  const name = last.replaceAll("'", "");
  const special = SPECIAL.exec(line.trimStart().slice(0, 128));
  if (special !== null && words.length < 8) {
    return listedEntry(name, line.includes("Pseudo Directory") ? "directory" : "file");
  }
  return columnsOf(name, words, state);
}

/** `VOLUME 3390   2024/01/31  1   15  FB      80  6160  PO  NAME`; columns run into each other where numbers are large. */
function columnsOf(name: string, words: readonly Word[], state: ListingState): ListedEntry | undefined {
  const [volume, unit, referred] = [textAt(words, 0), textAt(words, 1), textAt(words, 2)];
  if (!/^\S{1,6}$/.test(volume) || !/^(?:[0-9A-F]{4}|\?{4})$/.test(unit)) return undefined;
  const organisation = textAt(words, words.length - 2);
  if (!/^(?:PS|PO|DA|IS|VS|PATH|HFS|ZFS|GDG|VSAM|NONE|\?+)(?:-[A-Z])?$/.test(organisation)) return undefined;
  const day = /^\d{4}\//.test(referred) ? shortDate(referred, state) : undefined;
  if (day === undefined && referred !== "**NONE**" && organisation !== "VSAM") return undefined;
  return listedEntry(name, organisation.startsWith("PO") ? "directory" : "file", { time: day && serverTime(day) });
}

/** `MEMBER   0001A0   00010C ALIASOF  00 FO             RN RU            31    ANY`. */
function moduleOf(words: readonly Word[]): ListedEntry | undefined {
  const [name, size, track] = [textAt(words, 0), textAt(words, 1), textAt(words, 2)];
  if (!MEMBER.test(name) || !/^[0-9A-F]{6,8}$/.test(size) || !/^[0-9A-F]{6}$/.test(track)) return undefined;
  return listedEntry(name, "file", { roughSize: Number.parseInt(size, 16) });
}

/** `MEMBER    01.03 2024/01/30 2024/01/31 12:34    15    10     2 OWNER`, or the name alone. */
function memberOf(words: readonly Word[], state: ListingState): ListedEntry | undefined {
  const name = textAt(words, 0);
  if (!MEMBER.test(name)) return undefined;
  if (words.length === 1) return state.heading === "members" ? listedEntry(name, "file") : undefined;
  if (!/^\d\d\.\d\d$/.test(textAt(words, 1))) return undefined;
  const day = shortDate(textAt(words, 3), state);
  const clock = clockOf(textAt(words, 4));
  return day && clock && listedEntry(name, "file", { time: serverTime(day, clock) });
}

/** `NAME     JOB00123 OWNER    OUTPUT A        RC=0000 4 spool files`: what a job printed is had by its number. */
function jobOf(words: readonly Word[], { heading }: ListingState): ListedEntry | undefined {
  const job = textAt(words, 1);
  if (heading !== "jobs" || !/^(?:JOB|TSU|STC|[JTS])\d{4,8}$/.test(job)) return undefined;
  return listedEntry(job, "file", { owner: joined(textAt(words, 2)) });
}
