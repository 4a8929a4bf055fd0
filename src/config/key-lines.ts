/** On which line of a TOML text each key stands: the parser does not say, and a finding without it sends people searching. */

/**
 * @param text valid TOML.
 * @returns `section` and `section.key` → line, from 1. A key that this simple reading misses is absent.
 */
export function keyLines(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  let section = "";
  for (const [index, line] of text.split("\n").entries()) {
    const header = /^\s*\[\[?\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    const key = /^\s*("[^"]*"|'[^']*'|[\w.-]+)\s*=/.exec(line)?.[1];
    if (header !== undefined) section = bare(header);
    const name = header !== undefined ? section : key === undefined ? undefined : joined(section, bare(key));
    if (name !== undefined && !lines.has(name)) lines.set(name, index + 1);
  }
  return lines;
}

function joined(section: string, key: string): string {
  return section === "" ? key : `${section}.${key}`;
}

function bare(name: string): string {
  return name.replace(/^(["'])(.*)\1$/, "$2");
}
