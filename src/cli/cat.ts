/** `ferryman cat`: files of servers on standard output. */
import { type Command, InvalidArgumentError } from "commander";
import { printable } from "./columns.ts";
import { atEach, remoteCommand } from "./remote/at.ts";
import type { RemoteFlags } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo } from "./remote/io.ts";
import { demandPath, typeOf } from "./remote/reach.ts";

const EXAMPLES = `
Examples:
  ferryman cat ftp://example.org/pub/README | less
  ferryman cat 'ftp://example.org/pub;type=d'           names of a folder
  ferryman cat --from 1000 --to 2000 ftp://example.org/log`;

type CatFlags = RemoteFlags & { readonly ascii?: true; readonly from?: number; readonly to?: number };

export function catCommand(io: RemoteIo = PROCESS_IO): Command {
  return remoteCommand("cat", "Write files of servers to standard output.", EXAMPLES)
    .argument("<URL...>", "files")
    .option("-a, --ascii", "text: line ends become those of this machine")
    .option("--from <OCTET>", "first octet, from 0", readOctet)
    .option("--to <OCTET>", "the octet after the last", readOctet)
    .action(
      async (urls: string[], flags: CatFlags) =>
        await atEach(urls, { flags, io }, async ({ client, url, signal }) => {
          const { from: start, to: end } = flags;
          if (url.type === "d") {
            for await (const { name } of client.list(url.path, { signal })) io.stdout.write(`${printable(name)}\n`);
            return;
          }
          const type = typeOf(url, flags.ascii);
          await client.download(demandPath(url, "file"), io.stdout, { signal, type, start, end });
        }),
    );
}

function readOctet(text: string): number {
  const octet = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(octet)) return octet;
  throw new InvalidArgumentError("Write a whole number of octets, such as 1000.");
}
