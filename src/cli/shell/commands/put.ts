/** Files to the server: put, mput, reput, append. */
import { stat } from "node:fs/promises";
import { basename, relative, sep } from "node:path";
import { FtpError } from "../../../client/errors.ts";
import type { UploadOptions } from "../../../client/types.ts";
import type { Call, ShellCommand } from "../command.ts";
import { ShellError, UsageError } from "../errors.ts";
import { type Flags, readFlags } from "../flags.ts";
import { localNames } from "../globs.ts";
import {
  type Piece,
  asking,
  eachPiece,
  isLocalFolder,
  isTree,
  moveFlags,
  sendPiece,
  takenRestart,
  walkLocal,
} from "../moving.ts";
import { UNIQUE_MOST, freeName, mappedName } from "../name-rules.ts";
import { inFolder, namesFolder, remotePath } from "../place.ts";

const PUT_FLAGS = "caErRpo:O:P:";

const OPTIONS = [
  "-c  go on where an earlier try ended   -E  remove the file here afterwards",
  "-r  folders with all that is in them   -a  as text",
  "-o  name on the server                 -O  folder on the server",
  "-P  files at the same time             -p  keep the time (usual anyway)",
  "A name that begins with a - needs -- in front: put -- -name",
];

type Mode = UploadOptions["mode"];

export const PUT_COMMANDS: readonly ShellCommand[] = [
  {
    name: "put",
    aliases: ["send"],
    topic: "transfers",
    usage: "[-caErp] [-o NAME] [-O FOLDER] [-P N] FILE [NAME]",
    help: "send a file",
    more: [...OPTIONS, "A NAME that is a folder, or ends with a slash, gets the file into it."],
    examples: ["put a.txt", "put a.txt in/", "put a.txt -o b.txt", "put -r site", "put -c a.iso &"],
    completes: "first-local",
    run: async (call) => await put(call, undefined),
  },
  {
    name: "mput",
    topic: "transfers",
    usage: "[-caErp] [-O FOLDER] [-P N] FILE...",
    help: "send several files; * and ? are understood",
    more: OPTIONS,
    examples: ["mput *.csv", "mput -P 8 -O in *.jpg"],
    completes: "local",
    run: async (call) => {
      const flags = readFlags(call.words, PUT_FLAGS);
      if (flags.rest.length === 0) throw new UsageError("which files?");
      if (flags.has("o")) throw new UsageError("-o names one file; use put, or -O FOLDER");
      await sendAll(call, await localNames(call, flags.rest), { flags, mode: undefined, folder: undefined });
    },
  },
  {
    name: "reput",
    topic: "transfers",
    usage: "FILE [NAME]",
    help: "send the rest of a file (put -c)",
    completes: "first-local",
    run: async (call) => await put(call, "resume"),
  },
  {
    name: "append",
    topic: "transfers",
    usage: "FILE [NAME]",
    help: "send a file to the end of one of the server",
    completes: "first-local",
    run: async (call) => await put(call, "append"),
  },
];

async function put(call: Call, mode: Mode): Promise<void> {
  const flags = readFlags(call.words, PUT_FLAGS);
  const [file, name] = flags.rest;
  if (file === undefined) throw new UsageError("which file?");
  if (flags.rest.length > 2) throw new UsageError("one file and its name on the server; several files: mput");
  const target = flags.value("o") ?? name;
  const paths = await localNames(call, [file]);
  const [only] = paths;
  const remote = target === undefined ? undefined : remotePath(call.place, target);
  const isInto = target === undefined || paths.length !== 1 || namesFolder(target.text) || isTree(flags);
  if (isInto || remote === undefined || only === undefined || (await isRemoteFolder(call, remote))) {
    return await sendAll(call, paths, { flags, mode, folder: remote });
  }
  const free = await uniqueThere(call, remote, new Set());
  await run(call, [await piece(only, free)], { flags, mode: (await restarted(call, free)) ?? mode });
}

/** After `restart`: the file of the server must end at its offset, where this one goes on. @throws {ShellError} */
async function restarted(call: Call, path: string): Promise<"resume" | undefined> {
  const offset = takenRestart(call);
  if (offset === undefined || offset === 0) return undefined;
  const { size } = await call.client().stat(path, { signal: call.signal });
  if (size === offset) return "resume";
  const there = size === undefined ? "of a size that the server does not say" : `${size} octets long`;
  throw new ShellError(`restart ${offset}: the server's file is ${there}; reput finds the place`);
}

/** The name, or with `sunique` one that the server does not have. @param taken what this command will write. */
async function uniqueThere(call: Call, path: string, taken: Set<string>): Promise<string> {
  if (!call.shell.settings.isOn("sunique")) return path;
  const isTaken = async (name: string): Promise<boolean> =>
    taken.has(name) || (await call.client().exists(name, { signal: call.signal })) !== false;
  const free = await freeName(path, isTaken);
  if (free === undefined) throw new ShellError(`${path} and ${UNIQUE_MOST} numbered ones are there already`);
  taken.add(free);
  return free;
}

async function isRemoteFolder(call: Call, path: string): Promise<boolean> {
  return (await call.client().exists(path, { signal: call.signal })) === "directory";
}

type Wanted = { readonly flags: Flags; readonly mode: Mode; readonly folder?: string | undefined };

/** Into a folder of the server, under the names that they have here. */
async function sendAll(call: Call, paths: readonly string[], wanted: Wanted): Promise<void> {
  const inside = wanted.flags.value("O");
  const target = inside === undefined ? (wanted.folder ?? call.place.folder) : remotePath(call.place, inside);
  if (isTree(wanted.flags)) return await run(call, trees(call, paths, target), wanted);
  const ask = asking(call);
  const pieces: Piece[] = [];
  const taken = new Set<string>();
  const rules = call.shell.settings.nameRules();
  let folders = 0;
  for (const path of paths) {
    if (await isLocalFolder(path)) folders += 1;
    else if (await ask("put", basename(path))) {
      const name = mappedName(basename(path), rules, { fromServer: false });
      pieces.push(await piece(path, await uniqueThere(call, inFolder(target, name), taken)));
    }
  }
  if (folders === paths.length) throw new ShellError("there are only folders; -r sends them");
  if (folders > 0) call.say(`note: ${folders} of them are folders and are left out; -r sends them`);
  call.board.expect({ files: pieces.length });
  const [only] = pieces;
  const resumed = pieces.length === 1 && only !== undefined ? await restarted(call, only.remote) : undefined;
  await run(call, pieces, { ...wanted, mode: resumed ?? wanted.mode });
}

/** A file that is not there is told as its own failure, not as that of all. */
async function piece(local: string, remote: string): Promise<Piece> {
  const size = (await stat(local).catch(() => undefined))?.size;
  return { remote, local, size, shown: basename(local) };
}

async function run(
  call: Call,
  pieces: Iterable<Piece> | AsyncIterable<Piece>,
  { flags, mode }: Pick<Wanted, "flags" | "mode">,
): Promise<void> {
  const isNew = call.shell.settings.isOn("sunique") && !isTree(flags);
  const usual = flags.has("c") ? "resume" : isNew ? "exclusive" : undefined;
  const moves = { ...moveFlags(flags), mode: mode ?? usual };
  await eachPiece(call, pieces, {
    parallel: moves.parallel,
    work: async (each) => await sendPiece(call, each, moves),
    name: ({ shown }) => shown,
  });
}

async function* trees(call: Call, paths: readonly string[], target: string): AsyncIterable<Piece> {
  for (const path of paths) {
    const top = inFolder(target, basename(path));
    if (!(await isLocalFolder(path))) {
      yield await piece(path, top);
      continue;
    }
    await madeFolder(call, top);
    for await (const each of walkLocal(path)) {
      const name = relative(path, each.path).replaceAll(sep, "/");
      if (each.isFolder) await madeFolder(call, inFolder(top, name));
      else yield { remote: inFolder(top, name), local: each.path, size: each.size, shown: name };
    }
  }
}

async function madeFolder(call: Call, path: string): Promise<void> {
  try {
    await call.client().mkdir(path, { recursive: true, signal: call.signal });
  } catch (error) {
    if (!(error instanceof FtpError) || error.code !== "EXISTS") throw error;
  }
}
