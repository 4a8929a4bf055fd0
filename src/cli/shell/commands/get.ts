/** Files from the server: get, mget, reget, newer. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { printable } from "../../../client/errors.ts";
import type { Entry } from "../../../client/types.ts";
import type { Call, ShellCommand } from "../command.ts";
import { ShellError, UsageError } from "../errors.ts";
import { type Flags, readFlags } from "../flags.ts";
import { type RemoteName, remoteNames } from "../globs.ts";
import { checkedName, nameProblem } from "../local-names.ts";
import { type MoveFlags, type Piece, asking, eachPiece, fetchPiece, isLocalFolder } from "../moving.ts";
import { lastPart, localPath, namesFolder } from "../place.ts";
import { copied } from "./show.ts";

const GET_FLAGS = "caErRpo:O:P:";

const OPTIONS = [
  "-c  go on with what lies there            -E  remove the file of the server afterwards",
  "-r  folders with all that is in them      -a  as text, with the line ends of this host",
  "-o  name of the file here, - shows it     -O  folder here",
];

export const GET_COMMANDS: readonly ShellCommand[] = [
  {
    name: "get",
    aliases: ["recv"],
    topic: "transfers",
    usage: "[-caEr] [-o FILE] [-O FOLDER] NAME [LOCAL]",
    help: "fetch a file",
    more: [
      ...OPTIONS,
      "A LOCAL that is a folder, or ends with a slash, gets the file into it. A glob is as with mget.",
    ],
    completes: "first-remote",
    run: async (call) => await get(call, {}),
  },
  {
    name: "mget",
    topic: "transfers",
    usage: "[-caEr] [-O FOLDER] NAME...",
    help: "fetch several files; * and ? are understood",
    more: OPTIONS,
    completes: "remote",
    run: async (call) => await mget(call, {}),
  },
  {
    name: "reget",
    topic: "transfers",
    usage: "NAME [LOCAL]",
    help: "fetch the rest of a file (get -c)",
    completes: "first-remote",
    run: async (call) => await get(call, { isResumed: true }),
  },
  {
    name: "mreget",
    topic: "transfers",
    usage: "NAME...",
    help: "fetch the rest of several files (mget -c)",
    completes: "remote",
    run: async (call) => await mget(call, { isResumed: true }),
  },
  {
    name: "newer",
    topic: "transfers",
    usage: "NAME [LOCAL]",
    help: "fetch a file if it is newer than the one here",
    completes: "first-remote",
    run: async (call) => await get(call, { exists: "newer" }),
  },
];

async function get(call: Call, more: MoveFlags): Promise<void> {
  const flags = readFlags(call.words, GET_FLAGS);
  const [name, local] = flags.rest;
  if (name === undefined) throw new UsageError("which file?");
  if (flags.rest.length > 2) throw new UsageError("one file and its name here; several files: mget");
  const target = flags.value("o") ?? local;
  const names = await remoteNames(call, [name]);
  const [only] = names;
  if (target === undefined || names.length !== 1 || only === undefined) {
    return await fetchAll(call, names, {
      flags,
      more,
      folder: target === undefined ? undefined : localPath(call.place, target),
    });
  }
  if (target.text === "-") return await copied(call.client().open(only.path, { signal: call.signal }), call.out);
  const path = localPath(call.place, target);
  if (namesFolder(target.text) || isTree(flags) || (await isLocalFolder(path))) {
    return await fetchAll(call, names, { flags, more, folder: path });
  }
  await run(call, [piece(only, path)], moveFlags(flags, more));
}

async function mget(call: Call, more: MoveFlags): Promise<void> {
  const flags = readFlags(call.words, GET_FLAGS);
  if (flags.rest.length === 0) throw new UsageError("which files?");
  if (flags.has("o")) throw new UsageError("-o names one file; use get, or -O FOLDER");
  await fetchAll(call, await remoteNames(call, flags.rest), { flags, more, folder: undefined });
}

type Wanted = { readonly flags: Flags; readonly more: MoveFlags; readonly folder: string | undefined };

/** Into a folder, under the names that they have on the server. */
async function fetchAll(call: Call, names: readonly RemoteName[], { flags, more, folder }: Wanted): Promise<void> {
  const inside = flags.value("O");
  const target = inside === undefined ? (folder ?? call.place.localFolder) : localPath(call.place, inside);
  if (target !== call.place.localFolder) await mkdir(target, { recursive: true });
  const moves = moveFlags(flags, more);
  if (isTree(flags)) return await run(call, trees(call, names, target), moves);
  const found = names.filter(({ entry }) => entry === undefined || entry.type === "file" || entry.type === "link");
  const folders = names.length - found.length;
  if (folders > 0) call.say(`note: ${folders} of them are folders and are left out; -r fetches them`);
  if (names.length > 0 && found.length === 0) throw new ShellError("there are only folders; -r fetches them");
  const ask = asking(call);
  const wanted: Piece[] = [];
  for (const name of found) {
    if (await ask("get", printable(lastPart(name.path))))
      wanted.push(piece(name, join(target, checkedName(lastPart(name.path)))));
  }
  call.board.expect({ files: wanted.length });
  await run(call, wanted, moves);
}

function isTree(flags: Flags): boolean {
  return flags.has("r") || flags.has("R");
}

function moveFlags(flags: Flags, more: MoveFlags): MoveFlags {
  return {
    ...(flags.has("c") ? { isResumed: true } : {}),
    isAscii: flags.has("a"),
    removesSource: flags.has("E"),
    ...more,
  };
}

function piece({ path, entry }: RemoteName, local: string): Piece {
  return { remote: path, local, size: entry?.size, entry: fileFacts(entry), shown: lastPart(path) };
}

/** Of a link a listing tells its own size, not that of the file. */
function fileFacts(entry: Entry | undefined): Entry | undefined {
  return entry?.type === "file" ? entry : undefined;
}

async function run(call: Call, pieces: Iterable<Piece> | AsyncIterable<Piece>, flags: MoveFlags): Promise<void> {
  await eachPiece(call, pieces, {
    work: async (each) => await fetchPiece(call, each, flags),
    name: ({ shown }) => printable(shown),
  });
}

/** The files of folders, whose folders are made here on the way. Names that cannot be files here are told and left out. */
async function* trees(call: Call, names: readonly RemoteName[], target: string): AsyncIterable<Piece> {
  for (const { path, entry } of names) {
    const facts = entry ?? (await call.client().stat(path, { signal: call.signal }));
    const top = path === "/" ? target : join(target, checkedName(lastPart(path)));
    if (facts.type !== "directory") {
      yield { ...piece({ path, entry: facts }, top), shown: lastPart(path) };
      continue;
    }
    await mkdir(top, { recursive: true });
    const below = call
      .client()
      .walk(path, { signal: call.signal, hidden: true, enter: (each) => nameProblem(each.name) === undefined });
    for await (const each of below) {
      const relative = each.path.slice(path === "/" ? 1 : path.length + 1);
      const parts = relative.split("/");
      const problem = parts.map((part) => nameProblem(part)).find((found) => found !== undefined);
      if (problem !== undefined) call.say(`note: "${printable(relative)}" is left out: ${problem}`);
      else if (each.type === "directory") await mkdir(join(top, ...parts), { recursive: true });
      else if (each.type === "file") {
        yield { remote: each.path, local: join(top, ...parts), size: each.size, entry: each, shown: relative };
      }
    }
  }
}
