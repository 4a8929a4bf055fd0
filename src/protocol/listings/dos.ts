/** `dir` of DOS and Windows, as IIS and its relatives write it: date, time, a mark or a size, a name. */
import { joined } from "../octets.ts";
import { clockOf, serverTime, shortDate } from "./dates.ts";
import { type Format, type ListedEntry, listedEntry } from "./entry.ts";
import { type Word, exactNumber, textAt, wordsOf } from "./words.ts";

/** The column of the marks, with the one space after it, in octets: a name behind it may begin with spaces. */
const MARK_WIDTH = 15;
/** What `dir` writes around its lines. */
const AROUND = /^ *(?:Volume in drive |Volume Serial Number |Directory of |\d+ File\(s\) |\d+ Dir\(s\) )/;
const PARTED = /^\d{1,3}(?:[.,'\xa0\xff\xe2\x80\xaf\xc2]{1,3}\d{3}){1,6}$/;

export const dosFormat: Format = (line, state) => {
  const words = wordsOf(line, { most: 5 });
  const day = shortDate(textAt(words, 0), state);
  if (day === undefined) return AROUND.test(line) ? "ignored" : undefined;
  const half = /^([ap])\.?m\.?$/i.exec(textAt(words, 2))?.[1];
  const clock = clockOf(textAt(words, 1), half);
  const mark = words[half === undefined ? 2 : 3];
  if (clock === undefined || mark === undefined) return undefined;
  const time = serverTime(day, clock);
  if (mark.text.startsWith("<")) return marked(line, mark, time);
  const digits = PARTED.test(mark.text) ? mark.text.replace(/\D/g, "") : mark.text;
  if (!/^\d{1,40}$/.test(digits)) return undefined;
  return listedEntry(line.slice(mark.end + 1), "file", { size: exactNumber(digits), time });
};

/** `<DIR>          name`, `<JUNCTION>     name [target]`. */
function marked(line: string, { text, start, end }: Word, time: ListedEntry["time"]): ListedEntry | undefined {
  if (!/^<[A-Za-z]{3,8}>$/.test(text)) return undefined;
  const behind = line.slice(start + MARK_WIDTH);
  const isColumn = /^ *$/.test(line.slice(end, start + MARK_WIDTH));
  const name = isColumn ? behind : line.slice(end).trimStart();
  if (!/^<(?:JUNCTION|SYMLINKD?)>$/i.test(text)) return listedEntry(name, "directory", { time });
  const bracket = name.endsWith("]") ? name.indexOf(" [") : -1;
  if (bracket < 1) return listedEntry(name, "link", { time });
  return listedEntry(name.slice(0, bracket), "link", { time, target: joined(name.slice(bracket + 2, -1)) });
}
