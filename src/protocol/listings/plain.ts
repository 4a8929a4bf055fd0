/** Formats of a few plain columns: OS/2, VxWorks, VShell, Chameleon and SuperTCP, wfFTP, NonStop, OS-9. */
import { joined } from "../octets.ts";
import { type FoundDate, clockOf, shortTime, unixDate } from "./dates.ts";
import { type Format, type ListedTime, type ListingState, listedEntry } from "./entry.ts";
import { type Word, exactNumber, isNumber, textAt, wordsOf } from "./words.ts";

/** Headings of VxWorks, NonStop and OS-9, and the lines below them. */
const HEADING =
  /^ {0,8}(?:size {2,40}date {2,40}time {2,40}name|(?:File +)?Code +EOF +Last Modif\S{0,8} .{0,40}|Owner +Last modified +.{0,60}|Directory of \. .{0,20}|-{2,}(?: +-{2,}){2,6} *)$/;
/** Octets of the longest such line. */
const HEADING_MOST = 128;

/**
 * Size first. OS/2: `0  DIR  01-31-24  12:34  name`, with letters of attributes before the date or without. VxWorks:
 * `2048  Jan-31-2024  12:34:56  name  <DIR>`. VShell: `1234  Jan 31, 2024 12:34 name`, folders with `/`.
 */
export const sizeFirstFormat: Format = (line, state) => {
  if (line.length <= HEADING_MOST && HEADING.test(line)) return "ignored";
  const words = wordsOf(line, { most: 10 });
  const size = textAt(words, 0);
  if (!isNumber(size)) return undefined;
  let at = 1;
  while (at < 6 && /^(?:DIR|[ARHSD]{1,4})$/.test(textAt(words, at))) at++;
  const isFolder = words.slice(1, at).some(({ text }) => text === "DIR");
  const date = plainDate(words, at, state);
  const last = words[(date?.next ?? 0) - 1];
  if (date === undefined || last === undefined) return undefined;
  const text = line.slice(last.end).trimStart();
  const name = text.replace(/ {1,40}<DIR> {0,40}$/, "");
  const isDirectory = isFolder || name !== text || name.endsWith("/");
  return listedEntry(name, isDirectory ? "directory" : "file", { size: exactNumber(size), time: date.time });
};

/** A date with its time of day: `01-31-24 12:34`, `Jan-31-2024 12:34:56`, `Jan 31, 2024 12:34`, `Jan 31 2024 12:34`. */
function plainDate(words: readonly Word[], at: number, state: ListingState): FoundDate | undefined {
  const time = shortTime(textAt(words, at), textAt(words, at + 1), state);
  if (time !== undefined) return { time, next: at + 2, gap: 0 };
  const date = unixDate(words, at, state.now);
  if (date === undefined || date.time?.precision !== "day") return date;
  const clock = clockOf(textAt(words, date.next));
  if (clock === undefined) return undefined;
  return {
    time: { ...date.time, ms: date.time.ms + clock.ms, precision: clock.precision },
    next: date.next + 1,
    gap: 0,
  };
}

/**
 * Name first. Chameleon: `NAME.TXT   1234   Jan 31 2024 12:34`; SuperTCP: `NAME   <DIR>   01-31-24   12:34`; wfFTP has a
 * word with a dot before the time. Nothing may follow.
 */
export const nameFirstFormat: Format = (line, state) => {
  const words = wordsOf(line, { most: 8 });
  const [name, size] = [textAt(words, 0), textAt(words, 1)];
  if (size !== "<DIR>" && !isNumber(size)) return undefined;
  const isDotted = words.length === 5 && /^\S{1,8}\.$/.test(textAt(words, 3));
  const dated = isDotted ? words.filter((_, index) => index !== 3) : words;
  const date = plainDate(dated, 2, state);
  if (date === undefined || date.next !== dated.length) return undefined;
  const facts = { size: exactNumber(size), time: date.time };
  return listedEntry(name, size === "<DIR>" ? "directory" : "file", facts);
};

/** NonStop (Guardian): `NAME   101   528   6-Apr-07 14:21:18 255, 0 "oooo"`: code, octets, date, owner, rights. */
export const nonStopFormat: Format = (line, state) => {
  const words = wordsOf(line, { most: 9 });
  const isOpen = textAt(words, 1) === "O" ? 1 : 0;
  const [code, size] = [textAt(words, 1 + isOpen), textAt(words, 2 + isOpen)];
  const time = shortTime(textAt(words, 3 + isOpen), textAt(words, 4 + isOpen), state);
  const rest = words.slice(5 + isOpen).map(({ text }) => text);
  const [, group = "", owner] = /^(\d{1,3}), ?(\d{1,3}) "\S{4}"$/.exec(rest.join(" ")) ?? [];
  if (!/^\d{1,5}[A-Z]?$/.test(code) || !isNumber(size) || time === undefined || owner === undefined) return undefined;
  return listedEntry(textAt(words, 0), "file", {
    size: exactNumber(size),
    time,
    owner: joined(owner),
    group: joined(group),
  });
};

/** OS-9: `20.20 07/03/29 1026 d-ewrewr 2650 85920 name`: group and owner, date, time, rights, sector in hexadecimal, size. */
export const os9Format: Format = (line) => {
  const words = wordsOf(line, { most: 6 });
  const [owner, date, time, rights, sector, size] = words;
  if (owner === undefined || date === undefined || time === undefined || rights === undefined) return undefined;
  if (sector === undefined || size === undefined || !isNumber(size.text)) return undefined;
  const numbers = /^(\d{1,5})\.(\d{1,5})$/.exec(owner.text);
  if (numbers === null || !/^[0-9A-F]{1,8}$/i.test(sector.text)) return undefined;
  if (!/^[d-][s-](?:[e-][w-][r-]){2}$/.test(rights.text)) return undefined;
  const [, group = "", user = ""] = numbers;
  return listedEntry(line.slice(size.end).trimStart(), rights.text.startsWith("d") ? "directory" : "file", {
    size: exactNumber(size.text),
    time: os9Time(date.text, time.text),
    owner: joined(user),
    group: joined(group),
  });
};

/** The year comes first, in two digits: `shortDate` would take it for a day. */
function os9Time(date: string, time: string): ListedTime | undefined {
  const [, year, monthAndDay] = /^(\d\d)\/(\d\d\/\d\d)$/.exec(date) ?? [];
  const [, hours, minutes] = /^(\d\d)(\d\d)$/.exec(time) ?? [];
  return shortTime(`${monthAndDay}/${year}`, `${hours}:${minutes}`, { isDayFirst: false });
}
