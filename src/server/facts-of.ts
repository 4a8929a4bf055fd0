/** The facts of an entry as this account sees it: MLST and MLSD (RFC 3659 §7). */
import type { ByteString } from "../base/bytes.ts";
import type { Right, Rights } from "../account/account.ts";
import { type FactSource, formatFacts } from "../protocol/facts.ts";
import type { VirtualPath } from "../protocol/path.ts";
import type { Entry } from "../workspace/files.ts";
import type { SignedIn } from "./session.ts";

/** Letters of the perm fact and the right that each needs (RFC 3659 §7.5.5). */
const FILE_PERMS: readonly (readonly [string, Right])[] = [
  ["a", "append"],
  ["d", "delete"],
  ["f", "rename"],
  ["r", "read"],
  ["w", "overwrite"],
];
const FOLDER_PERMS: readonly (readonly [string, Right])[] = [
  ["c", "write"],
  ["d", "delete"],
  ["e", "list"],
  ["f", "rename"],
  ["l", "list"],
  ["m", "mkdir"],
  ["p", "delete"],
];

type Shown = { readonly path: VirtualPath; readonly entry: Entry; readonly as?: "cdir" | "pdir" };

/** @returns `type=file;size=5;` … without name, for `path` that is `entry`. */
export function factsOf({ workspace, facts }: SignedIn, { path, entry, as }: Shown): ByteString {
  const source: FactSource = { ...entry, kind: as ?? entry.kind, perm: permsOf(entry, workspace.rightsAt(path)) };
  return formatFacts(source, facts);
}

function permsOf(entry: Entry, rights: Rights): string {
  let perms = "";
  for (const [letter, right] of entry.kind === "directory" ? FOLDER_PERMS : FILE_PERMS) {
    if (rights.has(right)) perms += letter;
  }
  return perms;
}
