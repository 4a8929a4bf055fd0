/** A file of this machine that a flag names and nobody can read. */
import { localFault } from "../client/octets.ts";
import { CliError, EXIT } from "./exit.ts";

/** @param what the file, or what was to be read from it. */
export function cannotRead(what: string, error: unknown): CliError {
  return new CliError(`${localFault(error, `Cannot read ${what}`).message}.`, EXIT.usage);
}
