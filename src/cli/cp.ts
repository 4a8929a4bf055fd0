/** `ferryman cp`: files from one server to another, straight where both allow it (FXP), else through us. */
import { type Command, Option } from "commander";
import { FtpError } from "../client/errors.ts";
import type { Copied } from "../client/types.ts";
import { formatFtpUrl } from "../client/url.ts";
import { hasGlob } from "../protocol/glob.ts";
import { shownTyped } from "./columns.ts";
import { CliError, EXIT } from "./exit.ts";
import { remoteCommand } from "./remote/at.ts";
import { ending } from "./remote/failure.ts";
import type { RemoteFlags } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo } from "./remote/io.ts";
import {
  type Reached,
  demandOctets,
  demandPath,
  inFolder,
  isRemote,
  pathAsAsked,
  placeOf,
  reach,
  shownUrl,
} from "./remote/reach.ts";
import { type Transfers, transferEach, transferring } from "./remote/transfers.ts";

type CpFlags = RemoteFlags & {
  readonly fxp?: "auto" | "require" | "never";
  readonly verify?: "size" | "hash" | "off";
};

const EXAMPLES = `
The flags of the way (--tls, --mode …) hold for both servers; logins come from
the URLs.
Whole folders: ferryman mirror to this machine, and from here on.

Examples:
  ferryman cp ftp://a.example.org/large.iso ftp://ann@b.example.org/in/
  ferryman cp --fxp never 'ftp://a.example.org/*.gz' ftp://ann@b.example.org/`;

export function cpCommand(io: RemoteIo = PROCESS_IO): Command {
  return remoteCommand("cp", "Copy files from one server to another.", EXAMPLES)
    .argument("<FROM>", "file, or pattern with * ? [] {}")
    .argument("<TO>", "file, or folder that ends in /")
    .addOption(
      new Option("--fxp <WHEN>", "straight from server to server (default: auto)").choices([
        "auto",
        "require",
        "never",
      ]),
    )
    .addOption(
      new Option("--verify <HOW>", "what must agree afterwards (default: size)").choices(["size", "hash", "off"]),
    )
    .action(
      async (from: string, to: string, flags: CpFlags) =>
        await ending(
          async () =>
            await transferring({ flags, io }, async (transfers) => {
              await demandServers(from, to, flags);
              await using source = await reach(from, flags, transfers);
              await using target = await reach(to, flags, transfers);
              return await copy({ source, target, flags, transfers });
            }),
          shownUrl(from),
        ),
    );
}

/** A file of this machine is for put and get. @throws {CliError} */
async function demandServers(from: string, to: string, flags: CpFlags): Promise<void> {
  const what = "cp copies from one server to another";
  if (!isRemote(from) && (await placeOf(from, flags)).url.path === "") {
    throw new CliError(`${what}, and ${shownTyped(from)} names none: ferryman put sends a file of here.`, EXIT.usage);
  }
  if (!isRemote(to) && !to.includes("/") && (await placeOf(to, flags)).isGuess === true) {
    throw new CliError(`${what}, and ${shownTyped(to)} names none: ferryman get -o brings a file here.`, EXIT.usage);
  }
}

type Work = {
  readonly source: Reached;
  readonly target: Reached;
  readonly flags: CpFlags;
  readonly transfers: Transfers;
};

/** @returns how many files there were. */
async function copy({ source, target, flags, transfers }: Work): Promise<number> {
  for (const { url } of [source, target]) demandOctets(url, "cp");
  const path = demandPath(source.url, "file");
  const { signal, say } = transfers;
  const isMany = hasGlob(path);
  const paths = isMany ? await pathsOf(source, path, signal) : [path];
  if (paths.length === 0)
    throw new FtpError("NOT_FOUND", `nothing fits ${formatFtpUrl(source.url)}`, { phase: "command" });
  const isFolder =
    target.path === "" ||
    target.path.endsWith("/") ||
    (await target.client.exists(target.path, { signal })) === "directory";
  if (paths.length > 1 && !isFolder)
    throw new CliError(`${target.path} is no folder: several files need one.`, EXIT.usage);
  const told = { isStraight: false };
  transfers.board.expect({ files: paths.length });
  const files = paths.map((each) => ({
    name: pathAsAsked(each, { asked: path, home: source.client.info.home }),
    url: formatFtpUrl({ ...source.url, octets: undefined, path: each }),
    run: async (onProgress: (progress: { bytes: number; resumedAt: number }) => void): Promise<Copied> => {
      const to = isFolder ? inFolder(target.path, each.split("/").at(-1) ?? "") : target.path;
      const verify = flags.verify === "off" ? false : flags.verify;
      const done = await source.client.copyTo(target.client, each, to, { fxp: flags.fxp, verify, signal, onProgress });
      // Once; why it does not go straight is told by an event.
      if (done.way === "fxp" && !told.isStraight && flags.quiet !== true) say("note: straight from server to server");
      told.isStraight = done.way === "fxp";
      return done;
    },
  }));
  await transferEach(files, { parallel: 1, transfers });
  return paths.length;
}

async function pathsOf({ client }: Reached, pattern: string, signal: AbortSignal): Promise<readonly string[]> {
  const entries = await Array.fromAsync(client.glob(pattern, { signal }));
  return entries.filter(({ type }) => type !== "directory").map(({ path }) => path);
}
