/** Facts of MLST and MLSD, and the times of MDTM and MFMT: RFC 3659 §2.3, §7; UNIX facts as proftpd and others name them. */
import { type ByteString, bytesOfText } from "../base/bytes.ts";
import { calendarTime, twoDigits } from "./calendar.ts";
import { joined } from "./octets.ts";

/** `hhmm` of each minute of a day, worked out when it is first met. */
const clocks: string[] = [];

/**
 * A time as `YYYYMMDDHHMMSS` in UTC (RFC 3659 §2.3).
 * @param ms since 1970 UTC; outside of the years 1 to 9999 the nearest time within.
 * @param options.fraction appends the milliseconds, `.250`.
 */
export function formatTimeVal(ms: number, options?: { readonly fraction?: boolean }): string {
  const { date, hours, minutes, seconds, milliseconds } = calendarTime(ms);
  const minute = (clocks[hours * 60 + minutes] ??= twoDigits(hours) + twoDigits(minutes));
  const whole = `${date.compact}${minute}${twoDigits(seconds)}`;
  return options?.fraction === true ? `${whole}.${`${milliseconds}`.padStart(3, "0")}` : whole;
}

/**
 * @returns milliseconds since 1970 UTC, a fraction cut off after three digits, second 60 being the next minute's first;
 *   undefined for anything that is no date of the years 1 to 9999.
 */
export function parseTimeVal(text: string): number | undefined {
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d+))?$/.exec(text);
  if (found === null) return undefined;
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = found.slice(1, 7).map(Number);
  if (year < 1 || hours > 23 || minutes > 59 || seconds > 60) return undefined;
  // Date.UTC takes years below 100 for those of the last century.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const milliseconds = Number((found[7] ?? "").slice(0, 3).padEnd(3, "0"));
  return date.getTime() + ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds;
}

/** The facts that we tell, in the order in which we tell them. */
export const FACTS = ["type", "size", "modify", "perm", "unique", "UNIX.mode", "UNIX.owner", "UNIX.group"] as const;
export type FactName = (typeof FACTS)[number];

/** What facts are made of: an `Entry` of a storage, with what only the caller knows. */
export type FactSource = {
  /** cdir and pdir: the folder that is listed, and its parent (RFC 3659 §7.5.1). */
  readonly kind: "file" | "directory" | "link" | "other" | "cdir" | "pdir";
  /** Octets. */
  readonly size: number | bigint;
  /** Milliseconds since 1970 UTC. */
  readonly modified: number;
  readonly mode: number;
  /** Text; sent in UTF-8. */
  readonly owner: string;
  readonly group: string;
  readonly unique: string;
  /** Letters of RFC 3659 §7.5.5; without it the fact is left out. */
  readonly perm?: string;
};

/** Values of the fact `type`. */
export const TYPES = {
  file: "file",
  directory: "dir",
  cdir: "cdir",
  pdir: "pdir",
  // RFC 3659 §7.5.1.5 leaves these to the system; clients know this one.
  link: "OS.unix=symlink",
  other: "OS.unix=special",
} as const satisfies Record<FactSource["kind"], string>;

/** Writes the facts of one entry after another; what neighbours mostly share is written once. */
export type FactsWriter = (entry: FactSource) => ByteString;

/** @returns writes them without the space and the name that follow them: `type=file;size=5;modify=20240131123456;`. */
export function factsWriter(chosen: ReadonlySet<FactName>): FactsWriter {
  const has = { type: chosen.has("type"), size: chosen.has("size"), modify: chosen.has("modify") };
  const withPerm = chosen.has("perm");
  const withUnique = chosen.has("unique");
  let last: FactSource | undefined;
  let unixFacts = "";
  return (entry) => {
    const { kind, perm } = entry;
    if (last === undefined || last.mode !== entry.mode || last.owner !== entry.owner || last.group !== entry.group) {
      unixFacts = unixFactsOf(entry, chosen);
    }
    last = entry;
    let facts = has.type ? `type=${TYPES[kind]};` : "";
    if (has.size && kind === "file") facts += `size=${entry.size};`;
    if (has.modify) facts += `modify=${formatTimeVal(entry.modified)};`;
    if (withPerm && perm !== undefined) facts += `perm=${perm};`;
    if (withUnique) facts += `unique=${factText(entry.unique)};`;
    return joined(facts + unixFacts);
  };
}

/** As `factsWriter`, for one entry. */
export function formatFacts(entry: FactSource, chosen: ReadonlySet<FactName>): ByteString {
  return factsWriter(chosen)(entry);
}

/** The UNIX facts, which stand last. */
export function unixFactsOf(
  { mode, owner, group }: Pick<FactSource, "mode" | "owner" | "group">,
  chosen: ReadonlySet<FactName>,
): string {
  let facts = "";
  if (chosen.has("UNIX.mode")) facts += `UNIX.mode=${(mode & 0o7777).toString(8).padStart(4, "0")};`;
  if (chosen.has("UNIX.owner")) facts += `UNIX.owner=${factText(owner)};`;
  if (chosen.has("UNIX.group")) facts += `UNIX.group=${factText(group)};`;
  return facts;
}

/** A text that cannot end its fact or its line: `;`, spaces and control characters become `_`. */
function factText(text: string): string {
  if (/^[!-:<-~]*$/.test(text)) return text;
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  return bytesOfText(text).replace(/[\0- ;\x7f]/g, "_");
}

/**
 * A line of MLSD, or of MLST without the space before it, as any server writes it (RFC 3659 §7.2).
 * @returns facts by name in lower case, values as they stand; undefined for a line that is none.
 */
export function parseFactsLine(
  line: ByteString,
): { readonly facts: ReadonlyMap<string, ByteString>; readonly name: ByteString } | undefined {
  const space = line.indexOf(" ");
  if (space === -1 || space === line.length - 1) return undefined;
  const facts = new Map<string, ByteString>();
  const parts = line.slice(0, space).split(";");
  // Each fact ends in `;`; some servers leave out the last one.
  if (parts.at(-1) === "") parts.pop();
  for (const part of parts) {
    const equals = part.indexOf("=");
    if (equals < 1) return undefined;
    facts.set(part.slice(0, equals).toLowerCase(), joined(part.slice(equals + 1)));
  }
  return { facts, name: joined(line.slice(space + 1)) };
}

/** The line of FEAT (RFC 3659 §7.8): `MLST type*;size*;perm;`, a star for each fact that is sent now. */
export function formatMlstFeature(chosen: ReadonlySet<FactName>): string {
  return `MLST ${FACTS.map((name) => `${name}${chosen.has(name) ? "*" : ""};`).join("")}`;
}

/** The facts of the reply to OPTS MLST (RFC 3659 §7.9.1): `type;size;`. */
export function formatFactNames(chosen: ReadonlySet<FactName>): string {
  return FACTS.filter((name) => chosen.has(name))
    .map((name) => `${name};`)
    .join("");
}

/**
 * @param argument of OPTS MLST after `MLST `: `type;size;`, "" for no facts at all (RFC 3659 §7.9).
 * @returns those that we know, whatever their case; undefined if there is more in it than names.
 */
export function parseFactNames(argument: string): ReadonlySet<FactName> | undefined {
  if (!/^[!-<>-~]*$/.test(argument)) return undefined;
  const asked = new Set(argument.toLowerCase().split(";"));
  return new Set(FACTS.filter((name) => asked.has(name.toLowerCase())));
}
