/** The files of the liar: a small tree in memory, and how it is listed. Paths and names are octets, one a character. */
import { posix } from "node:path";

/** A folder is null. Keys begin with `/`. */
export type Tree = Map<string, Buffer | null>;

/** Of everything in the tree. */
export const MODIFIED = "20240102030405";
const LISTED_TIME = "Jan 02  2024";

/** @param files content by path; the folders above them come by themselves, and a path that ends in `/` is one. */
export function treeOf(files: Readonly<Record<string, string | Buffer>>): Tree {
  const tree: Tree = new Map([["/", null]]);
  for (const [path, content] of Object.entries(files)) {
    const whole = posix.resolve("/", path);
    for (let folder = posix.dirname(whole); folder !== "/"; folder = posix.dirname(folder)) tree.set(folder, null);
    tree.set(whole, path.endsWith("/") ? null : Buffer.from(content));
  }
  return tree;
}

export function resolve(folder: string, argument: string): string {
  return posix.resolve(folder, argument);
}

/** Names below a folder with their content, or the one file that the path is. */
export function childrenOf(tree: Tree, path: string): readonly (readonly [string, Buffer | null])[] {
  const own = tree.get(path);
  if (own !== undefined && own !== null) return [[posix.basename(path), own]];
  return [...tree]
    .filter(([each]) => each !== "/" && posix.dirname(each) === path)
    .map(([each, content]) => [posix.basename(each), content]);
}

/** RFC 3659 §7.2. */
export function factsLine(name: string, content: Buffer | null): string {
  const facts = content === null ? "type=dir;" : `type=file;size=${content.length};`;
  return `${facts}modify=${MODIFIED}; ${name}`;
}

/** As `ls -l` writes it. */
export function longLine(name: string, content: Buffer | null): string {
  const [mode, size] = content === null ? ["drwxr-xr-x", 4096] : ["-rw-r--r--", content.length];
  return `${mode}   1 ann      ann      ${String(size).padStart(8)} ${LISTED_TIME} ${name}`;
}

/** A listing of as many entries as are taken from it, without holding more than some of them. */
export function* endlessListing(lineOf: (index: number) => string): Generator<Buffer> {
  for (let index = 0; ;) {
    const lines: string[] = [];
    for (let more = 0; more < LINES_AT_ONCE; more += 1, index += 1) lines.push(`${lineOf(index)}\r\n`);
    yield Buffer.from(lines.join(""), "latin1");
  }
}

const LINES_AT_ONCE = 500;
