/** Whether an account's home can be served. A home that is away must never turn into another folder (attack 30). */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";

/** @returns what is wrong with a folder, for our log; undefined when it is there and may be entered. */
export async function homeProblem(home: string): Promise<string | undefined> {
  try {
    if (!(await stat(home)).isDirectory()) return `the home ${home} is not a folder`;
    await access(home, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return `the home ${home} is not there`;
    return `the home ${home} cannot be entered (${typeof code === "string" ? code : "unknown error"})`;
  }
}
