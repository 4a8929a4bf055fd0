/** The facts of an entry as this account sees it: MLST and MLSD (RFC 3659 §7). */
import type { ByteString } from "../base/bytes.ts";
import type { Right, Rights } from "../account/account.ts";
import type { SharedPerms } from "../protocol/facts-octets.ts";
import { factsWriter, formatFacts } from "../protocol/facts.ts";
import { type VirtualPath, childPath } from "../protocol/path.ts";
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

type Shown = { readonly path: VirtualPath; readonly entry: Entry; readonly as?: "cdir" };

/** @returns `type=file;size=5;` … without name, for `path` that is `entry`. */
export function factsOf({ workspace, facts }: SignedIn, { path, entry, as }: Shown): ByteString {
  const perm = permsOf(entry.kind, workspace.rightsAt(path));
  return formatFacts({ ...entry, kind: as ?? entry.kind, perm }, facts);
}

/** As `factsOf`, for the entries of one folder: what they share is worked out once. */
export function factsIn({ workspace, facts }: SignedIn, folder: VirtualPath): (entry: Entry) => ByteString {
  const rightsOf = workspace.rightsIn(folder);
  const write = factsWriter(facts);
  const perms = { file: rememberingPerms("file"), directory: rememberingPerms("directory") };
  return (entry) => {
    const { kind, size, modified, mode, owner, group, unique } = entry;
    const rights = rightsOf(childPath(folder, entry.name));
    const perm = (kind === "directory" ? perms.directory : perms.file)(rights);
    return write({ kind, size, modified, mode, owner, group, unique, perm });
  };
}

/** The perm facts in a folder, where no rule looks at the names in it; else undefined. */
export function permsOfAllIn({ workspace }: SignedIn, folder: VirtualPath): SharedPerms | undefined {
  const rights = workspace.rightsOfAllIn(folder);
  if (rights === undefined) return undefined;
  return { file: permsOf("file", rights), directory: permsOf("directory", rights) };
}

/** Rights are one object for all that a rule governs. */
function rememberingPerms(kind: Entry["kind"]): (rights: Rights) => string {
  let last: { readonly rights: Rights; readonly perms: string } | undefined;
  return (rights) => {
    if (last?.rights !== rights) last = { rights, perms: permsOf(kind, rights) };
    return last.perms;
  };
}

function permsOf(kind: Entry["kind"], rights: Rights): string {
  let perms = "";
  for (const [letter, right] of kind === "directory" ? FOLDER_PERMS : FILE_PERMS) {
    if (rights.has(right)) perms += letter;
  }
  return perms;
}
