/** One line per transfer of a file in the form of wu-ftpd's xferlog(5), which log readers have known since 1993. */
import { type ByteString, textOf } from "../../base/bytes.ts";
import { twoDigits } from "../../protocol/calendar.ts";
import { isUtf8 } from "../../protocol/octets.ts";
import type { FerrymanEvent } from "../events.ts";
import { withoutSpaces } from "./escape.ts";

/** Where the form has a space between fields, a space and all that is not to be seen is `_` in a field. */
export type XferlogRecord = {
  /** When it ended, as ctime(3) writes the host's local time: `Sun Nov 21 08:00:00 2026`. */
  readonly time: string;
  /** Whole seconds, at least 1. */
  readonly seconds: number;
  readonly host: string;
  /** Octets moved. */
  readonly octets: number;
  readonly file: string;
  readonly type: "ascii" | "image";
  readonly direction: "download" | "upload";
  readonly anonymous: boolean;
  readonly user: string;
  readonly complete: boolean;
};

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** @returns undefined for all but the transfer of a file: listings have no line there. */
export function xferlogLine(event: FerrymanEvent): string | undefined {
  if (event.type !== "transfer" || event.direction === "listing") return undefined;
  return [
    ctime(new Date(event.at)),
    Math.max(1, Math.round(event.milliseconds / 1000)),
    field(event.peer.address),
    event.octets,
    field(fileText(event.path)),
    event.representation === "ascii" ? "a" : "b",
    // Special action: not compressed, not tarred.
    "_",
    event.direction === "download" ? "o" : "i",
    event.anonymous ? "a" : "r",
    field(event.account ?? ""),
    "ftp",
    // No RFC 1413 lookup, so no user from it.
    "0 *",
    event.outcome === "complete" ? "c" : "i",
  ].join(" ");
}

/** @returns undefined for a line that is none. A file name with spaces, as other servers write it, is read whole. */
export function parseXferlogLine(line: string): XferlogRecord | undefined {
  const found =
    /^(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}) (\d+) (\S+) (\d+) (.+) ([ab]) \S+ ([oi]) ([agr]) (\S+) \S+ [01] \S+ ([ci])$/u.exec(
      line,
    );
  if (found === null) return undefined;
  const [, time = "", seconds, host = "", octets, file = "", type, direction, access, user = "", completion] = found;
  return {
    time,
    seconds: Number(seconds),
    host,
    octets: Number(octets),
    file,
    type: type === "a" ? "ascii" : "image",
    direction: direction === "o" ? "download" : "upload",
    anonymous: access === "a",
    user,
    complete: completion === "c",
  };
}

/** ctime(3) without its line end, in local time; the day of the month is padded by a space. */
function ctime(date: Date): string {
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
  const day = `${date.getDate()}`.padStart(2);
  return `${DAYS[date.getDay()]} ${MONTHS[date.getMonth()]} ${day} ${clock} ${date.getFullYear()}`;
}

/** A field is never empty, or those after it would move up. */
function field(text: string): string {
  return withoutSpaces(text) || "?";
}

/** UTF-8 as it stands; octets that are none become `_`. */
function fileText(path: ByteString): string {
  return isUtf8(path) ? textOf(path) : path.replace(/[\u0080-\u00ff]/g, "_");
}
