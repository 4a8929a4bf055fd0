/** `ferryman ls`: what is in a folder of a server. */
import { type Command, Option } from "commander";
import type { Entry } from "../client/types.ts";
import { hasGlob } from "../protocol/glob.ts";
import { alignment, printable } from "./columns.ts";
import { type At, atEach, remoteCommand } from "./remote/at.ts";
import { entryJson, longCells, shownEntry } from "./remote/entry-lines.ts";
import type { RemoteFlags } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo } from "./remote/io.ts";

type LsFlags = RemoteFlags & {
  readonly long?: true;
  readonly all?: true;
  readonly recursive?: true;
  readonly sort?: "name" | "time" | "size";
  readonly reverse?: true;
  readonly directory?: true;
};

const EXAMPLES = `
Times are UTC; ~ marks those of servers that do not tell their zone.

Examples:
  ferryman ls ftp://ftp.example.org/pub/
  ferryman ls -l --sort time ftp://ann@example.org
  ferryman ls 'ftp://example.org/pub/*.gz' --json | jq .size`;

export function lsCommand(io: RemoteIo = PROCESS_IO): Command {
  return remoteCommand("ls", "List folders of a server.", EXAMPLES)
    .argument("<URL...>", "folders, files, or patterns with * ? [] {}")
    .option("-l, --long", "with mode, owner, size and time")
    .option("-a, --all", "hidden names too, where the server tells them apart")
    .option("-R, --recursive", "all that is below, with paths")
    .option("-d, --directory", "the folder itself, not what is in it")
    .addOption(new Option("--sort <BY>", "in which order (default: name)").choices(["name", "time", "size"]))
    .option("-r, --reverse", "in the opposite order")
    .action(
      async (urls: string[], flags: LsFlags) =>
        await atEach(urls, { flags, io }, async (place) => await show(place, flags)),
    );
}

async function show({ client, path, io, signal, say }: At, flags: LsFlags): Promise<void> {
  if (flags.recursive === true) {
    for await (const entry of client.walk(path, { signal, hidden: flags.all }))
      write({ ...entry, name: entry.path }, flags, io);
    return;
  }
  const entries = await entriesOf({ client, path, signal, flags, say });
  if (flags.json === true || flags.long !== true) {
    for (const entry of entries) write(entry, flags, io);
    return;
  }
  const rows = entries.map((entry) => longCells(entry, io.stdout));
  const line = alignment(rows);
  for (const row of rows) io.stdout.write(`${line(row)}\n`);
}

type Asked = Pick<At, "client" | "path" | "signal" | "say"> & { readonly flags: LsFlags };

async function entriesOf({ client, path, signal, flags, say }: Asked): Promise<readonly Entry[]> {
  if (hasGlob(path)) return sorted(await Array.fromAsync(client.glob(path, { signal })), flags);
  if (flags.directory === true) return [await client.stat(path, { signal })];
  const listing = client.list(path, { signal, hidden: flags.all, orFile: true });
  const entries = await listing.toArray();
  for (const warning of listing.warnings) say(`warning: ${printable(warning)}`);
  return sorted(
    flags.all === true
      ? entries
      : entries.filter(({ name, path: whole }) => !name.startsWith(".") || (path !== "" && whole.endsWith(path))),
    flags,
  );
}

function byName(a: Entry, b: Entry): number {
  return a.name < b.name ? -1 : Number(a.name > b.name);
}

function sorted(entries: readonly Entry[], { sort = "name", reverse }: LsFlags): readonly Entry[] {
  const orders = {
    name: byName,
    time: (a: Entry, b: Entry) => (b.modified?.ms ?? 0) - (a.modified?.ms ?? 0) || byName(a, b),
    size: (a: Entry, b: Entry) => (b.size ?? -1) - (a.size ?? -1) || byName(a, b),
  };
  const ordered = entries.toSorted(orders[sort]);
  return reverse === true ? ordered.toReversed() : ordered;
}

function write(entry: Entry, { json, long }: LsFlags, { stdout }: RemoteIo): void {
  if (json === true) stdout.write(`${JSON.stringify(entryJson(entry))}\n`);
  else if (long === true) stdout.write(`${longCells(entry, stdout).join("  ")}\n`);
  else stdout.write(`${shownEntry(entry, stdout)}\n`);
}
