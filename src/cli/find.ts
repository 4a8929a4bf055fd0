/** `ferryman find`: names in a tree of a server. */
import { type Command, Option } from "commander";
import { bytesOfText } from "../base/bytes.ts";
import type { Entry } from "../client/types.ts";
import { compileGlob } from "../protocol/glob.ts";
import { printable } from "./columns.ts";
import { type At, at, remoteCommand } from "./remote/at.ts";
import { entryJson } from "./remote/entry-lines.ts";
import { readAge, readCount, readGlob, readSize, type RemoteFlags } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo } from "./remote/io.ts";

const EXAMPLES = `
Examples:
  ferryman find ftp://example.org/pub --name '*.iso'
  ferryman find ftp://ann@example.org --type directory --depth 2
  ferryman find ftp://ann@example.org --larger 100M --newer 7d`;

type FindFlags = RemoteFlags & {
  readonly name?: string;
  readonly type?: Entry["type"];
  readonly larger?: number;
  readonly smaller?: number;
  readonly newer?: number;
  readonly older?: number;
  readonly depth?: number;
};

export function findCommand(io: RemoteIo = PROCESS_IO): Command {
  return remoteCommand("find", "Find names in a tree of a server.", EXAMPLES)
    .argument("<URL>", "folder or file")
    .option("--name <GLOB>", "names that fit, such as '*.gz'", readGlob)
    .addOption(new Option("--type <TYPE>", "only these").choices(["file", "directory", "link", "other"]))
    .option("--larger <SIZE>", "files of at least so many octets, such as 10M", readSize)
    .option("--smaller <SIZE>", "files of at most so many octets", readSize)
    .option("--newer <TIME>", "changed since so long, such as 7d or 90m", readAge)
    .option("--older <TIME>", "not changed since so long", readAge)
    .option("--depth <N>", "levels below the folder", readCount)
    .action(
      async (url: string, flags: FindFlags) =>
        await at(url, { flags, io }, async (place) => await search(place, flags)),
    );
}

async function search({ client, path, io, signal }: At, flags: FindFlags): Promise<void> {
  const fits = filterOf(flags, io.now());
  for await (const entry of client.walk(path, {
    signal,
    hidden: true,
    orFile: true,
    ...(flags.depth === undefined ? {} : { depth: flags.depth }),
  })) {
    if (!fits(entry)) continue;
    io.stdout.write(flags.json === true ? `${JSON.stringify(entryJson(entry))}\n` : `${printable(entry.path)}\n`);
  }
}

function filterOf({ name, type, larger, smaller, newer, older }: FindFlags, now: number): (entry: Entry) => boolean {
  const byName = name === undefined ? undefined : compileGlob(bytesOfText(name));
  const tests: readonly ((entry: Entry) => boolean)[] = [
    ...(byName === undefined ? [] : [(entry: Entry) => byName(bytesOfText(entry.name))]),
    ...(type === undefined ? [] : [(entry: Entry) => entry.type === type]),
    ...(larger === undefined ? [] : [(entry: Entry) => entry.size !== undefined && entry.size >= larger]),
    ...(smaller === undefined ? [] : [(entry: Entry) => entry.size !== undefined && entry.size <= smaller]),
    ...(newer === undefined
      ? []
      : [(entry: Entry) => entry.modified !== undefined && now - entry.modified.ms <= newer]),
    ...(older === undefined
      ? []
      : [(entry: Entry) => entry.modified !== undefined && now - entry.modified.ms >= older]),
  ];
  return (entry) => tests.every((test) => test(entry));
}
