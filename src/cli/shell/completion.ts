/** Completion of a line that is being typed: commands, names of the server, names of this host. */
import { readdir } from "node:fs/promises";
import { sep } from "node:path";
import type { Client } from "../../client/types.ts";
import type { Completes } from "./command.ts";
import { COMPLETION_NAMES } from "./limits.ts";
import { nameProblem } from "./local-names.ts";
import type { CachedName, NameCache } from "./name-cache.ts";
import { type Typing, typing } from "./parse.ts";
import { type Place, localPath, remotePath } from "./place.ts";
import { settingNames } from "./settings.ts";
import type { CommandTable } from "./table.ts";
import { type Word, quoted } from "./words.ts";

export type CompletionGround = {
  readonly table: CommandTable;
  readonly aliases: ReadonlyMap<string, string>;
  readonly place: Place;
  readonly names: NameCache;
  readonly client: Client | undefined;
};

/** What may stand in place of the end of the line, and that end as it was typed: what readline wants. */
export type Completion = readonly [candidates: string[], typed: string];

export async function complete(line: string, ground: CompletionGround): Promise<Completion> {
  const state = typing(line);
  const typed = line.slice(state.current.start);
  const names = await candidates(state, ground);
  // A quote that is open stays: the name behind it needs no escapes, unless it holds that quote.
  const { open } = state.current;
  const written = names.map(({ text, isOpen }) => {
    const isPlain = open !== "" && !text.includes(open);
    return (isPlain ? open + text + (isOpen ? "" : open) : quoted(text)) + (isOpen ? "" : " ");
  });
  return [written.toSorted(), typed];
}

/** `isOpen`: more may follow, as behind a folder. */
type Candidate = { readonly text: string; readonly isOpen: boolean };

async function candidates(state: Typing, ground: CompletionGround): Promise<readonly Candidate[]> {
  const { before, current, place } = state;
  if (place === "program") return [];
  if (place === "file") return await localCandidates(current, ground, { foldersOnly: false });
  const [name, ...others] = before;
  if (name === undefined) return commandCandidates(current.text, ground);
  const alias = ground.aliases.get(name.text)?.split(/\s/)[0];
  const found = ground.table.find(alias ?? name.text);
  if (!found.ok || found.command.completes === undefined) return [];
  const count = others.filter(({ text }) => !text.startsWith("-")).length;
  return await kindCandidates(found.command.completes, { current, count }, ground);
}

async function kindCandidates(
  kind: Completes,
  { current, count }: { readonly current: Word; readonly count: number },
  ground: CompletionGround,
): Promise<readonly Candidate[]> {
  switch (kind) {
    case "command":
      return commandCandidates(current.text, ground);
    case "set":
      return count > 0 ? [] : beginning(settingNames(), current.text);
    case "local":
      return await localCandidates(current, ground, { foldersOnly: false });
    case "local-folder":
      return await localCandidates(current, ground, { foldersOnly: true });
    case "remote":
      return await remoteCandidates(current, ground, { foldersOnly: false });
    case "folder":
      return await remoteCandidates(current, ground, { foldersOnly: true });
    case "first-local":
      return await kindCandidates(count === 0 ? "local" : "remote", { current, count }, ground);
    case "first-remote":
      return await kindCandidates(count === 0 ? "remote" : "local", { current, count }, ground);
    default:
      return kind satisfies never;
  }
}

/** Names before aliases of commands: `get` is offered for `g`, not `recv`'s other names. */
function commandCandidates(start: string, { table, aliases }: CompletionGround): readonly Candidate[] {
  return beginning([...table.names(), ...aliases.keys()], start);
}

function beginning(words: readonly string[], start: string): readonly Candidate[] {
  return words.filter((word) => word.startsWith(start)).map((text) => ({ text, isOpen: false }));
}

type Which = { readonly foldersOnly: boolean };

async function remoteCandidates(word: Word, ground: CompletionGround, which: Which): Promise<readonly Candidate[]> {
  if (ground.client === undefined) return [];
  const { folder, start, written } = cut(word.text, "/");
  const path = folder === "" ? ground.place.folder : remotePath(ground.place, { ...word, text: folder });
  return matching(await ground.names.names(ground.client, path), { start, written, which });
}

async function localCandidates(word: Word, ground: CompletionGround, which: Which): Promise<readonly Candidate[]> {
  const { folder, start, written } = cut(word.text, sep);
  const path = folder === "" ? ground.place.localFolder : localPath(ground.place, { ...word, text: folder });
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const names = entries
    .slice(0, COMPLETION_NAMES)
    .filter(({ name }) => nameProblem(name, "linux") === undefined)
    .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
  return matching(names, { start, written, which });
}

/** A word as the folder that it names and the beginning of a name in it. `written`: the folder as it was typed. */
function cut(
  text: string,
  separator: string,
): { readonly folder: string; readonly start: string; readonly written: string } {
  const at = Math.max(text.lastIndexOf("/"), text.lastIndexOf(separator));
  const written = text.slice(0, at + 1);
  return { folder: written === "/" ? written : written.slice(0, -1), start: text.slice(at + 1), written };
}

function matching(
  names: readonly CachedName[],
  { start, written, which }: { readonly start: string; readonly written: string; readonly which: Which },
): readonly Candidate[] {
  return names
    .filter(({ name, isFolder }) => name.startsWith(start) && (isFolder || !which.foldersOnly))
    .filter(({ name }) => start !== "" || !name.startsWith("."))
    .map(({ name, isFolder }) => ({ text: written + name + (isFolder ? "/" : ""), isOpen: isFolder }));
}
