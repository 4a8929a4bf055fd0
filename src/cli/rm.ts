/** `ferryman rm`: removes files of a server, and folders with all that is in them. */
import type { Command } from "commander";
import { FtpError } from "../client/errors.ts";
import { hasGlob } from "../protocol/glob.ts";
import { CliError, EXIT } from "./exit.ts";
import { type At, atEach, remoteCommand } from "./remote/at.ts";
import type { RemoteFlags } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo } from "./remote/io.ts";
import { demandPath } from "./remote/reach.ts";

const EXAMPLES = `
Links are removed, never what they point to.

Examples:
  ferryman rm ftp://ann@example.org/old.txt
  ferryman rm 'ftp://ann@example.org/logs/*.tmp'
  ferryman rm -r ftp://ann@example.org/old/`;

type RmFlags = RemoteFlags & { readonly recursive?: true; readonly force?: true };

export function rmCommand(io: RemoteIo = PROCESS_IO): Command {
  return remoteCommand("rm", "Remove files of a server.", EXAMPLES)
    .argument("<URL...>", "files, or patterns with * ? [] {}")
    .option("-r, --recursive", "folders too, with all that is in them")
    .option("-f, --force", "what is not there is no failure")
    .action(
      async (urls: string[], flags: RmFlags) =>
        await atEach(urls, { flags, io }, async (place) => await remove(place, flags)),
    );
}

async function remove(place: At, flags: RmFlags): Promise<void> {
  const { client, url, signal } = place;
  const path = demandPath(url, "file").replace(/(?<=.)\/+$/, "");
  if (!hasGlob(path)) {
    await one(place, path, flags);
    return;
  }
  const found = await Array.fromAsync(client.glob(path, { signal }));
  if (found.length === 0 && flags.force !== true) {
    throw new CliError(`Nothing fits ${path}.`, EXIT.failed);
  }
  for (const entry of found) await one(place, entry.path, flags);
}

async function one({ client, signal }: At, path: string, { recursive, force }: RmFlags): Promise<void> {
  try {
    if (recursive === true && (await client.stat(path, { signal })).type === "directory")
      await client.removeTree(path, { signal });
    else await client.remove(path, { signal });
  } catch (error) {
    if (force !== true || !(error instanceof FtpError) || error.code !== "NOT_FOUND") throw error;
  }
}
