/** What the tidy tests share: the source files, by their path from the root. */
import { globSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";

export const ROOT: string = join(import.meta.dirname, "..", "..");

export type SourceFile = { readonly path: string; readonly text: string };

/** Files whose path from the root matches one of the globs; paths with `/` on every system. */
export function sourceFiles(...globs: readonly string[]): readonly SourceFile[] {
  return globSync([...globs], { cwd: ROOT })
    .map((name) => ({ path: name.split(sep).join("/"), text: readFileSync(join(ROOT, name), "utf8") }))
    .toSorted((left, right) => left.path.localeCompare(right.path));
}

export function isTest(path: string): boolean {
  return path.startsWith("test/") || path.endsWith(".test.ts");
}
