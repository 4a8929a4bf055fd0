/** Where the events of a server go: standard error, and what else was asked for. */
import type { Configuration } from "../config/sections.ts";
import type { FerrymanEvent } from "../workspace/events.ts";
import { CliError, EXIT } from "./exit.ts";

export type OpenLog = AsyncDisposable & { readonly hear: (event: FerrymanEvent) => void };

export async function openLog({ log, xferlog }: Configuration["serve"]): Promise<OpenLog> {
  if (xferlog !== undefined) throw new CliError("--xferlog: its sink is not connected yet", EXIT.configuration);
  return {
    hear: log === "off" ? () => {} : (event) => process.stderr.write(`${JSON.stringify(event)}\n`),
    async [Symbol.asyncDispose]() {},
  };
}
