/** Files from the server: get, mget, reget, pget, fget, newer. */
import { readFile, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../../../base/make-folders.ts";
import { printable } from "../../../client/errors.ts";
import type { Entry } from "../../../client/types.ts";
import type { Call, ShellCommand } from "../command.ts";
import { ShellError, UsageError } from "../errors.ts";
import { type Flags, readFlags, wholeNumber } from "../flags.ts";
import { type RemoteName, remoteNames } from "../globs.ts";
import { NAMES_FILE_MOST, SEGMENTS_MOST, SEGMENTS_USUAL } from "../limits.ts";
import { checkedName, nameProblem } from "../local-names.ts";
import {
  type MoveFlags,
  type Piece,
  asking,
  eachPiece,
  fetchPiece,
  isLocalFolder,
  isTree,
  moveFlags,
  takenRestart,
} from "../moving.ts";
import { UNIQUE_MOST, freeName, mappedName } from "../name-rules.ts";
import { lastPart, localPath, namesFolder, remotePath } from "../place.ts";
import { plainWord } from "../words.ts";
import { copied } from "./show.ts";

const GET_FLAGS = "caErRpo:O:P:";

const OPTIONS = [
  "-c  go on with what lies there         -E  remove the server's file afterwards",
  "-r  folders with all that is in them   -a  as text, with our line ends",
  "-o  name of the file here, - shows it  -O  folder here",
  "-P  files at the same time             -p  keep the time (usual anyway)",
  "A name that begins with a - needs -- in front: get -- -name",
];

export const GET_COMMANDS: readonly ShellCommand[] = [
  {
    name: "get",
    aliases: ["recv"],
    topic: "transfers",
    usage: "[-caErp] [-o FILE] [-O FOLDER] [-P N] NAME [LOCAL]",
    help: "fetch a file",
    more: [...OPTIONS, "A LOCAL that is a folder, or ends with a slash, gets the file into it."],
    examples: ["get a.iso", "get -c a.iso &", "get a.txt notes/", "get -r pub", "get log -o - | tail"],
    completes: "first-remote",
    run: async (call) => await get(call, {}),
  },
  {
    name: "mget",
    topic: "transfers",
    usage: "[-caErp] [-O FOLDER] [-P N] NAME...",
    help: "fetch several files; * and ? are understood",
    more: OPTIONS,
    examples: ["mget *.gz", "mget -P 8 -O here *.jpg *.png"],
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
    name: "pget",
    topic: "transfers",
    usage: "[-n N] NAME [LOCAL]",
    help: "fetch a file in several parts at the same time",
    more: [
      `-n  parts: ${SEGMENTS_USUAL} unless you say, ${SEGMENTS_MOST} at most. What an earlier try has left is used.`,
    ],
    examples: ["pget -n 4 a.iso"],
    completes: "first-remote",
    run: pget,
  },
  {
    name: "fget",
    topic: "transfers",
    usage: "[-caEp] [-O FOLDER] [-P N] LIST",
    help: "fetch the files that a file here names, one in each line",
    examples: ["fget wanted.txt"],
    completes: "local",
    run: fget,
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
  await getAs(call, readFlags(call.words, GET_FLAGS), more);
}

async function getAs(call: Call, flags: Flags, more: MoveFlags): Promise<void> {
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
  const free = await uniqueHere(call, path, new Set());
  const offset = await restarted(call, free);
  await run(call, [piece(only, free)], { ...moveFlags(flags), ...more, ...offset });
}

/** After `restart`: the file here is cut at its offset, from where the rest comes. @throws {ShellError} */
async function restarted(call: Call, path: string): Promise<MoveFlags> {
  const offset = takenRestart(call);
  if (offset === undefined || offset === 0) return {};
  const { size } = await stat(path).catch(() => ({ size: 0 }));
  if (size < offset) throw new ShellError(`restart ${offset}: the file here has ${size} octets; reget finds the place`);
  await truncate(path, offset);
  return { isResumed: true };
}

/** The name, or with `runique` one that no file has. @param taken what this command will write. */
async function uniqueHere(call: Call, path: string, taken: Set<string>): Promise<string> {
  if (!call.shell.settings.isOn("runique")) return path;
  const free = await freeName(path, async (name) => taken.has(name) || (await isThere(name)));
  if (free === undefined) throw new ShellError(`${path} and ${UNIQUE_MOST} numbered ones are there already`);
  taken.add(free);
  return free;
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function mget(call: Call, more: MoveFlags): Promise<void> {
  const flags = readFlags(call.words, GET_FLAGS);
  if (flags.rest.length === 0) throw new UsageError("which files?");
  if (flags.has("o")) throw new UsageError("-o names one file; use get, or -O FOLDER");
  await fetchAll(call, await remoteNames(call, flags.rest), { flags, more, folder: undefined });
}

async function pget(call: Call): Promise<void> {
  const flags = readFlags(call.words, `${GET_FLAGS}n:`);
  const count = flags.value("n");
  const segments = count === undefined ? SEGMENTS_USUAL : wholeNumber(count, { from: 1, to: SEGMENTS_MOST });
  await getAs(call, flags, { segments });
}

async function fget(call: Call): Promise<void> {
  const flags = readFlags(call.words, GET_FLAGS);
  const [list, ...others] = flags.rest;
  if (list === undefined || others.length > 0) throw new UsageError("which list?");
  const path = localPath(call.place, list);
  const { size } = await stat(path);
  if (size > NAMES_FILE_MOST) throw new ShellError(`${printable(list.text)} has more than ${NAMES_FILE_MOST} octets`);
  const lines = (await readFile(path, "utf8")).split(/\r?\n/).filter((line) => line !== "");
  if (lines.length === 0) throw new ShellError(`${printable(list.text)} names nothing`);
  // Lines are names as they stand, no globs.
  const names = lines.map((line) => ({ path: remotePath(call.place, plainWord(line)) }));
  await fetchAll(call, names, { flags, more: {}, folder: undefined });
}

type Wanted = { readonly flags: Flags; readonly more: MoveFlags; readonly folder: string | undefined };

/** Into a folder, under the names that they have on the server. */
async function fetchAll(call: Call, names: readonly RemoteName[], { flags, more, folder }: Wanted): Promise<void> {
  const inside = flags.value("O");
  const target = inside === undefined ? (folder ?? call.place.localFolder) : localPath(call.place, inside);
  if (target !== call.place.localFolder) await makeFolders(target);
  const moves = { ...moveFlags(flags), ...more };
  if (isTree(flags)) return await run(call, trees(call, names, target), moves);
  const found = names.filter(({ entry }) => entry === undefined || entry.type === "file" || entry.type === "link");
  const folders = names.length - found.length;
  if (folders > 0) call.say(`note: ${folders} of them are folders and are left out; -r fetches them`);
  if (names.length > 0 && found.length === 0) throw new ShellError("there are only folders; -r fetches them");
  const ask = asking(call);
  const wanted: Piece[] = [];
  const taken = new Set<string>();
  const rules = call.shell.settings.nameRules();
  for (const name of found) {
    if (!(await ask("get", printable(lastPart(name.path))))) continue;
    const own = mappedName(lastPart(name.path), rules, { fromServer: true });
    wanted.push(piece(name, await uniqueHere(call, join(target, checkedName(own)), taken)));
  }
  call.board.expect({ files: wanted.length });
  const [only] = wanted;
  const offset = wanted.length === 1 && only !== undefined ? await restarted(call, only.local) : {};
  await run(call, wanted, { ...moves, ...offset });
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
    parallel: flags.parallel,
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
    await makeFolders(top);
    const below = call
      .client()
      .walk(path, { signal: call.signal, hidden: true, enter: (each) => nameProblem(each.name) === undefined });
    for await (const each of below) {
      const relative = each.path.slice(path === "/" ? 1 : path.length + 1);
      const parts = relative.split("/");
      const problem = parts.map((part) => nameProblem(part)).find((found) => found !== undefined);
      if (problem !== undefined) call.say(`note: "${printable(relative)}" is left out: ${problem}`);
      else if (each.type === "directory") await makeFolders(join(top, ...parts));
      else if (each.type === "file") {
        yield { remote: each.path, local: join(top, ...parts), size: each.size, entry: each, shown: relative };
      }
    }
  }
}
