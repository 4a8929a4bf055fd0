/** Where the events of a server go: standard error, and an xferlog if one was asked for. */
import { resolve } from "node:path";
import type { Configuration } from "../config/sections.ts";
import type { FerrymanEvent } from "../workspace/events.ts";
import { type Sink, openSink } from "../workspace/sinks/sink.ts";
import { CliError, EXIT } from "./exit.ts";

export type OpenLog = AsyncDisposable & { readonly hear: (event: FerrymanEvent) => void };

/** @throws {CliError} when the xferlog cannot be written. */
export async function openLog({ log, xferlog }: Configuration["serve"]): Promise<OpenLog> {
  const sinks: Sink[] = [];
  if (xferlog !== undefined) sinks.push(await openXferlog(resolve(xferlog)));
  if (log !== "off") sinks.push(await openSink(log, "stderr"));
  return {
    hear(event) {
      for (const sink of sinks) sink.write(event);
    },
    async [Symbol.asyncDispose]() {
      for (const sink of sinks) await sink.close();
    },
  };
}

/** Under root the server has given up the right to write what belongs to others before it opens anything. */
function noRight(): string {
  const asRoot = "; started by root, it writes only what belongs to root: chown root it and its folder";
  return `no right to write it${process.getuid?.() === 0 ? asRoot : ""}`;
}

async function openXferlog(file: string): Promise<Sink> {
  try {
    return await openSink("xferlog", { file });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const why = code === "ENOENT" ? "its folder is not there" : code === "EACCES" ? noRight() : undefined;
    throw new CliError(`--xferlog ${file}: ${why ?? "it cannot be opened"}`, EXIT.configuration);
  }
}
