/** `ferryman mkdir`: folders at a server. */
import type { Command } from "commander";
import { atEach, remoteCommand } from "./remote/at.ts";
import type { RemoteFlags } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo } from "./remote/io.ts";
import { demandPath } from "./remote/reach.ts";

const EXAMPLES = `
Examples:
  ferryman mkdir ftp://ann@example.org/new
  ferryman mkdir -p ftp://ann@example.org/a/b/c`;

export function mkdirCommand(io: RemoteIo = PROCESS_IO): Command {
  return remoteCommand("mkdir", "Make folders at a server.", EXAMPLES)
    .argument("<URL...>", "folders")
    .option("-p, --parents", "those above too; one that is there is no failure")
    .action(
      async (urls: string[], flags: RemoteFlags & { readonly parents?: true }) =>
        await atEach(urls, { flags, io }, async ({ client, url, signal }) => {
          const path = demandPath(url, "folder").replace(/(?<=.)\/+$/, "");
          await client.mkdir(path, { recursive: flags.parents === true, signal });
        }),
    );
}
