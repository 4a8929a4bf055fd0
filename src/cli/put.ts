/** `ferryman put`: files, or standard input, to a server. */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { Command } from "commander";
import { withoutPasswords } from "../base/masked.ts";
import { POOL_MOST } from "../client/limits.ts";
import type { Client, UploadOptions } from "../client/types.ts";
import { type FtpUrl, formatFtpUrl } from "../client/url.ts";
import { shownTyped } from "./columns.ts";
import { CliError, EXIT } from "./exit.ts";
import { ending } from "./remote/failure.ts";
import { REMOTE_HELP, type RemoteFlags, readCount, withRemoteFlags, withVerbose } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo } from "./remote/io.ts";
import { type Reached, inFolder, isRemote, reach, shownUrl, typeOf } from "./remote/reach.ts";
import { type OneFile, type Transfers, transferEach, transferring } from "./remote/transfers.ts";

type PutFlags = RemoteFlags & {
  readonly continue?: true;
  readonly append?: true;
  readonly exclusive?: true;
  readonly atomic?: true;
  readonly makeFolders?: true;
  readonly verify?: "size" | "hash" | "off";
  readonly ascii?: true;
  readonly parallel?: number;
  readonly failEarly?: true;
};

const EXAMPLES = `
A URL that ends in / is a folder, and so is one that is a folder at the server:
files keep their names there. Else it is the name of the one file.

Examples:
  ferryman put report.pdf ftp://ann@example.org/inbox/
  ferryman put *.jpg ftp://ann@example.org/photos/ -P 4
  ferryman put -c large.iso ftp://ann@example.org/       go on where it stopped
  date | ferryman put - ftp://ann@example.org/now.txt
${REMOTE_HELP}`;

export function putCommand(io: RemoteIo = PROCESS_IO): Command {
  const put = new Command("put")
    .description("Put files onto a server.")
    .argument("<FILE...>", "files of this machine, - for standard input; the last one is the URL")
    .option("-c, --continue", "go on where an earlier try stopped: what is there must be the beginning of the file")
    .option("--append", "behind what is there")
    .option("--exclusive", "fail if there is something of that name")
    .option("--atomic", "under a hidden name, and renamed when it is whole: the account must be allowed to rename")
    .option("-p, --make-folders", "make the folder at the server, and those above it")
    .option("--verify <HOW>", "what must agree afterwards: size (default), hash, off")
    .option("-a, --ascii", "text: line ends become those of the network")
    .option("-P, --parallel <N>", "files at the same time (default: 1)", readCount)
    .option("--fail-early", "after the first failure nothing more is begun");
  return withVerbose(withRemoteFlags(put))
    .addHelpText("after", EXAMPLES)
    .action(
      async (words: string[], flags: PutFlags) =>
        await ending(async () => await putAll(words, flags, io), shownUrl(words.at(-1) ?? "")),
    );
}

async function putAll(words: readonly string[], flags: PutFlags, io: RemoteIo): Promise<void> {
  const url = words.at(-1) ?? "";
  const files = words.slice(0, -1);
  const shown = shownUrl(url);
  if (files.length === 0) {
    const usage = shown === undefined ? `${shownTyped(url)} ftp://USER@HOST/FOLDER/` : `FILE ${shown}`;
    throw new CliError(`Put what, and where? Write: ferryman put ${usage}`, EXIT.usage);
  }
  const leftThere = "What the server keeps of an unfinished file stays there; put -c goes on behind it.";
  const remote = files.find(isRemote);
  if (remote !== undefined && !isRemote(url)) {
    throw new CliError(`The URL comes last: ferryman put ${shownTyped(url)} ftp://…`, EXIT.usage);
  }
  if (remote !== undefined) {
    const hint = "from one server to another: ferryman cp";
    throw new CliError(`put sends files of this machine, and ${shownTyped(remote)} is none; ${hint}.`, EXIT.usage);
  }
  await transferring({ flags, io, leftThere }, async (transfers) => {
    await using reached = await reachWith(url, flags, transfers);
    const { client, path } = reached;
    const isFolder = await isFolderAt(client, path, { files, flags, transfers });
    if (files.length > 1 && !isFolder) {
      throw new CliError(
        `${shown ?? shownTyped(url)} is no folder: several files need one. End the URL with / and add -p to make it.`,
        EXIT.usage,
      );
    }
    const work = files.map((file) => toPut(file, targetOf(file, path, isFolder), { reached, flags, io, transfers }));
    transfers.board.expect({ files: files.length });
    await transferEach(work, { parallel: flags.parallel ?? 1, transfers });
    return files.length;
  });
}

/** A `/` at the end says so, several files demand it, and else the server is asked. */
async function isFolderAt(
  client: Client,
  path: string,
  {
    flags,
    transfers: { signal },
  }: { readonly files: readonly string[]; readonly flags: PutFlags; readonly transfers: Transfers },
): Promise<boolean> {
  const isNamed = path === "" || path.endsWith("/");
  if (isNamed && flags.makeFolders === true && path !== "") {
    await client.mkdir(path.replace(/\/+$/, ""), { recursive: true, signal });
    return true;
  }
  const parent = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
  if (!isNamed && flags.makeFolders === true && parent !== "") await client.mkdir(parent, { recursive: true, signal });
  return isNamed || (await client.exists(path, { signal })) === "directory";
}

function targetOf(file: string, path: string, isFolder: boolean): string {
  if (!isFolder) return path;
  if (file === "-") throw new CliError("Standard input has no name: give the whole URL of the file.", EXIT.usage);
  return inFolder(path, basename(file));
}

/** As many connections as there are files at the same time, where that is more than usual. */
async function reachWith(url: string, flags: PutFlags, transfers: Transfers): Promise<Reached> {
  const { parallel = 1, connections = parallel > POOL_MOST ? parallel : undefined } = flags;
  return await reach(url, connections === undefined ? flags : { ...flags, connections }, transfers);
}

type Work = {
  readonly reached: Reached;
  readonly flags: PutFlags;
  readonly io: RemoteIo;
  readonly transfers: Transfers;
};

function toPut(file: string, path: string, { reached, flags, io, transfers: { signal } }: Work): OneFile {
  const { client, url } = reached;
  const options = optionsOf(flags, url);
  return {
    name: file === "-" ? path : withoutPasswords(file),
    url: formatFtpUrl({ ...url, octets: undefined, path }),
    run: async (onProgress) => {
      const from = file === "-" ? io.stdin : file;
      if (typeof from === "string") onProgress({ bytes: 0, resumedAt: 0, total: await sizeOf(from) });
      return await client.upload(from, path, { ...options, signal, onProgress });
    },
  };
}

/** What cannot be looked at fails when it is opened, with words for it. */
async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch {
    return undefined;
  }
}

function optionsOf({ append, exclusive, atomic, verify, ascii, ...flags }: PutFlags, url: FtpUrl): UploadOptions {
  const modes = [
    ...(append === true ? (["append"] as const) : []),
    ...(exclusive === true ? (["exclusive"] as const) : []),
    ...(flags.continue === true ? (["resume"] as const) : []),
  ];
  if (modes.length > 1) throw new CliError("--append, --exclusive and --continue do not go together.", EXIT.usage);
  if (append === true && atomic === true) throw new CliError("--append and --atomic do not go together.", EXIT.usage);
  if (verify !== undefined && verify !== "size" && verify !== "hash" && verify !== "off") {
    throw new CliError(`--verify takes size, hash or off, not ${String(verify)}.`, EXIT.usage);
  }
  return {
    mode: modes[0] ?? "replace",
    atomic,
    verify: verify === "off" ? false : verify,
    type: typeOf(url, ascii),
  };
}
