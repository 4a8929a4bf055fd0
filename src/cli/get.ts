/** `ferryman get`: files from servers, to files of the same name, a name, a folder, or standard output. */
import { Command, InvalidArgumentError, Option } from "commander";
import { type BatchFault, type BatchItem, isBatchFault, readBatch } from "../client/batch.ts";
import { FtpError } from "../client/errors.ts";
import type { DownloadOptions, Entry } from "../client/types.ts";
import { POOL_MOST } from "../client/limits.ts";
import { type FtpUrl, formatFtpUrl } from "../client/url.ts";
import { hasGlob } from "../protocol/glob.ts";
import { shownTyped } from "./columns.ts";
import { CliError, EXIT } from "./exit.ts";
import type { TreeFlags } from "./get-tree.ts";
import { targetOf } from "./local-target.ts";
import { asCliError, ending } from "./remote/failure.ts";
import { REMOTE_HELP, grouped, readCount, withRemoteFlags, withVerbose } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo } from "./remote/io.ts";
import { type Reached, demandPath, pathAsAsked, placeOf, shownUrl, typeOf } from "./remote/reach.ts";
import { Servers } from "./remote/servers.ts";
import { type OneFile, type Transfers, eachOf, transferEach, transferOne, transferring } from "./remote/transfers.ts";

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
  readonly failEarly?: true;
};

const EXAMPLES = `
Examples:
  ferryman get ftp://ftp.example.org/pub/README
  ferryman get ftp://ann@example.org/report.pdf -o today.pdf
  ferryman get 'ftp://example.org/pub/*.gz' -O downloads -P 4
  ferryman get -c ftp://example.org/large.iso          go on where it stopped
  ferryman get -n 4 ftp://example.org/large.iso        in segments, 4 at once
  ferryman get -n 6 ftp://a.example.org/large.iso --mirror ftp://b.example/pub/
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
    .option("--fail-early", "after the first failure nothing more is begun")
    .option("-i, --input <FILE>", "URLs from a file, one a line; - for standard input")
    .option("-r, --recursive", "what is below a folder, or what pages of HTTP link to");
  return withVerbose(withRemoteFlags(grouped(get, "Trees, with -r:", treeFlags)))
    .addHelpText("after", EXAMPLES)
    .action(async (urls: string[], flags: GetFlags) => await ending(async () => await getAll(urls, flags, io)));
}

/** Flags of -r alone, as wget calls them. */
function treeFlags(command: Command): Command {
  return command
    .option("-l, --level <N>", "levels below the first", readCount)
    .option("-A, --accept <LIST>", "names or patterns that are kept", readList)
    .option("-R, --reject <LIST>", "names or patterns that are not", readList)
    .option("-I, --include <LIST>", "folders that are gone into", readList)
    .option("-X, --exclude <LIST>", "folders that are not", readList)
    .option("--no-host-folder", "no folder named after the host")
    .option("--cut-dirs <N>", "so many folders of the path are left out", readCount)
    .option("--parents", "also what is above the first folder")
    .option("--span-hosts", "also other hosts")
    .option("--no-robots", "what robots.txt forbids, too")
    .addOption(new Option("--links <HOW>", "symbolic links (default: keep)").choices(["keep", "follow", "skip"]));
}

/** @returns whether there are several URLs. @throws {CliError} for flags that do not go together. */
function checkUsage(given: readonly string[], flags: GetFlags): boolean {
  const isMany = given.length > 1 || flags.input !== undefined;
  if (given.length === 0 && flags.input === undefined) {
    throw new CliError("Get what? Name a URL, or a file of them with -i; see: ferryman get --help", EXIT.usage);
  }
  if (flags.output !== undefined && (isMany || flags.outputFolder !== undefined || flags.recursive === true)) {
    throw new CliError("-o names one file: it goes with one URL, and without -O, -i and -r.", EXIT.usage);
  }
  if (flags.mirror !== undefined && (isMany || flags.recursive === true || flags.output === "-")) {
    throw new CliError("--mirror goes with one URL, into a file, and without -r and -i.", EXIT.usage);
  }
  if (flags.segments !== undefined && flags.recursive === true) {
    throw new CliError("-n is for single files; a tree has several at the same time: -P.", EXIT.usage);
  }
  if (flags.output === "") throw new CliError("-o needs a name; - is standard output.", EXIT.usage);
  return isMany;
}

async function getAll(given: readonly string[], flags: GetFlags, io: RemoteIo): Promise<void> {
  const isMany = checkUsage(given, flags);
  const parallel = flags.parallel ?? 1;
  // Trees have workers of their own: -P is theirs.
  const atOnce = isMany && flags.recursive !== true ? parallel : 1;
  await transferring({ flags, io, isPiped: flags.output === "-" }, async (transfers) => {
    const connections = flags.connections ?? (parallel > POOL_MOST ? parallel : undefined);
    const ways = { ...flags, ...(connections === undefined ? {} : { connections }) };
    await using servers = new Servers(ways, transfers, atOnce);
    const work = { flags, io, transfers, servers, count: { files: 0 }, isMany, least: given.length };
    if (isMany) transfers.board.expect({ files: given.length });
    await eachOf(
      asked(given, flags, { io, signal: transfers.signal }),
      { parallel: atOnce, transfers },
      async (item) => {
        await getItem(item, work);
      },
    );
    return work.count.files;
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

type Work = {
  readonly flags: GetFlags;
  readonly io: RemoteIo;
  readonly transfers: Transfers;
  readonly servers: Servers;
  readonly count: { files: number };
  /** A failure of one URL is none of the others. */
  readonly isMany: boolean;
  /** Files that there are at least: a list is read as it comes. */
  readonly least: number;
};

async function getItem(item: BatchItem | BatchFault, work: Work): Promise<void> {
  const { transfers, count, isMany, least } = work;
  const { signal, failures, board } = transfers;
  const url = isBatchFault(item) ? undefined : shownUrl(item.url);
  // A pattern counts its files itself.
  const before = count.files;
  try {
    if (isBatchFault(item)) throw item.error;
    const flags = item.target === undefined ? work.flags : { ...work.flags, output: item.target };
    await getFrom(item.url, { ...work, flags });
  } catch (error) {
    if (signal.aborted || !isMany || !(error instanceof FtpError || error instanceof CliError)) {
      throw asCliError(error, url);
    }
    if (count.files === before) count.files += 1;
    failures.note(error, url === undefined ? {} : { url });
  }
  if (isMany) board.expect({ files: Math.max(count.files, least) });
}

async function getFrom(text: string, work: Work): Promise<void> {
  const { flags, servers, count } = work;
  if (flags.recursive === true) {
    const { getTree } = await import("./get-tree.ts");
    count.files += 1;
    await getTree(text, work);
    return;
  }
  if (/^https?:/i.test(text)) {
    const hint = `ferryman get -r -l 0 ${shownTyped(text)} fetches this one alone`;
    throw new CliError(`Pages of HTTP are fetched with -r; ${hint}.`, EXIT.usage);
  }
  const { url } = await placeOf(text, flags);
  if (url.path === "" && url.type !== "d") throw noFile(text);
  if (flags.mirror !== undefined) {
    const { getFromMirrors } = await import("./get-mirrors.ts");
    count.files += 1;
    await getFromMirrors([text, ...flags.mirror], {
      ...work,
      options: optionsOf(flags, url),
      target: async (path) => await targetOf(path, flags),
    });
    return;
  }
  await servers.use(text, async (reached) => await getFiles(reached, work));
}

/** Told before anybody is asked: the second word of cp is often meant so. */
function noFile(text: string): CliError {
  const url = shownUrl(text);
  if (url !== undefined) return new CliError(`${url} names no file; get -r fetches all that is there.`, EXIT.usage);
  const name = shownTyped(text);
  return new CliError(`${name} is no URL of a file, and no bookmark. For a name here: -o ${name}`, EXIT.usage);
}

async function getFiles({ client, url }: Reached, { flags, io, transfers, count, isMany }: Work): Promise<void> {
  const options = optionsOf(flags, url);
  const path = demandPath(url, "file");
  const { signal } = transfers;
  if (flags.output === "-") {
    count.files += 1;
    await client.download(path, io.stdout, { ...options, signal });
    return;
  }
  if (!hasGlob(path)) {
    count.files += 1;
    const to = await targetOf(path, flags);
    const run: OneFile["run"] = async (onProgress, onPart) =>
      await client.download(path, to, { ...options, signal, onProgress, onPart });
    await transferOne({ name: path, url: formatFtpUrl(url), run }, transfers);
    return;
  }
  const entries = (await Array.fromAsync(client.glob(path, { signal }))).filter(({ type }) => type !== "directory");
  if (entries.length === 0) throw new FtpError("NOT_FOUND", `nothing fits ${formatFtpUrl(url)}`, { phase: "command" });
  count.files += entries.length;
  const bytes = isMany ? undefined : entries.reduce((sum, { size = 0 }) => sum + size, 0);
  transfers.board.expect({ files: count.files, bytes });
  const files = entries.map((entry): OneFile => ({
    name: pathAsAsked(entry.path, { asked: path, home: client.info.home }),
    url: formatFtpUrl({ ...url, octets: undefined, path: entry.path }),
    total: entry.size,
    run: async (onProgress, onPart) => {
      const to = await targetOf(entry.path, flags);
      return await client.download(entry.path, to, { ...options, entry: known(entry), signal, onProgress, onPart });
    },
  }));
  await transferEach(files, { parallel: flags.parallel ?? 1, transfers });
}

/** A listing without sizes or exact times tells less than the server would say of one file. */
function known(entry: Entry): Entry | undefined {
  return entry.size !== undefined && entry.modified?.precision === "second" ? entry : undefined;
}

function optionsOf(flags: GetFlags, url: FtpUrl): DownloadOptions {
  return {
    // Not said, not refused: a download in segments goes on by itself.
    resume: flags.continue,
    keepPart: true,
    exists: flags.exists,
    verify: flags.verify === "off" ? false : flags.verify,
    type: typeOf(url, flags.ascii),
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
