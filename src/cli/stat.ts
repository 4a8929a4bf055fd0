/** `ferryman stat`: what a server says of a file. */
import type { Command } from "commander";
import type { Entry } from "../client/types.ts";
import { printable } from "./columns.ts";
import { shownSize } from "./progress/figures.ts";
import { atEach, remoteCommand } from "./remote/at.ts";
import { entryJson, shownTime } from "./remote/entry-lines.ts";
import type { RemoteFlags } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo } from "./remote/io.ts";

const EXAMPLES = `
Examples:
  ferryman stat ftp://example.org/pub/large.iso
  ferryman stat --hash ftp://example.org/pub/large.iso`;

export function statCommand(io: RemoteIo = PROCESS_IO): Command {
  return remoteCommand("stat", "Tell what a server says of files.", EXAMPLES)
    .argument("<URL...>", "files or folders")
    .option("--hash", "with the digest that the server works out")
    .action(
      async (urls: string[], flags: RemoteFlags & { readonly hash?: true }) =>
        await atEach(urls, { flags, io }, async ({ client, path, signal }) => {
          const entry = await client.stat(path, { signal });
          const digest = flags.hash === true && entry.type === "file" ? await client.hash(path, { signal }) : undefined;
          const hash = digest === undefined ? undefined : `${digest.algorithm} ${digest.hash}`;
          if (flags.json === true) io.stdout.write(`${JSON.stringify({ ...entryJson(entry), hash: hash ?? null })}\n`);
          else io.stdout.write(text(entry, { hash, isAsked: flags.hash === true }));
        }),
    );
}

function text(
  entry: Entry,
  { hash, isAsked }: { readonly hash: string | undefined; readonly isAsked: boolean },
): string {
  const { path, type, size, mode, owner, group } = entry;
  const lines = [
    ["path", printable(path)],
    ["type", type],
    ["size", size === undefined ? undefined : `${size} octets${size < 1024 ? "" : ` (${shownSize(size)})`}`],
    ["modified", entry.modified === undefined ? undefined : `${shownTime(entry)} UTC`],
    ["mode", mode?.toString(8).padStart(4, "0")],
    [
      "owner",
      owner === undefined ? undefined : printable([owner, group].filter((name) => name !== undefined).join(":")),
    ],
    ["hash", hash ?? (isAsked && type === "file" ? "the server has no digests" : undefined)],
  ];
  return lines.flatMap(([name = "", value]) => (value === undefined ? [] : [`${name.padEnd(9)} ${value}\n`])).join("");
}
