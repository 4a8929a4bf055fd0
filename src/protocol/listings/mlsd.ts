/** A line of MLSD as an entry (RFC 3659 §7), with the facts of Unix that servers add. */
import type { ByteString } from "../../base/bytes.ts";
import { parseFactsLine, parseTimeVal } from "../facts.ts";
import { joined } from "../octets.ts";
import { type Format, type ListedEntry, listedEntry } from "./entry.ts";
import { exactNumber } from "./words.ts";

type Facts = ReadonlyMap<string, ByteString>;

export const mlsdFormat: Format = (line) => {
  const parsed = parseFactsLine(line);
  if (parsed === undefined) return undefined;
  const { facts, name } = parsed;
  const { type, target } = typeOf(facts);
  const kind = type === "this" || type === "parent" ? "directory" : type;
  const entry = listedEntry(name, kind, {
    size: exactNumber(facts.get("size") ?? ""),
    time: timeOf(facts.get("modify")),
    mode: modeOf(facts.get("unix.mode"))?.bits,
    owner: facts.get("unix.ownername") ?? facts.get("unix.owner") ?? facts.get("unix.uid"),
    group: facts.get("unix.groupname") ?? facts.get("unix.group") ?? facts.get("unix.gid"),
    target,
    unique: facts.get("unique"),
    perm: facts.get("perm"),
  });
  // The name of cdir and pdir may be a whole path (RFC 3659 §7.7.3).
  return entry && kind !== type ? { ...entry, name, type } : entry;
};

/** Facts in answer to LIST, as a few servers do: only with a type is it surely no name. */
export const factsInListFormat: Format = (line, state) =>
  /^\S{0,1000}\btype=/i.test(line) ? mlsdFormat(line, state) : undefined;

type Typed = { readonly type: ListedEntry["type"]; readonly target?: ByteString | undefined };

const TYPES: ReadonlyMap<string, ListedEntry["type"]> = new Map([
  ["file", "file"],
  ["dir", "directory"],
  ["cdir", "this"],
  ["pdir", "parent"],
]);

function typeOf(facts: Facts): Typed {
  const fact = facts.get("type");
  if (fact === undefined) return { type: kindWithoutType(facts) };
  const known = TYPES.get(fact.toLowerCase());
  if (known !== undefined) return { type: known };
  // RFC 3659 §7.5.1.5 leaves these to the system; servers write both words, some with the target.
  const link = /^os\.unix=(?:slink|symlink)(?::(.*))?$/is.exec(fact);
  if (link === null) return { type: "other" };
  const [, target = ""] = link;
  return target === "" ? { type: "link" } : { type: "link", target: joined(target) };
}

/** The client may have turned the fact off (RFC 3659 §7.9): the mode tells, or rights that only folders have (`m` is left out: pyftpdlib says `M` of files). */
function kindWithoutType(facts: Facts): "file" | "directory" {
  const isFolder = modeOf(facts.get("unix.mode"))?.isFolder === true || /[celp]/i.test(facts.get("perm") ?? "");
  return isFolder ? "directory" : "file";
}

/** `unix.mode`: octal, with the type's bits or without; pyftpdlib writes 0o before it. */
export function modeOf(
  fact: ByteString | undefined,
): { readonly bits: number; readonly isFolder: boolean } | undefined {
  const digits = /^(?:0o)?([0-7]{1,7})$/.exec(fact ?? "")?.[1];
  if (digits === undefined) return undefined;
  const mode = Number.parseInt(digits, 8);
  return { bits: mode & 0o7777, isFolder: mode >> 12 === 4 };
}

function timeOf(fact: ByteString | undefined): ListedEntry["time"] {
  const ms = fact === undefined ? undefined : parseTimeVal(fact);
  return ms === undefined ? undefined : { ms, precision: "second", zone: "utc" };
}
