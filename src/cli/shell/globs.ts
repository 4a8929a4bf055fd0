/** Words of a command as names: globs over folders of the server or of the host, and the words that are none. */
import { readdir } from "node:fs/promises";
import { bytesOfText } from "../../base/bytes.ts";
import { compileGlob, hasGlob } from "../../protocol/glob.ts";
import type { Entry } from "../../client/types.ts";
import type { Call } from "./command.ts";
import { ShellError } from "./errors.ts";
import { GLOB_FOLDERS, GLOB_MOST } from "./limits.ts";
import { inFolder, localPath, remotePath } from "./place.ts";
import type { Word } from "./words.ts";

/** A name of the server; `entry` where a listing has said what it is. */
export type RemoteName = { readonly path: string; readonly entry?: Entry | undefined };

/** What a folder holds. */
type Item = { readonly name: string; readonly mayHold: boolean; readonly entry?: Entry | undefined };
type Match = { readonly path: string; readonly entry?: Entry | undefined };
type Ground = {
  readonly list: (folder: string) => AsyncIterable<Item>;
  readonly isHiddenToo: boolean;
  readonly signal: AbortSignal;
};

/** @throws {ShellError} when nothing matches a glob. */
export async function remoteNames(call: Call, words: readonly Word[]): Promise<readonly RemoteName[]> {
  const isHiddenToo = call.shell.settings.isOn("hidden");
  const list = async function* (folder: string): AsyncIterable<Item> {
    for await (const entry of call.client().list(folder, { hidden: true, signal: call.signal })) {
      // A name that is none must not lead elsewhere (attack 64).
      if (!isOneName(entry.name)) continue;
      yield { name: entry.name, mayHold: entry.type === "directory" || entry.type === "link", entry };
    }
  };
  const ground = { list, isHiddenToo, signal: call.signal };
  const found: RemoteName[] = [];
  for (const word of words) {
    if (!isGlobHere(call, word)) found.push({ path: remotePath(call.place, word) });
    else {
      const { folder, home } = call.place;
      const place = { folder: escaped(folder), home: escaped(home) };
      const path = remotePath(place, { text: word.pattern, isHome: word.isHome });
      found.push(...(await matching(path, word, ground)));
    }
  }
  return found;
}

/** Paths of the host. @throws {ShellError} when nothing matches a glob. */
export async function localNames(call: Call, words: readonly Word[]): Promise<readonly string[]> {
  const ground = { list: localItems, isHiddenToo: call.shell.settings.isOn("hidden"), signal: call.signal };
  const found: string[] = [];
  for (const word of words) {
    const path = localPath(call.place, word);
    if (!isGlobHere(call, word)) found.push(path);
    else {
      const { localFolder } = call.place;
      const base = word.pattern.startsWith("/") ? word.pattern : `${escaped(localFolder)}/${word.pattern}`;
      const matches = await matching(
        word.isHome ? localPath(call.place, { ...word, text: word.pattern }) : base,
        word,
        ground,
      );
      found.push(...matches.map((match) => match.path));
    }
  }
  return found;
}

async function* localItems(folder: string): AsyncIterable<Item> {
  for (const each of await readdir(folder, { withFileTypes: true })) {
    yield { name: each.name, mayHold: each.isDirectory() || each.isSymbolicLink() };
  }
}

function isGlobHere(call: Call, word: Word): boolean {
  return word.isGlob && call.shell.settings.isOn("glob");
}

/** One name of a folder, also where it could not be one of this host. */
export function isOneName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !name.includes("/") && !name.includes("\0");
}

function escaped(path: string): string {
  return path.replace(/[*?[\]{},\\]/g, "\\$&");
}

/** @param path absolute, with the parts of the glob as they were written. */
async function matching(path: string, word: Word, ground: Ground): Promise<readonly Match[]> {
  const parts = path.split("/").filter((part) => part !== "");
  const first = parts.findIndex((part) => hasGlob(part.replace(/\\./gs, "_")));
  const start = `/${parts.slice(0, first).map(unescaped).join("/")}`;
  let matches: readonly Match[] = [{ path: start }];
  for (let at = first; at < parts.length; at += 1) {
    const part = parts[at] ?? "";
    matches = await below(matches, { part, isFirst: at === first, isLast: at === parts.length - 1 }, ground);
  }
  if (matches.length === 0) throw new ShellError(`nothing matches "${word.text}"`);
  return matches.toSorted((left, right) => (left.path < right.path ? -1 : 1));
}

type Level = { readonly part: string; readonly isFirst: boolean; readonly isLast: boolean };

async function below(folders: readonly Match[], level: Level, ground: Ground): Promise<readonly Match[]> {
  if (folders.length > GLOB_FOLDERS) throw new ShellError(`the pattern looks into more than ${GLOB_FOLDERS} folders`);
  const matches = compileGlob(bytesOfText(level.part));
  const isHiddenToo = ground.isHiddenToo || level.part.startsWith(".");
  const found: Match[] = [];
  for (const folder of folders) {
    try {
      for await (const { name, mayHold, entry } of ground.list(folder.path)) {
        if (!level.isLast && !mayHold) continue;
        if ((name.startsWith(".") && !isHiddenToo) || !matches(bytesOfText(name))) continue;
        found.push({ path: inFolder(folder.path, name), entry });
        if (found.length > GLOB_MOST) throw new ShellError(`the pattern matches more than ${GLOB_MOST} names`);
      }
    } catch (error) {
      // A folder that the pattern found and that cannot be read is as one that holds nothing.
      if (level.isFirst || error instanceof ShellError || ground.signal.aborted) throw error;
    }
  }
  return found;
}

function unescaped(part: string): string {
  return part.replace(/\\(.)/gs, "$1");
}
