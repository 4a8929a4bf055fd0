/**
 * What LIST, NLST and STAT show: the entries that a path or a pattern names, in order, as lines. Folders are streamed;
 * a folder of a million entries needs the memory of one batch.
 */
import { type ByteString, bytesOfText } from "../base/bytes.ts";
import { Turn } from "../base/loop-turns.ts";
import { nameLines } from "../protocol/entry-table.ts";
import { joined } from "../protocol/octets.ts";
import { compileGlob, hasGlob } from "../protocol/glob.ts";
import type { ListFlags } from "../protocol/list-arguments.ts";
import { listLinesWriter } from "../protocol/list-octets.ts";
import { formatListLine } from "../protocol/listing.ts";
import { type VirtualPath, childPath, parentPath, resolvePath } from "../protocol/path.ts";
import { type Entry, type NamedEntry, StorageError } from "../workspace/files.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { Refusal } from "./errors.ts";
import { type Chunks, gathered, written } from "./list-chunks.ts";
import type { SignedIn } from "./session.ts";

/** Entries up to which a folder is sorted; a larger one comes as the storage gives it, or memory would grow with it. */
const SORT_LIMIT = 10_000;
/** Lines made between two looks at the turn: some tenths of a millisecond. */
const LINES_AT_ONCE = 256;
/** What changes neither the order nor the lines of a folder. */
const PLAIN_FLAGS: ListFlags = new Set(["l", "1", "A"]);
/** Folders below each other that -R goes down (attack 48). */
const RECURSION_LIMIT = 64;
/** Folders that -R keeps in mind at once; those beyond are left out. */
const PENDING_FOLDERS = 10_000;
/** Folders in which a pattern with several `*` parts is looked for. */
const GLOB_FOLDERS = 1_000;

export type ListOrder = {
  readonly flags: ListFlags;
  /** As the client typed it; "" is the current folder. */
  readonly target: ByteString;
  /** Lines of `ls -l`, or names that RETR takes (RFC 1123 §4.1.2.7). */
  readonly form: "long" | "names";
  readonly now: number;
};

/** A folder or file that the target names, with the name under which its lines show it. */
type Place = { readonly path: VirtualPath; readonly shown: string; readonly entry: Entry };

/**
 * The lines, each with its CRLF, some per turn.
 * @throws {StorageError} "not-found" for a target that is none; a pattern that matches nothing gives no line.
 */
export async function* listLines(session: SignedIn, order: ListOrder): AsyncGenerator<ByteString, void, void> {
  const { target } = order;
  if (await isGlob(session, target)) yield* patternLines(session, order);
  else yield* placeLines(session, [await placeOf(session, target)], order);
}

/**
 * The same as octets, for a data connection.
 * @param memory octets that a chunk may have. @throws {StorageError} as `listLines`.
 */
export async function* listChunks(session: SignedIn, order: ListOrder, memory: number): Chunks {
  const { target, flags, form, now } = order;
  if (await isGlob(session, target)) {
    yield* gathered(patternLines(session, order), memory);
    return;
  }
  const place = await placeOf(session, target);
  const tables =
    place.entry.kind === "directory" && isPlain(flags)
      ? session.workspace.table(place.path, {
          facts: form === "long",
          sortUpTo: SORT_LIMIT,
          hideDotted: !flags.has("A"),
        })
      : undefined;
  if (tables === undefined) yield* gathered(placeLines(session, [place], order), memory);
  else {
    const write = form === "long" ? listLinesWriter(now) : nameLines(namePrefix(place.shown));
    yield* written({ tables, write }, memory);
  }
}

/** Whether nothing but names' order is asked for, and nothing but names or the long form. */
function isPlain(flags: ListFlags): boolean {
  return [...flags].every((flag) => PLAIN_FLAGS.has(flag));
}

/** Each place as itself, or a folder by what is in it, as `ls` with these arguments. */
async function* placeLines(
  { workspace }: SignedIn,
  places: readonly Place[],
  order: ListOrder & { readonly foldersAsThemselves?: boolean },
): AsyncGenerator<ByteString, void, void> {
  for (const place of places) {
    if (place.entry.kind !== "directory" || order.flags.has("d") || order.foldersAsThemselves === true) {
      yield line({ ...place.entry, name: joined(place.shown || ".") }, order);
    } else {
      if (places.length > 1) yield joined(`\r\n${place.shown}:\r\n`);
      yield* folderLines(workspace, place, order);
    }
  }
}

/** What matches, sorted; more than SORT_LIMIT come as they are found, folders as themselves, and none is left out. */
async function* patternLines(session: SignedIn, order: ListOrder): AsyncGenerator<ByteString, void, void> {
  const parts = order.target.split("/").filter((part) => part !== "" && part !== ".");
  const last = joined(parts.pop() ?? "");
  let held: Place[] | undefined = [];
  for (const folder of await foldersMatching(session, { parts, absolute: order.target.startsWith("/") })) {
    for await (const batch of matchPart(session.workspace, folder, last)) {
      if (held !== undefined) {
        held.push(...batch);
        if (held.length <= SORT_LIMIT) continue;
      }
      const found: readonly Place[] = held ?? batch;
      held = undefined;
      yield joined(found.map(({ entry, shown }) => line({ ...entry, name: joined(shown) }, order)).join(""));
    }
  }
  if (held === undefined) return;
  const places = unique(held).toSorted((one, other) => (one.path < other.path ? -1 : 1));
  yield* placeLines(session, places, { ...order, foldersAsThemselves: order.form === "names" });
}

/** Whether the target names a folder, for the reply to STAT (RFC 959 §4.2.1: 212 or 213). */
export async function isFolder(session: SignedIn, target: ByteString): Promise<boolean> {
  if (await isGlob(session, target)) return false;
  return (await placeOf(session, target)).entry.kind === "directory";
}

/** Names with brackets and stars are met: one that is there as typed is itself and no pattern. */
async function isGlob({ workspace, cwd }: SignedIn, target: ByteString): Promise<boolean> {
  return hasGlob(target) && !(await workspace.exists(resolvePath(cwd, target)));
}

async function placeOf(session: SignedIn, target: ByteString): Promise<Place> {
  const path = resolvePath(session.cwd, target);
  const { workspace } = session;
  // A link to a folder is listed as that folder; one that leads nowhere is shown as itself.
  const entry = await workspace.stat(path).catch(async (error: unknown) => {
    if (error instanceof StorageError && error.fault === "not-found") return workspace.stat(path, "keep");
    throw error;
  });
  return { path, shown: target, entry };
}

/** What a folder's lines are made of: entries with all that is known of them, or names alone where no more is asked. */
type Source<Item extends NamedEntry> = {
  readonly read: (path: VirtualPath) => AsyncIterable<readonly Item[]>;
  /** A folder as an entry of its own name. */
  readonly itself: (path: VirtualPath, name: "." | "..") => Promise<Item>;
  readonly compare: (one: Item, other: Item) => number;
  /** @param prefix before each name, of the form "names". */
  readonly line: (item: Item, prefix: string) => string;
};

function folderLines(workspace: Workspace, top: Place, order: ListOrder): AsyncGenerator<ByteString, void, void> {
  const { flags, form } = order;
  const itself = async (path: VirtualPath, name: "." | ".."): Promise<Entry> => ({
    ...(await workspace.stat(path)),
    name: joined(name),
  });
  if (form === "names" && !flags.has("F") && !flags.has("t") && !flags.has("S")) {
    const nameLine = ({ name }: NamedEntry, prefix: string): string => `${oneName(prefix + name)}\r\n`;
    const read = (path: VirtualPath): AsyncIterable<readonly NamedEntry[]> => workspace.names(path);
    return linesOf(top, { order, source: { read, itself, compare: byName, line: nameLine } });
  }
  const entryLine = (entry: Entry, prefix: string): string =>
    line(prefix === "" ? entry : { ...entry, name: joined(prefix + entry.name) }, order);
  const read = (path: VirtualPath): AsyncIterable<readonly Entry[]> => workspace.list(path);
  return linesOf(top, { order, source: { read, itself, compare: comparing(flags), line: entryLine } });
}

async function* linesOf<Item extends NamedEntry>(
  top: Place,
  { order, source }: { readonly order: ListOrder; readonly source: Source<Item> },
): AsyncGenerator<ByteString, void, void> {
  const { flags, form } = order;
  const pending: { place: Pick<Place, "path" | "shown">; depth: number }[] = [{ place: top, depth: 0 }];
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const { place, depth } = next;
    if (depth > 0) yield joined(`\r\n${place.shown}:\r\n`);
    const prefix = form === "names" ? namePrefix(place.shown) : "";
    try {
      for await (const batch of ordered(source, place.path, flags)) {
        let text = "";
        for (const entry of batch) text += source.line(entry, prefix);
        if (flags.has("R") && depth < RECURSION_LIMIT) {
          for (const { name } of foldersAmong(batch, PENDING_FOLDERS - pending.length)) {
            const shown = `${place.shown === "" ? "." : place.shown}/${name}`;
            pending.push({ place: { path: childPath(place.path, name), shown }, depth: depth + 1 });
          }
        }
        yield joined(text);
      }
    } catch (error) {
      // A folder below that may not be read, or is gone, does not take the rest with it.
      if (depth === 0) throw error;
    }
  }
}

/** Before names that RETR takes: what the client typed. */
function namePrefix(shown: string): ByteString {
  return joined(shown === "" ? "" : `${shown.replace(/\/+$/, "")}/`);
}

function foldersAmong<Item extends NamedEntry>(batch: readonly Item[], most: number): readonly Item[] {
  return batch.filter(({ kind, name }) => kind === "directory" && !isDots(name)).slice(0, most);
}

/** The entries of a folder as `ls` orders and chooses them, some at a time. */
async function* ordered<Item extends NamedEntry>(
  source: Source<Item>,
  path: VirtualPath,
  flags: ListFlags,
): AsyncGenerator<readonly Item[], void, void> {
  const all = flags.has("a");
  const hidden = all || flags.has("A");
  let held: Item[] | undefined = [];
  if (all) {
    held.push(await source.itself(path, "."));
    held.push(await source.itself(parentPath(path), ".."));
  }
  for await (const batch of source.read(path)) {
    const chosen = hidden ? batch : batch.filter(({ name }) => !name.startsWith("."));
    if (held === undefined) yield chosen;
    else {
      held.push(...chosen);
      if (held.length <= SORT_LIMIT) continue;
      yield* inSlices(held);
      held = undefined;
    }
  }
  if (held === undefined) return;
  const inOrder = held.toSorted(source.compare);
  yield* inSlices(flags.has("r") ? inOrder.toReversed() : inOrder);
}

/** What is held already comes without a wait, so that others must be let in between. */
async function* inSlices<Item>(items: readonly Item[]): AsyncGenerator<readonly Item[], void, void> {
  const turn = new Turn();
  for (let at = 0; at < items.length; at += LINES_AT_ONCE) {
    if (turn.over) await turn.next();
    yield items.slice(at, at + LINES_AT_ONCE);
  }
}

function comparing(flags: ListFlags): (one: Entry, other: Entry) => number {
  if (flags.has("t")) return (one, other) => other.modified - one.modified || byName(one, other);
  if (flags.has("S")) return (one, other) => Number(other.size) - Number(one.size) || byName(one, other);
  return byName;
}

function byName(one: NamedEntry, other: NamedEntry): number {
  return one.name < other.name ? -1 : 1;
}

/** The folders that the leading parts of a pattern match. @throws {Refusal} when there are too many to look into. */
async function foldersMatching(
  { workspace, cwd }: SignedIn,
  { parts, absolute }: { parts: readonly string[]; absolute: boolean },
): Promise<readonly Place[]> {
  const root = resolvePath(cwd, bytesOfText(absolute ? "/" : ""));
  const remembered = rememberingFolders(workspace);
  let found: Place[] = [{ path: root, shown: absolute ? "/" : "", entry: await workspace.stat(root) }];
  for (const part of parts) {
    const next: Place[] = [];
    if (hasGlob(part)) {
      for (const place of found) next.push(...(await matchFolders(remembered, place, joined(part))));
    } else {
      // Each place once, and before anything is asked about it: `*/..` comes as often as there are folders.
      for (const place of unique(found.map((each) => placeBelow(each, joined(part))))) {
        const entry = await workspace.stat(place.path).catch(() => undefined);
        if (entry?.kind === "directory") next.push({ ...place, entry });
      }
    }
    // Each place once: by `*/../*/../*` it would come as often as there are ways to it (attack 46).
    found = unique(next);
    if (found.length > GLOB_FOLDERS) {
      throw new Refusal(450, `The pattern matches more than ${GLOB_FOLDERS} directories on its way; make it narrower.`);
    }
  }
  return found;
}

/** The folders in a folder. */
type FoldersIn = (path: VirtualPath) => Promise<readonly Entry[]>;

/** Reads each folder once for one pattern, which may lead through it again and again (attack 46). */
function rememberingFolders(workspace: Workspace): FoldersIn {
  const known = new Map<VirtualPath, readonly Entry[]>();
  let held = 0;
  return async (path) => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const folders: Entry[] = [];
    for await (const batch of workspace.list(path)) {
      folders.push(...batch.filter(({ kind }) => kind === "directory"));
    }
    if (held + folders.length <= GLOB_FOLDERS) {
      held += folders.length + 1;
      known.set(path, folders);
    }
    return folders;
  };
}

async function matchFolders(foldersIn: FoldersIn, place: Place, part: ByteString): Promise<readonly Place[]> {
  const isMatch = matcher(part);
  return (await foldersIn(place.path)).filter(isMatch).map((entry) => entryBelow(place, entry));
}

function unique<Placed extends { readonly path: VirtualPath }>(places: readonly Placed[]): Placed[] {
  return [...new Map(places.map((place) => [place.path, place])).values()];
}

/** The entries of a folder that the last part of a pattern matches, a batch at a time. */
async function* matchPart(
  workspace: Workspace,
  place: Place,
  part: ByteString,
): AsyncGenerator<readonly Place[], void, void> {
  if (!hasGlob(part)) {
    const below = placeBelow(place, part);
    const entry = await workspace.stat(below.path).catch(() => undefined);
    if (entry !== undefined) yield [{ ...below, entry }];
    return;
  }
  const isMatch = matcher(part);
  for await (const batch of workspace.list(place.path)) {
    yield batch.filter(isMatch).map((entry) => entryBelow(place, entry));
  }
}

/** A leading dot is matched by a dot alone, as in a shell. */
function matcher(part: ByteString): (entry: Entry) => boolean {
  const isMatch = compileGlob(part);
  return ({ name }) => isMatch(name) && (!name.startsWith(".") || part.startsWith("."));
}

function placeBelow(place: Place, name: ByteString): Omit<Place, "entry"> {
  return { path: resolvePath(place.path, name), shown: shownBelow(place, name) };
}

function entryBelow(place: Place, entry: Entry): Place {
  return { path: childPath(place.path, entry.name), shown: shownBelow(place, entry.name), entry };
}

function shownBelow({ shown }: Place, name: string): string {
  return `${shown === "" || shown === "/" ? shown : `${shown}/`}${name}`;
}

function line(entry: Entry, { form, flags, now }: ListOrder): ByteString {
  const mark = flags.has("F") ? markOf(entry) : "";
  // A link's long line ends in what it points at, whose kind the mark would be of.
  if (form === "long") return joined(`${formatListLine(entry, now)}${entry.kind === "link" ? "" : mark}\r\n`);
  return joined(`${oneName(entry.name)}${mark}\r\n`);
}

/** One name, one line, whatever octets it has. */
function oneName(name: string): string {
  return name.replace(/[\r\n\0]/g, "?");
}

/** As `ls -F` marks folders, links and programs. */
function markOf({ kind, mode }: Entry): string {
  if (kind === "directory") return "/";
  if (kind === "link") return "@";
  return kind === "file" && (mode & 0o111) !== 0 ? "*" : "";
}

function isDots(name: string): boolean {
  return name === "." || name === "..";
}
