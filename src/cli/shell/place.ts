/** Where a command works: a folder of the server and one of the host, and paths seen from there. */
import { homedir } from "node:os";
import { resolve, sep } from "node:path";
import type { Word } from "./words.ts";

/** The server knows nothing of this: connections come and go, and a job keeps the place where it began. */
export type Place = {
  /** Absolute, of the server. */
  folder: string;
  /** For `cd -`. */
  previous: string | undefined;
  /** After login; `cd` alone goes there. */
  home: string;
  /** Absolute, of the host. The process itself stays where it is. */
  localFolder: string;
  previousLocal: string | undefined;
};

/** A path of the server from its root; `..` at the root stays there. A slash at the end is not kept. */
export function remotePath(
  { folder, home }: Pick<Place, "folder" | "home">,
  word: Pick<Word, "text" | "isHome">,
): string {
  const { text } = word;
  if (word.isHome && (text === "~" || text.startsWith("~/"))) return normal(`${home}/${text.slice(1)}`);
  return normal(text.startsWith("/") ? text : `${folder}/${text}`);
}

function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** A path of the host. `~` is the user's home. */
export function localPath({ localFolder }: Pick<Place, "localFolder">, word: Pick<Word, "text" | "isHome">): string {
  const { text } = word;
  const isHome = word.isHome && (text === "~" || text.startsWith("~/") || text.startsWith(`~${sep}`));
  return isHome ? resolve(homedir(), `.${text.slice(1)}`) : resolve(localFolder, text);
}

/** `name` in a folder of the server. */
export function inFolder(folder: string, name: string): string {
  return folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}

/** The last part; "" for the root. */
export function lastPart(path: string): string {
  return path.replace(/\/+$/, "").replace(/^.*\//s, "");
}

/** Whether a name ends as a folder's: what it names is put into it. */
export function namesFolder(text: string): boolean {
  return text.endsWith("/") || text.endsWith(sep) || text === "." || text === "..";
}
