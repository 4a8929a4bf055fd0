/** IBM's smaller systems: OS/400 (IBM i), z/VM with CMS. */
import { joined } from "../octets.ts";
import { shortTime } from "./dates.ts";
import { type Format, listedEntry } from "./entry.ts";
import { exactNumber, isNumber, safe, textAt, wordsOf } from "./words.ts";

/** Types of objects that hold others. A *FILE is had as a file; its members follow as lines of their own. */
const FOLDERS: ReadonlySet<string> = new Set(["*DIR", "*DDIR", "*FLR", "*LIB"]);

/** Their sizes are octets of the file itself; those of other objects count what the system keeps with it. */
const STREAMS: ReadonlySet<string> = new Set(["*STMF", "*DSTMF"]);

/** `OWNER      77824 01/31/24 12:34:56 *DIR       name/`; members have neither size nor date: `OWNER  *MEM  FILE.MEMBER`. */
export const os400Format: Format = (line, state) => {
  const words = wordsOf(line, { most: 5 });
  const at = words.findIndex(({ text }) => /^\*[A-Z]{1,10}$/.test(text));
  const type = words[at];
  if (type === undefined || (at !== 1 && at !== 4)) return undefined;
  const size = at === 4 ? textAt(words, 1) : "";
  const time = at === 4 ? shortTime(textAt(words, 2), textAt(words, 3), state) : undefined;
  if (at === 4 && (!isNumber(size) || time === undefined)) return undefined;
  const name = line.slice(type.end).trimStart();
  const isFolder = FOLDERS.has(type.text) || name.endsWith("/");
  const owner = joined(textAt(words, 0));
  const octets = exactNumber(size);
  const sizes = STREAMS.has(type.text) ? { size: octets } : { roughSize: octets };
  return listedEntry(name, isFolder ? "directory" : "file", { ...sizes, time, owner });
};

/**
 * `NAME     TYPE     V         72          1          1 2024-01-31 12:34:56 OWNER`: format, length of a record, records,
 * blocks. Only records of a fixed length tell the size.
 */
export const vmFormat: Format = (line, state) => {
  const words = wordsOf(line, { most: 10 });
  if (words.length < 8 || words.length > 9) return undefined;
  const [name = "", type = "", format = "", ...numbers] = words.slice(0, 6).map(({ text }) => text);
  if (!/^(?:[FV]|DIR|-)$/.test(format) && type !== "DIR") return undefined;
  if (!numbers.every((text) => text === "-" || isNumber(text))) return undefined;
  const time = shortTime(textAt(words, 6), textAt(words, 7), state);
  if (time === undefined) return undefined;
  const owner = textAt(words, 8);
  const facts = { time, owner: owner === "" || owner === "-" ? undefined : joined(owner) };
  if (type === "DIR" || format === "DIR") return listedEntry(name, "directory", facts);
  const size = format === "F" ? safe(Number(numbers[0]) * Number(numbers[1])) : undefined;
  return listedEntry(`${name}.${type}`, "file", { ...facts, size });
};
