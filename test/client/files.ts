/** Files in folders, for tests of the client: what is there, and what is put there. */
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Paths of all that is below a folder and no folder itself, in order. */
export async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)).toSorted();
}

/** Writes files by their path below a folder, all of the same time. */
export async function putFiles(
  root: string,
  files: Readonly<Record<string, string | Buffer>>,
  modified: Date,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
    await utimes(join(root, path), modified, modified);
  }
}
