/** `ferryman mv`: another name or folder for a file of a server. */
import type { Command } from "commander";
import { formatFtpUrl, parseFtpUrl } from "../client/url.ts";
import { CliError, EXIT } from "./exit.ts";
import { at, remoteCommand } from "./remote/at.ts";
import type { RemoteFlags } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo } from "./remote/io.ts";
import { demandPath, isRemote } from "./remote/reach.ts";

const EXAMPLES = `
Examples:
  ferryman mv ftp://ann@example.org/draft.txt final.txt
  ferryman mv ftp://ann@example.org/final.txt archive/`;

export function mvCommand(io: RemoteIo = PROCESS_IO): Command {
  return remoteCommand("mv", "Rename or move a file of a server.", EXAMPLES)
    .argument("<URL>", "file or folder")
    .argument("<TO>", "new path at the same server, or a folder that is there")
    .action(
      async (text: string, to: string, flags: RemoteFlags) =>
        await at(text, { flags, io }, async ({ client, url, signal }) => {
          const from = demandPath(url, "file");
          const name = from.replace(/\/+$/, "").split("/").at(-1) ?? "";
          const wanted = targetPath(to, formatFtpUrl({ ...url, path: "" }));
          const isFolder = wanted.endsWith("/") || (await client.exists(wanted, { signal })) === "directory";
          await client.rename(from, isFolder ? `${wanted.replace(/\/+$/, "")}/${name}` : wanted, { signal });
        }),
    );
}

function targetPath(to: string, here: string): string {
  if (!isRemote(to)) return to;
  const url = parseFtpUrl(to);
  if (formatFtpUrl({ ...url, path: "" }) === here) return url.path;
  throw new CliError("mv stays at one server; to another one: ferryman cp, then rm.", EXIT.usage);
}
