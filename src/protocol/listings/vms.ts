/**
 * OpenVMS: `NAME.EXT;1   12/15   31-JAN-2024 12:34:56  [GROUP,OWNER]  (RWED,RWED,RE,)`, in two lines when the name is
 * long. Sizes are blocks of 512 octets, so that they tell no more than about how long a file is.
 */
import { joined } from "../octets.ts";
import { clockOf, serverTime, shortDate } from "./dates.ts";
import { type Format, type ListedEntry, type ListingState, type VmsEntry, listedEntry } from "./entry.ts";
import { safe, textAt, wordsOf } from "./words.ts";

const BLOCK = 512;
/** Up to the version, which ends in a space or the line. */
const VERSIONED = /^(\S.*?);(\d{1,5})(?= |\t|$)/s;
/** Octets of a heading or a sum: the longest folder of OpenVMS is 255. */
const AROUND_MOST = 512;
const AROUND = /^(?:Directory \S+[:\]]\S*|(?:Grand )?[Tt]otal of \d+ (?:files?|director(?:y|ies)).*)$/s;

type Facts = Omit<ListedEntry, "name" | "type">;

export const vmsFormat: Format = (line, state) => {
  const { awaited } = state;
  const [versioned] = VERSIONED.exec(line) ?? [];
  if (versioned === undefined) {
    const facts = awaited !== undefined && awaited.facts === undefined ? factsOf(line) : undefined;
    if (awaited !== undefined && facts !== undefined) {
      state.awaited = undefined;
      return named({ ...awaited, facts }, state);
    }
    return line.length <= AROUND_MOST && AROUND.test(line) ? "ignored" : undefined;
  }
  const rest = line.slice(versioned.length);
  const isAlone = rest.trim() === "";
  // A server that may not tell the facts of a file says so in their place: the file is there all the same.
  const facts = /^\s+%[A-Z]/.test(rest) ? {} : factsOf(rest);
  if (facts === undefined && !isAlone) return undefined;
  const entry = { versioned, facts };
  if (awaited === undefined && !isAlone) return named(entry, state);
  // A name that waited was alone on its line: from here on each line gives the entry before.
  state.awaited = entry;
  return awaited === undefined ? "ignored" : named(awaited, state);
};

/** What still waits when the listing ends. */
export function vmsRest(state: ListingState): ListedEntry | undefined {
  const { awaited } = state;
  state.awaited = undefined;
  return awaited && named(awaited, state);
}

/** Folders lose `.DIR;1`. Of a file's versions the newest comes first and is had without a number: it loses it too. */
function named({ versioned, facts }: VmsEntry, state: ListingState): ListedEntry | undefined {
  const [plain = ""] = versioned.split(/;\d+$/);
  const folder = /^(.*)\.DIR$/is.exec(plain)?.[1];
  if (folder !== undefined) return listedEntry(folder, "directory", facts);
  const isOlder = state.unversioned === plain;
  state.unversioned = plain;
  return listedEntry(isOlder ? versioned : plain, "file", facts);
}

/** @returns undefined unless there is a size or a date. */
function factsOf(text: string): Facts | undefined {
  const words = wordsOf(text, { most: 8 });
  const first = textAt(words, 0);
  const used = /^(\d{1,12})(KB|MB)?(?:\/\d{1,12}(?:KB|MB)?)?$/i.exec(first);
  const dateAt = used === null && first !== "-" ? 0 : 1;
  const day = shortDate(textAt(words, dateAt), { isDayFirst: true });
  if (day === undefined && (used === null || words.length > 1)) return undefined;
  return {
    roughSize: used === null ? undefined : octets(used[1], used[2]),
    time: day && serverTime(day, clockOf(textAt(words, dateAt + 1))),
    ...ownersOf(text),
  };
}

/** `[GROUP,OWNER]`, `[OWNER]`. */
function ownersOf(text: string): Pick<Facts, "owner" | "group"> {
  const owner = /\[([^\]]{1,80})\]/.exec(text)?.[1]?.replaceAll(" ", "");
  if (owner === undefined) return {};
  const comma = owner.lastIndexOf(",");
  if (comma === -1) return { owner: joined(owner) };
  return { owner: joined(owner.slice(comma + 1)), group: joined(owner.slice(0, comma)) };
}

function octets(count = "", unit = ""): number | undefined {
  const each = { kb: 1024, mb: 1_048_576 }[unit.toLowerCase()] ?? BLOCK;
  return safe(Number(count) * each);
}
