/** A folder and those above it, made as far as they are missing. */
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { systemCode } from "./system-code.ts";

/**
 * As `mkdir -p`. Node's own recursive mkdir never ends, and cannot be ended, where a parent is there and takes nothing: below
 * /proc and the like the kernel says ENOENT for ever.
 * @param mode of those that are made; default 0o777 less the umask.
 * @throws {NodeJS.ErrnoException} EEXIST where something else is in the way; what the kernel says.
 */
export async function makeFolders(path: string, mode?: number): Promise<void> {
  const missing: string[] = [];
  for (let at = resolve(path); !(await isMade(at, mode)); at = dirname(at)) missing.push(at);
  for (const each of missing.toReversed()) {
    if (!(await isMade(each, mode)))
      throw Object.assign(new Error(`no folder can be made at ${each}`), { code: "ENOENT" });
  }
}

/** @returns false where the folder above is missing. */
async function isMade(path: string, mode: number | undefined): Promise<boolean> {
  try {
    await mkdir(path, mode);
    return true;
  } catch (error) {
    const isTop = dirname(path) === path;
    if (systemCode(error) === "ENOENT" && !isTop) return false;
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() === true) return true;
    throw error;
  }
}
