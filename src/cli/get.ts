/** `ferryman get`: files from servers, to files of the same name, a name, a folder, or standard output. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Command, Option } from "commander";
import { bytesOfText } from "../base/bytes.ts";
import { FtpError } from "../client/errors.ts";
import type { DownloadOptions, Entry, Transferred } from "../client/types.ts";
import { formatFtpUrl } from "../client/url.ts";
import { hasGlob } from "../protocol/glob.ts";
import { unsafeName } from "../protocol/listings/unsafe-name.ts";
import { CliError, EXIT } from "./exit.ts";
import { ending } from "./remote/failure.ts";
import { REMOTE_HELP, type RemoteFlags, readCount, withRemoteFlags } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo } from "./remote/io.ts";
import { type Reached, demandPath, reach } from "./remote/reach.ts";
import { type OneFile, type Transfers, transferEach, transferOne, transferring } from "./remote/transfers.ts";

type GetFlags = RemoteFlags & {
  readonly output?: string;
  readonly outputFolder?: string;
  readonly continue?: true;
  readonly exists?: NonNullable<DownloadOptions["exists"]>;
  readonly verify?: "size" | "hash" | "off";
  readonly ascii?: true;
  readonly parallel?: number;
};

const EXAMPLES = `
Examples:
  ferryman get ftp://ftp.example.org/pub/README
  ferryman get ftp://ann@example.org/report.pdf -o today.pdf
  ferryman get 'ftp://example.org/pub/*.gz' -O downloads -P 4
  ferryman get -c ftp://example.org/large.iso          go on where it stopped
  ferryman get ftp://example.org/log -o - | tail
${REMOTE_HELP}`;

export function getCommand(io: RemoteIo = PROCESS_IO): Command {
  const get = new Command("get")
    .description("Get files from servers.")
    .argument("<URL...>", "files, with * ? [] {} in the last parts of the path")
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
    .option("-P, --parallel <N>", "files at the same time (default: 1)", readCount);
  return withRemoteFlags(get)
    .addHelpText("after", EXAMPLES)
    .action(async (urls: string[], flags: GetFlags) => await ending(async () => await getAll(urls, flags, io)));
}

async function getAll(urls: readonly string[], flags: GetFlags, io: RemoteIo): Promise<void> {
  if (flags.output !== undefined && (urls.length > 1 || flags.outputFolder !== undefined)) {
    throw new CliError("-o names one file: it goes with one URL and without -O.", EXIT.usage);
  }
  await transferring({ flags, io, isPiped: flags.output === "-" }, async (transfers) => {
    let count = 0;
    for (const text of urls) {
      try {
        await using reached = await reach(text, flags, transfers);
        count += await getFrom(reached, { flags, io, transfers });
      } catch (error) {
        if (urls.length === 1 || !(error instanceof FtpError)) throw error;
        count += 1;
        transfers.failures.note(error);
      }
    }
    return count;
  });
}

type Work = { readonly flags: GetFlags; readonly io: RemoteIo; readonly transfers: Transfers };

/** @returns how many files there were. */
async function getFrom({ client, url }: Reached, { flags, io, transfers }: Work): Promise<number> {
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
    resume: flags.continue === true,
    exists: flags.exists,
    verify: flags.verify === "off" ? false : flags.verify,
    type: flags.ascii === true ? "ascii" : "binary",
  };
}

/** @throws {FtpError} UNSAFE_NAME for a last part that must not become a file here (attack 64). */
async function targetOf(path: string, { output, outputFolder }: GetFlags): Promise<string> {
  const name = path.split("/").at(-1) ?? "";
  if (output !== undefined) return (await isFolder(output)) ? join(output, checked(name, path)) : output;
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
