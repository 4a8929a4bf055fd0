/** Local trees for tests of the mirror. */
import { chmod, lstat, mkdir, mkdtemp, readFile, readdir, readlink, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { THEN } from "./test-client.ts";

export class TestTree implements AsyncDisposable {
  /** The folder that is mirrored. */
  readonly root: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.root = join(folder, "tree");
  }

  static async make(): Promise<TestTree> {
    const tree = new TestTree(await mkdtemp(join(tmpdir(), "ferryman-mirror-")));
    await mkdir(tree.root);
    return tree;
  }

  /** A path beside the mirrored folder. */
  beside(name: string): string {
    return join(this.#folder, name);
  }

  /** "now": the time is left as it comes. */
  async put(
    path: string,
    data: string | Buffer,
    { ms = THEN, mode = 0o644 }: { ms?: number; mode?: number } = {},
  ): Promise<void> {
    const full = join(this.root, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, data);
    await chmod(full, mode);
    await utimes(full, new Date(ms), new Date(ms));
  }

  async text(path: string): Promise<string> {
    return await readFile(join(this.root, path), "utf8");
  }

  async ms(path: string): Promise<number> {
    return (await lstat(join(this.root, path))).mtimeMs;
  }

  async mode(path: string): Promise<number> {
    return (await lstat(join(this.root, path))).mode & 0o7777;
  }

  /** All paths, in order; links with their targets. */
  async paths(): Promise<string[]> {
    const entries = await readdir(this.root, { recursive: true, withFileTypes: true });
    const shown = entries.map(async (entry) => {
      const full = join(entry.parentPath, entry.name);
      const path = full.slice(this.root.length + 1);
      return entry.isSymbolicLink() ? `${path} -> ${await readlink(full)}` : path;
    });
    return (await Promise.all(shown)).toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
