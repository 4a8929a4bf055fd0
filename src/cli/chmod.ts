/** `ferryman chmod`: permissions of files of a server. */
import { type Command, InvalidArgumentError } from "commander";
import { atEach, remoteCommand } from "./remote/at.ts";
import type { RemoteFlags } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo } from "./remote/io.ts";
import { demandPath } from "./remote/reach.ts";

const EXAMPLES = `
Examples:
  ferryman chmod 644 ftp://ann@example.org/www/index.html`;

export function chmodCommand(io: RemoteIo = PROCESS_IO): Command {
  return remoteCommand("chmod", "Change permissions of files of a server.", EXAMPLES)
    .argument("<MODE>", "octal digits, such as 644", readMode)
    .argument("<URL...>", "files or folders")
    .action(
      async (mode: number, urls: string[], flags: RemoteFlags) =>
        await atEach(urls, { flags, io }, async ({ client, url, signal }) => {
          await client.chmod(demandPath(url, "file"), mode, { signal });
        }),
    );
}

function readMode(text: string): number {
  if (/^[0-7]{3,4}$/.test(text)) return Number.parseInt(text, 8);
  throw new InvalidArgumentError("Write octal digits like 644 or 0755; u+x and the like are not known.");
}
