/** `ferryman get`: files from servers, to files of the same name, a name, a folder, or standard output. */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { bytesOfText } from "../base/bytes.ts";
import { type BatchFault, type BatchItem, isBatchFault, readBatch } from "../client/batch.ts";
import { FtpError } from "../client/errors.ts";
import type { DownloadOptions, Entry, Transferred } from "../client/types.ts";
import { type FtpUrl, formatFtpUrl, parseFtpUrl } from "../client/url.ts";
import { hasGlob } from "../protocol/glob.ts";
import { unsafeName } from "../protocol/listings/unsafe-name.ts";
import { CliError, EXIT } from "./exit.ts";
import type { TreeFlags } from "./get-tree.ts";
import { ending } from "./remote/failure.ts";
import { REMOTE_HELP, readCount, withRemoteFlags } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo } from "./remote/io.ts";
import { type Reached, demandPath, isRemote, reach } from "./remote/reach.ts";
import { type OneFile, type Transfers, transferEach, transferOne, transferring } from "./remote/transfers.ts";

/** Servers of one file: more would hardly be faster, and each has its login. */
const MIRRORS_MOST = 16;

type GetFlags = TreeFlags & {
  readonly output?: string;
  readonly recursive?: true;
  readonly input?: string;
  readonly segments?: number | "auto";
  readonly mirror?: readonly string[];
  readonly verify?: "size" | "hash" | "off";
  readonly ascii?: true;
};

const EXAMPLES = `
Examples:
  ferryman get ftp://ftp.example.org/pub/README
  ferryman get ftp://ann@example.org/report.pdf -o today.pdf
  ferryman get 'ftp://example.org/pub/*.gz' -O downloads -P 4
  ferryman get -c ftp://example.org/large.iso          go on where it stopped
  ferryman get -n 4 ftp://example.org/large.iso        in segments, by 4 connections
  ferryman get -n 6 ftp://a.example.org/large.iso --mirror ftp://b.example.net/pub/
  ferryman get ftp://example.org/log -o - | tail
  ferryman get -r ftp://example.org/pub/ -l 2          a tree, as wget does it
  ferryman get -r https://example.org/docs/ -A '*.pdf'
${REMOTE_HELP}`;

export function getCommand(io: RemoteIo = PROCESS_IO): Command {
  const get = new Command("get")
    .description("Get files from servers.")
    .argument("[URL...]", "files, with * ? [] {} in the last parts of the path")
    .option("-o, --output <FILE>", "name of the one file here; - is standard output")
    .option("-O, --output-folder <DIR>", "folder for the files (default: this one)")
    .option("-c, --continue", "go on where an earlier try stopped, if the file is still the same")
    .addOption(
      new Option("--exists <WHAT>", "files that are here already (default: overwrite)").choices([
        "overwrite",
        "skip",
        "newer",
        "error",
      ]),
    )
    .addOption(
      new Option("--verify <HOW>", "what must agree afterwards (default: size)").choices(["size", "hash", "off"]),
    )
    .option("-a, --ascii", "text: line ends become those of this machine")
    .option("-n, --segments <N>", "connections for each file, or auto", readSegments)
    .option("--mirror <URL>", "another server that has the same file; again for more of them", readMirror)
    .option("-P, --parallel <N>", "files at the same time (default: 1, of trees 4)", readCount)
    .option("-i, --input <FILE>", "URLs from a file, one a line; - for standard input")
    .option("-r, --recursive", "what is below a folder, or what pages of HTTP link to");
  return withRemoteFlags(treeFlags(get))
    .addHelpText("after", EXAMPLES)
    .action(async (urls: string[], flags: GetFlags) => await ending(async () => await getAll(urls, flags, io)));
}

/** Flags of -r alone, as wget calls them. */
function treeFlags(command: Command): Command {
  return command
    .option("-l, --level <N>", "with -r: levels below the first", readCount)
    .option("-A, --accept <LIST>", "with -r: names or patterns that are kept", readList)
    .option("-R, --reject <LIST>", "with -r: names or patterns that are not", readList)
    .option("-I, --include <LIST>", "with -r: folders that are gone into", readList)
    .option("-X, --exclude <LIST>", "with -r: folders that are not", readList)
    .option("--no-host-folder", "with -r: no folder named after the host")
    .option("--cut-dirs <N>", "with -r: so many folders of the path are left out", readCount)
    .option("--parents", "with -r: also what is above the first folder")
    .option("--span-hosts", "with -r: also other hosts")
    .option("--no-robots", "with -r: what robots.txt forbids, too")
    .addOption(
      new Option("--links <HOW>", "with -r: symbolic links (default: keep)").choices(["keep", "follow", "skip"]),
    );
}

async function getAll(given: readonly string[], flags: GetFlags, io: RemoteIo): Promise<void> {
  if (given.length === 0 && flags.input === undefined) {
    throw new CliError("Get what? Name a URL, or a file of them with -i.", EXIT.usage);
  }
  const isMany = given.length > 1 || flags.input !== undefined;
  if (flags.output !== undefined && (isMany || flags.outputFolder !== undefined || flags.recursive === true)) {
    throw new CliError("-o names one file: it goes with one URL, and without -O, -i and -r.", EXIT.usage);
  }
  if (flags.mirror !== undefined && (isMany || flags.recursive === true || flags.output === "-")) {
    throw new CliError("--mirror goes with one URL, into a file, and without -r and -i.", EXIT.usage);
  }
  await transferring({ flags, io, isPiped: flags.output === "-" }, async (transfers) => {
    await using servers = new LastServer();
    let count = 0;
    for await (const item of asked(given, flags, { io, signal: transfers.signal })) {
      try {
        if (isBatchFault(item)) throw item.error;
        const output = item.target ?? flags.output;
        count += await getFrom(item.url, {
          flags: { ...flags, ...(output === undefined ? {} : { output }) },
          io,
          transfers,
          servers,
        });
      } catch (error) {
        if (!isMany || !(error instanceof FtpError)) throw error;
        count += 1;
        transfers.failures.note(error);
      }
    }
    return count;
  });
}

/** What stands on the command line, and then in the list. */
async function* asked(
  given: readonly string[],
  { input }: GetFlags,
  { io, signal }: { readonly io: RemoteIo; readonly signal: AbortSignal },
): AsyncGenerator<BatchItem | BatchFault> {
  for (const url of given) yield { line: 0, url };
  if (input !== undefined) yield* readBatch(input, { signal, stdin: io.stdin });
}

async function getFrom(text: string, work: Work): Promise<number> {
  if (work.flags.recursive === true) {
    const { getTree } = await import("./get-tree.ts");
    await getTree(text, work);
    return 1;
  }
  if (/^https?:/i.test(text))
    throw new CliError("Pages of HTTP are fetched with -r; -l 0 fetches one alone.", EXIT.usage);
  if (work.flags.mirror !== undefined) {
    const { getFromMirrors } = await import("./get-mirrors.ts");
    await getFromMirrors([text, ...work.flags.mirror], {
      ...work,
      options: optionsOf(work.flags),
      target: async (path) => await targetOf(path, work.flags),
    });
    return 1;
  }
  return await getFiles(await work.servers.reach(text, work), work);
}

type Work = {
  readonly flags: GetFlags;
  readonly io: RemoteIo;
  readonly transfers: Transfers;
  readonly servers: LastServer;
};

/** Where the last URL led: the next one of the same server and user needs no login of its own. */
class LastServer implements AsyncDisposable {
  #reached: Reached | undefined;

  async reach(text: string, { flags, transfers }: Pick<Work, "flags" | "transfers">): Promise<Reached> {
    const url = isRemote(text) ? parseFtpUrl(text) : undefined;
    const last = this.#reached;
    if (url !== undefined && last !== undefined && serverOf(url) === serverOf(last.url)) {
      return { ...last, url, path: url.path };
    }
    await this[Symbol.asyncDispose]();
    this.#reached = await reach(text, flags, transfers);
    return this.#reached;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const last = this.#reached;
    this.#reached = undefined;
    await last?.[Symbol.asyncDispose]();
  }
}

/** All of a URL that says where one signs in, and as whom. */
function serverOf({ scheme, user, password, host, port }: FtpUrl): string {
  return JSON.stringify([scheme, user, password, host, port]);
}

/** @returns how many files there were. */
async function getFiles({ client, url }: Reached, { flags, io, transfers }: Work): Promise<number> {
  const path = demandPath(url, "file");
  const { signal } = transfers;
  const options = optionsOf(flags);
  if (flags.output === "-") {
    await client.download(path, io.stdout, { ...options, signal });
    return 1;
  }
  if (!hasGlob(path)) {
    const to = await targetOf(path, flags);
    const run: OneFile["run"] = async (onProgress) =>
      await client.download(path, to, { ...options, signal, onProgress });
    await transferOne({ name: path, run }, transfers);
    return 1;
  }
  const entries = (await Array.fromAsync(client.glob(path, { signal }))).filter(({ type }) => type !== "directory");
  if (entries.length === 0) throw new FtpError("NOT_FOUND", `nothing fits ${formatFtpUrl(url)}`, { phase: "command" });
  transfers.board.expect({ files: entries.length, bytes: entries.reduce((sum, { size = 0 }) => sum + size, 0) });
  const files = entries.map((entry) => ({
    name: entry.path,
    total: entry.size,
    run: async (onProgress: DownloadOptions["onProgress"]): Promise<Transferred> => {
      const to = await targetOf(entry.path, flags);
      return await client.download(entry.path, to, { ...options, entry: known(entry), signal, onProgress });
    },
  }));
  await transferEach(files, { parallel: flags.parallel ?? 1, transfers });
  return entries.length;
}

/** A listing without sizes or exact times tells less than the server would say of one file. */
function known(entry: Entry): Entry | undefined {
  return entry.size !== undefined && entry.modified?.precision === "second" ? entry : undefined;
}

function optionsOf(flags: GetFlags): DownloadOptions {
  return {
    // Not said, not refused: a download in segments goes on by itself.
    resume: flags.continue,
    exists: flags.exists,
    verify: flags.verify === "off" ? false : flags.verify,
    type: flags.ascii === true ? "ascii" : "binary",
    segments: flags.segments,
  };
}

function readSegments(text: string): number | "auto" {
  return text === "auto" ? text : readCount(text);
}

function readMirror(text: string, before: readonly string[] = []): readonly string[] {
  if (before.length < MIRRORS_MOST - 1) return [...before, text];
  throw new InvalidArgumentError(`One file comes from ${MIRRORS_MOST} servers at most.`);
}

function readList(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(",").filter((part) => part !== "")];
}

/** @throws {FtpError} UNSAFE_NAME for a last part that must not become a file here (attack 64). */
async function targetOf(path: string, { output, outputFolder }: GetFlags): Promise<string> {
  const name = path.split("/").at(-1) ?? "";
  if (output !== undefined) return (await isFolder(output)) ? join(output, checked(name, path)) : output;
  if (outputFolder !== undefined) await mkdir(outputFolder, { recursive: true });
  return join(outputFolder ?? ".", checked(name, path));
}

function checked(name: string, path: string): string {
  const problem = name === "" ? "it is a folder; mirror gets folders" : unsafeName(bytesOfText(name));
  if (problem === undefined) return name;
  throw new FtpError("UNSAFE_NAME", `cannot make a file of ${path}: ${problem}`, {
    phase: "local",
    hint: "-o chooses another name",
  });
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
