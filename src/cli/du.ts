/** `ferryman du`: how much lies in folders of a server. */
import type { Command } from "commander";
import { printable } from "./columns.ts";
import { aboutSize } from "./remote/entry-lines.ts";
import { shownSize } from "./progress/figures.ts";
import { type At, atEach, remoteCommand } from "./remote/at.ts";
import { readCount, type RemoteFlags } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo } from "./remote/io.ts";

const EXAMPLES = `
Sizes are those of the files as the server tells them, not of its disk.

Examples:
  ferryman du ftp://ann@example.org/photos
  ferryman du -d 1 ftp://ann@example.org`;

type DuFlags = RemoteFlags & { readonly bytes?: true; readonly depth?: number; readonly summarize?: true };

export function duCommand(io: RemoteIo = PROCESS_IO): Command {
  return remoteCommand("du", "Tell how much lies in folders of a server.", EXAMPLES)
    .argument("<URL...>", "folders or files")
    .option("-b, --bytes", "octets as a number")
    .option("-d, --depth <N>", "levels that get a line of their own (default: all)", readCount)
    .option("-s, --summarize", "the total alone")
    .action(
      async (urls: string[], flags: DuFlags) =>
        await atEach(urls, { flags, io }, async (place) => await sum(place, flags)),
    );
}

type Sum = { bytes: number; files: number };

async function sum({ client, path, io, signal }: At, flags: DuFlags): Promise<void> {
  const base = path === "" ? client.info.home : path.replace(/(?<=.)\/+$/, "");
  const root =
    base.startsWith("/") || !client.info.home.startsWith("/") ? base : `${client.info.home.replace(/\/$/, "")}/${base}`;
  const most = flags.summarize === true ? 0 : (flags.depth ?? Number.POSITIVE_INFINITY);
  const sums = new Map<string, Sum>([[root, { bytes: 0, files: 0 }]]);
  for await (const entry of client.walk(root, { signal, hidden: true, orFile: true })) {
    const { path: found, type } = entry;
    const size = aboutSize(entry) ?? 0;
    if (type === "directory") {
      if (depthOf(found, root) <= most) sums.set(found, { bytes: 0, files: 0 });
      continue;
    }
    for (const [folder, total] of sumsAbove(found, { root, sums })) {
      total.bytes += size;
      total.files += 1;
      if (folder === root) break;
    }
  }
  for (const [folder, total] of [...sums].toReversed()) {
    if (flags.json === true) io.stdout.write(`${JSON.stringify({ v: 1, path: folder, ...total })}\n`);
    else
      io.stdout.write(`${flags.bytes === true ? String(total.bytes) : shownSize(total.bytes)}\t${printable(folder)}\n`);
  }
}

function depthOf(path: string, root: string): number {
  return path.slice(root === "/" ? 0 : root.length).split("/").length - 1;
}

/** The folders above a path that have a line, from below; of a file that was asked for itself its own. */
function* sumsAbove(
  path: string,
  { root, sums }: { readonly root: string; readonly sums: ReadonlyMap<string, Sum> },
): Generator<[string, Sum]> {
  const own = sums.get(path);
  if (own !== undefined) yield [path, own];
  for (let folder = path; folder !== root && folder !== "";) {
    folder = folder.slice(0, folder.lastIndexOf("/"));
    const key = folder === "" ? "/" : folder;
    const total = sums.get(key);
    if (total !== undefined) yield [key, total];
  }
}
