/** `ferryman bookmark`: names for servers, with what to say to them. */
import { Command } from "commander";
import { bookmarksFile, readBookmarks, removeBookmark, saveBookmark } from "../client/bookmarks.ts";
import { formatFtpUrl, parseFtpUrl } from "../client/url.ts";
import { alignment, printable } from "./columns.ts";
import { CliError, EXIT } from "./exit.ts";
import { ending } from "./remote/failure.ts";
import { type RemoteFlags, withRemoteFlags } from "./remote/flags.ts";
import { PROCESS_IO, type RemoteIo, sayer } from "./remote/io.ts";

const EXAMPLES = `
A bookmark stands for its URL in every command: ferryman ls NAME/folder. It
keeps what was said of the way there: --tls, --tls-trust, --mode, --proxy,
--charset, --listing, --zone, --connections, --password-command.

Examples:
  ferryman bookmark add work ftp://ann@ftp.example.org/projects --mode passive
  ferryman ls work/2026
  ferryman bookmark add nas ftp://ann@nas.lan --password-command 'pass nas'
  ferryman bookmark list
  ferryman bookmark remove work

Exit codes: 0 ok, 1 failed, 2 wrong usage`;

type ListFlags = { readonly json?: true; readonly names?: true };
type AddFlags = RemoteFlags & { readonly keepPassword?: true };

export function bookmarkCommand(io: RemoteIo = PROCESS_IO): Command {
  const bookmark = new Command("bookmark").description("Keep names for servers.").addHelpText("after", EXAMPLES);
  withRemoteFlags(bookmark.command("add <NAME> <URL>").description("keep a server under a name, or keep it anew"))
    .option("--keep-password", "write the URL's password too, in clear; the file is for you alone")
    .action(
      async (name: string, url: string, flags: AddFlags) =>
        await ending(async () => await add(name, url, { flags, io })),
    );
  bookmark
    .command("list")
    .description("show all of them")
    .option("--json", "as JSON")
    .option("--names", "the names alone, one a line")
    .action(async (flags: ListFlags) => await ending(async () => await list(flags, io)));
  bookmark
    .command("remove <NAME>")
    .description("forget one")
    .action(async (name: string) => await ending(async () => await removeBookmark(file(), name)));
  return bookmark;
}

function file(): string {
  return bookmarksFile({ env: process.env });
}

async function add(
  name: string,
  text: string,
  { flags, io }: { readonly flags: AddFlags; readonly io: RemoteIo },
): Promise<void> {
  const url = parseFtpUrl(text, { lenient: true });
  const { tls, tlsTrust: trust, mode, proxy, proxyStyle, charset, connections, passwordCommand, keepPassword } = flags;
  const modes = mode === undefined ? undefined : [...mode];
  const options = { tls, trust, modes, proxy, proxyStyle, charset, connections, passwordCommand };
  const warnings = await saveBookmark(file(), { name, url: withUser(url, flags.user), options, keepPassword });
  for (const warning of warnings) sayer(io)(`warning: ${warning}`);
}

function withUser(url: ReturnType<typeof parseFtpUrl>, user: string | undefined): ReturnType<typeof parseFtpUrl> {
  if (user === undefined) return url;
  if (url.user !== undefined && url.user !== user) {
    throw new CliError(`The URL names ${url.user} and --user ${user}.`, EXIT.usage);
  }
  return { ...url, user };
}

async function list({ json, names }: ListFlags, io: RemoteIo): Promise<void> {
  const { byName, warnings } = await readBookmarks(file());
  for (const warning of warnings) sayer(io)(`warning: ${warning}`);
  if (names === true) {
    for (const name of byName.keys()) io.stdout.write(`${printable(name)}\n`);
    return;
  }
  if (json === true) {
    const all = [...byName].map(([name, { url, options }]) => ({ v: 1, name, url: formatFtpUrl(url), options }));
    io.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
    return;
  }
  if (byName.size === 0) {
    io.stdout.write("There are no bookmarks yet: ferryman bookmark add NAME URL\n");
    return;
  }
  const rows = [...byName].map(([name, { url }]) => [printable(name), printable(formatFtpUrl(url))]);
  const line = alignment(rows);
  for (const row of rows) io.stdout.write(`${line(row)}\n`);
}
