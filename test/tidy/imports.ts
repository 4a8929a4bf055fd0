/** Finds what a file imports, and what ARCHITECTURE.md allows it to. */
import { posix } from "node:path";
import type { SourceFile } from "./source-files.ts";

/** Modules with which protocol/ could do I/O, see a clock or start something; `node:buffer` and the like are free. */
const PURE_FOLDER = "protocol";
const PURE_MODULES: ReadonlySet<string> = new Set([
  "node:buffer",
  "node:crypto",
  "node:stream",
  "node:string_decoder",
  "node:util",
  "node:zlib",
]);

/** Every specifier in `import … from`, `import "…"`, `export … from`, `import()`, `require()` and `import("…").Type`. */
export function specifiers(text: string): readonly string[] {
  const code = withoutPureNames(text)
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/^\s*\/\/.*$/gm, "");
  const found = code.matchAll(/\bfrom\s*["']([^"']+)["']|\b(?:import|require)\s*\(?\s*["'`]([^"'`]+)["'`]/g);
  return [...found].map(([, from, called]) => from ?? called ?? "");
}

/** node:net also holds two pure functions, which tell addresses from other text; an import of these alone is no I/O. */
function withoutPureNames(text: string): string {
  return text.replace(/^import \{ (?:isIPv4|isIPv6|, )+ \} from "node:net";$/gm, "");
}

/** Rows `| folder | a, b | … |` of the table, as folder → folders it may import; itself is always among them. */
export function allowedImports(architecture: string): ReadonlyMap<string, ReadonlySet<string>> {
  const rows = architecture.matchAll(/^\| ([a-z]+) \|([^|]*)\|/gm);
  const named = [...rows].map(([, folder = "", names = ""]): readonly [string, string] => [folder, names.trim()]);
  const folders = named.filter(([, names]) => names !== "may import");
  return new Map(folders.map(([folder, names]) => [folder, new Set([folder, ...split(names)])]));
}

function split(names: string): readonly string[] {
  return names === "" ? [] : names.split(/,\s*/);
}

/** One sentence per import that the table does not name. @param files of `src/`, by path from the root. */
export function wrongImports(
  files: readonly SourceFile[],
  allowed: ReadonlyMap<string, ReadonlySet<string>>,
): readonly string[] {
  return files.flatMap(({ path, text }) => {
    const folder = folderOf(path);
    return specifiers(text).flatMap((specifier) => {
      if (specifier.startsWith(".")) {
        const target = folderOf(posix.join(posix.dirname(path), specifier));
        return allowed.get(folder)?.has(target) === true ? [] : [`${path} → ${target} (${specifier})`];
      }
      const impure = folder === PURE_FOLDER && specifier.startsWith("node:") && !PURE_MODULES.has(specifier);
      return impure ? [`${path} → ${specifier}: ${PURE_FOLDER}/ does no I/O`] : [];
    });
  });
}

/** `src/net/limits.ts` is in `net`; what is outside of src/ is in no folder of the table. */
function folderOf(path: string): string {
  return /^src\/([^/]+)\/./.exec(path)?.[1] ?? path;
}
