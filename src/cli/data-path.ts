/** The settings of the data path, looked at before anything is opened: what cannot be had is said here. */
import type { Configuration } from "../config/sections.ts";
import { chooseDataPath, congestionFault } from "../net/data-path.ts";
import { PROGRAM } from "./program.ts";
import { CliError, EXIT } from "./exit.ts";

/**
 * @returns a line for the first screen where Ferryman is slower than it could be.
 * @throws {CliError} where a setting asks for what this machine does not give.
 */
export function dataPathNotes({ server }: Pick<Configuration, "server">): readonly string[] {
  try {
    const path = chooseDataPath(server.dataPath);
    const fault = congestionFault(path, server.congestionControl);
    if (fault !== undefined) {
      throw new CliError(`congestion-control = "${server.congestionControl}": ${fault}`, EXIT.configuration);
    }
    if (path.kind === "native" || process.platform !== "linux") return [];
    return [`Files go through Ferryman's memory, which is slower: ${path.why}. More: ${PROGRAM} doctor`];
  } catch (error) {
    if (error instanceof CliError || !(error instanceof Error)) throw error;
    throw new CliError(`data-path = "${server.dataPath}": ${error.message}`, EXIT.configuration);
  }
}
