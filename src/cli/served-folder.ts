/** The folder to serve: found, readable, and named in full, before anything is opened. */
import { shellWord } from "./program.ts";
import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { CliError, EXIT } from "./exit.ts";

/** The absolute path without links. @throws {CliError} */
export async function servedFolder(given: string): Promise<string> {
  const folder = resolve(given);
  try {
    if (!(await stat(folder)).isDirectory()) {
      throw new CliError(`${folder} is a file; name the folder that holds it`, EXIT.configuration);
    }
    await access(folder, constants.R_OK | constants.X_OK);
    return await realpath(folder);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new CliError(
        `There is no folder ${folder}. Make it with: mkdir -p ${shellWord(folder)}`,
        EXIT.configuration,
      );
    }
    if (code === "EACCES" || code === "EPERM") {
      throw new CliError(`No right to read ${folder}. Its rights: ls -ld ${shellWord(folder)}`, EXIT.refused);
    }
    throw error;
  }
}
