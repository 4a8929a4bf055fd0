/** Changes to a users file, as `ferryman user` makes them: checked before they are written, comments kept. */
import { TomlDate } from "smol-toml";
import type { FolderRule, Rights } from "./account.ts";
import { nameProblem } from "./names.ts";
import { replaceFile } from "../base/replace-file.ts";
import { presetNameOf, rightsList } from "./rights.ts";
import { type TomlEdit, TomlEditError, type TomlObject, type TomlValue, editToml } from "./toml-edit.ts";
import { type User, type UserEntry, parseUsers } from "./users-toml.ts";

/** What changes; absent: stays as it is. `null` takes a value away. */
export type UserChange = {
  /** A hash from `Passwords.hash`. */
  readonly password?: string;
  readonly home?: string | null;
  readonly rights?: Rights;
  readonly disabled?: boolean;
  /** `2027-01-31`, or with a time as in RFC 3339. */
  readonly expires?: string | null;
  /** null: as the server has it. */
  readonly tls?: "require" | "require-data" | null;
  /** A rule with the same pattern is replaced where it stands, another one becomes the last. */
  readonly folders?: readonly FolderRule[];
  /** Patterns of rules that go. */
  readonly removedFolders?: readonly string[];
  /** By the keys of the file: `sessions`, `download-rate` … */
  readonly limits?: Readonly<Record<string, string | number | null>>;
};

/**
 * `message` says what is wrong, for people; the file is as it was. "invalid": the change is; "by-hand": the file, or the
 * account as it stood there, must be mended with an editor first.
 */
export class UserEditError extends Error {
  override readonly name = "UserEditError";
  readonly kind: "exists" | "unknown" | "invalid" | "by-hand";

  constructor(kind: UserEditError["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/**
 * Makes the file too, with mode 0600.
 * @throws {UserEditError} @throws {AccountError} for a file that is broken as a whole. @throws {FileLocked}
 */
export async function addUser(
  file: string,
  name: string,
  change: UserChange & { readonly password: string },
): Promise<void> {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new UserEditError("invalid", `the name ${problem}`);
  await edit(file, name, (entry) => {
    if (entry !== undefined) throw new UserEditError("exists", `there is a user ${name} already`);
    return [{ kind: "set", path: ["users", name], value: newUser(change) }];
  });
}

/** A malformed account can be changed too, if it is good afterwards. @throws as `addUser` does. */
export async function modifyUser(file: string, name: string, change: UserChange): Promise<void> {
  await edit(file, name, (entry) => {
    if (entry === undefined) throw unknownUser(name);
    return edits(name, { change, folders: entry.kind === "good" ? entry.user.folders : [] });
  });
}

/** @throws as `addUser` does. */
export async function deleteUser(file: string, name: string): Promise<void> {
  await edit(file, name, (entry) => {
    if (entry === undefined) throw unknownUser(name);
    return [{ kind: "remove", path: ["users", name] }];
  });
}

/** @param password a hash from `Passwords.hash`. @throws as `addUser` does. */
export async function setPassword(file: string, name: string, password: string): Promise<void> {
  await modifyUser(file, name, { password });
}

type MakeEdits = (entry: UserEntry | undefined) => readonly TomlEdit[];

async function edit(file: string, name: string, make: MakeEdits): Promise<void> {
  await replaceFile(file, (before) => {
    const old = parseUsers(before, file).get(name);
    const after = edited(before, make(old));
    const entry = parseUsers(after, file).get(name);
    if (entry?.kind !== "malformed") return after;
    const kind = old?.kind === "malformed" ? "by-hand" : "invalid";
    throw new UserEditError(kind, entry.findings.map(({ key, problem }) => `${key}: ${problem}`).join("\n"));
  });
}

function edited(before: string, list: readonly TomlEdit[]): string {
  try {
    return editToml(before, list);
  } catch (cause) {
    if (cause instanceof TomlEditError) throw new UserEditError("by-hand", cause.message, { cause });
    throw cause;
  }
}

function unknownUser(name: string): UserEditError {
  return new UserEditError("unknown", `there is no user ${JSON.stringify(name)}`);
}

function newUser({
  password,
  home,
  rights,
  disabled,
  expires,
  tls,
  folders = [],
  limits = {},
}: UserChange): TomlObject {
  const given = Object.entries(limits).flatMap(([key, value]) => (value === null ? [] : [[key, value] as const]));
  return {
    ...(password === undefined ? {} : { password }),
    ...(typeof home === "string" ? { home } : {}),
    ...(rights === undefined ? {} : { rights: rightsValue(rights) }),
    ...(disabled === true ? { disabled } : {}),
    ...(typeof tls === "string" ? { tls } : {}),
    ...(typeof expires === "string" ? { expires: dateOf(expires) } : {}),
    ...(folders.length === 0 ? {} : { folders: folders.map(folderValue) }),
    ...(given.length === 0 ? {} : { limits: Object.fromEntries(given) }),
  };
}

type Modification = { readonly change: UserChange; readonly folders: User["folders"] };

function edits(name: string, { change, folders }: Modification): readonly TomlEdit[] {
  const user = ["users", name];
  const put = (key: string, value: TomlValue | null | undefined): readonly TomlEdit[] => {
    const path = [...user, ...key.split(".")];
    if (value === undefined) return [];
    return [value === null ? { kind: "remove", path } : { kind: "set", path, value }];
  };
  return [
    ...put("password", change.password),
    ...put("home", change.home),
    ...put("rights", change.rights === undefined ? undefined : rightsValue(change.rights)),
    // An account is enabled by the word's absence.
    ...put("tls", change.tls),
    ...put("disabled", change.disabled === false ? null : change.disabled),
    ...put("expires", typeof change.expires === "string" ? dateOf(change.expires) : change.expires),
    ...folderEdits([...user, "folders"], { change, folders }),
    ...Object.entries(change.limits ?? {}).flatMap(([key, value]) => put(`limits.${key}`, value)),
  ];
}

function folderEdits(path: readonly string[], { change, folders }: Modification): readonly TomlEdit[] {
  const { removedFolders = [], folders: wanted = [] } = change;
  const missing = removedFolders.find((pattern) => folders.every((rule) => rule.pattern !== pattern));
  if (missing !== undefined) throw new UserEditError("unknown", `there is no folder rule ${JSON.stringify(missing)}`);
  const kept = folders.filter((rule) => !removedFolders.includes(rule.pattern));
  const list: TomlEdit[] = [];
  // From the end on: each removal moves those behind it.
  for (const [at, { pattern }] of [...folders.entries()].toReversed()) {
    if (removedFolders.includes(pattern)) list.push({ kind: "remove", path: [...path, at] });
  }
  let count = kept.length;
  for (const rule of new Map(wanted.map((each) => [each.pattern, each])).values()) {
    const at = kept.findIndex(({ pattern }) => pattern === rule.pattern);
    if (at === -1) list.push({ kind: "set", path: [...path, count++], value: folderValue(rule) });
    else list.push({ kind: "set", path: [...path, at, "rights"], value: rightsValue(rule.rights) });
  }
  return list;
}

function folderValue({ pattern, rights }: FolderRule): TomlObject {
  return { pattern, rights: rightsValue(rights) };
}

function rightsValue(rights: Rights): string | readonly string[] {
  return presetNameOf(rights) ?? rightsList(rights);
}

function dateOf(text: string): TomlDate {
  const date = new TomlDate(text);
  const [day = ""] = text.split(/[T ]/);
  const exists = date.isValid() && !date.isTime() && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
  if (!exists) throw new UserEditError("invalid", `expires: there is no date "${text}"; write it like 2027-01-31`);
  return date;
}
