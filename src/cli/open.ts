/** `ferryman open`: the interactive shell, and scripts of it and of the ftp.exe of Windows. */
import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { connect } from "../client/client.ts";
import { FtpError } from "../client/errors.ts";
import { proxyFromEnvironment } from "../client/proxy-environment.ts";
import type { ConnectOptions } from "../client/types.ts";
import { type FtpUrl, defaultPort, formatFtpUrl } from "../client/url.ts";
import { cannotRead } from "./cannot-read.ts";
import { CliError, EXIT } from "./exit.ts";
import { askSecret } from "./password-prompt.ts";
import { boardMode } from "./progress/board.ts";
import { REMOTE_HELP, type RemoteFlags, withRemoteFlags } from "./remote/flags.ts";
import { netrcLogin, passwordSaid } from "./remote/login.ts";
import { type Place, placeOf } from "./remote/reach.ts";
import { SCRIPT_MOST } from "./shell/limits.ts";
import type { ConnectHelp, Connected } from "./shell/connection.ts";
import { type ShellOptions, type WindowsScript, runShell } from "./shell/shell.ts";

type OpenFlags = RemoteFlags & {
  readonly command?: string;
  readonly file?: string;
  readonly execute?: string;
  readonly script?: string;
  readonly batch?: string;
  readonly envPassword?: true;
  readonly w?: string;
  readonly n?: true;
  readonly i?: true;
  readonly v?: true;
  readonly g?: true;
  readonly A?: true;
  readonly d?: true;
  /** false: `--no-rc`. */
  readonly rc?: boolean;
};

const EXAMPLES = `
In the shell, help shows the commands and help COMMAND how one is used. They
are those of ftp, lftp and sftp; a beginning that only one has is enough. The
commands in $XDG_CONFIG_HOME/ferryman/shellrc (~/.config) run first of all.

Scripts (-c, -f, -b, or standard input that is no terminal) end with code 1 at
the first command that fails. A leading - lets a command fail; set
continue-on-error on goes on, and the end is code 1 all the same. Questions
are not asked. One that Ctrl-C has ended is code 130; exit N in a script or
the shell is code N.

Scripts of ftp.exe (-s:FILE) go on after a failure, as there. Unlike there,
files are octets unless the script says ascii, nothing is asked, and the end
is code 1 when something failed. -i, -v, -g and -w are understood; -n waits
for the script's user NAME PASSWORD, -A logs in as anonymous, -d shows
commands and replies.

macdef in ~/.netrc works, and init runs after the login (-n of ftp is
--no-netrc). FTPMODE is active, passive or auto; FTPPROMPT is a prompt with %n
user, %M host, %/ folder and %S for [TLS] or [clear].

Examples:
  ferryman open ftp://ann@ftp.example.org/pub
  ferryman open work                    a bookmark
  ferryman open -e 'cd pub; ls' ftp.example.org
  ferryman open -c 'cd in && mput *.csv' ftpes://ann@ftp.example.org
  ferryman open -f nightly.txt ftp.example.org
  ferryman open -n -s:upload.txt ftp.example.org
${REMOTE_HELP}`;

/** Its action sees to the exit code of the process. @param run for tests. */
export function openCommand(run: (options: ShellOptions) => Promise<number> = runShell): Command {
  const open = new Command("open")
    .description("Open a shell on a server.")
    .argument("[URL]", "URL, host or bookmark; without it, open in the shell")
    .argument("[PORT]", "port of the server")
    .option("-c, --command <COMMANDS>", "run these and end")
    .option("-f, --file <FILE>", "run the commands of a file and end; - is standard input")
    .option("-b, --batch <FILE>", "as -f, for fingers that know sftp")
    .option("-e, --execute <COMMANDS>", "run these first")
    .option("-s, --script <FILE>", "run a script of the ftp.exe of Windows (-s:FILE) and end")
    .addOption(new Option("-n", "with -s: no login before the script's user command"))
    .addOption(new Option("-i", "with -s: as with ftp.exe; nothing is asked anyway"))
    .addOption(new Option("-v", "with -s: as with ftp.exe; replies are not shown anyway"))
    .addOption(new Option("-g", "with -s: * and ? mean themselves"))
    .addOption(new Option("-w <SIZE>", "with -s: a buffer's size (-w:SIZE), which nothing here needs"))
    .addOption(new Option("-A", "log in as anonymous"))
    .option("--env-password", "take the password from $LFTP_PASSWORD")
    .addOption(new Option("-d", "as --debug"))
    .option("--no-rc", "do not run the start file");
  return withRemoteFlags(open)
    .addHelpText("after", EXAMPLES)
    .action(async (target: string | undefined, port: string | undefined, flags: OpenFlags) => {
      const code = await run(shellOptions({ target, port }, flags));
      // `exit 7` is a code that no table of ours holds, and whoever called us sets his own at the end.
      if (code !== 0) process.once("exit", () => (process.exitCode = code));
    });
}

type Named = { readonly target: string | undefined; readonly port: string | undefined };

function shellOptions({ target, port }: Named, flags: OpenFlags): ShellOptions {
  const file = flags.file ?? flags.batch;
  const given = [flags.command, flags.file, flags.batch, flags.script].filter((each) => each !== undefined);
  if (given.length > 1) throw new CliError("-c, -f, -b and -s exclude each other.", EXIT.usage);
  const isPerson = given.length === 0 && process.stdin.isTTY && process.stdout.isTTY;
  const isDebug = flags.debug === true || flags.d === true;
  const script = flags.script === undefined ? undefined : windowsScript(flags.script, flags, { target, port });
  const options: ConnectOptions = {
    ...(port === undefined ? {} : { port: portOf(port) }),
    ...(flags.A === true ? { user: "anonymous" } : {}),
  };
  return {
    connect: async (name, more, help) => await reached(name, more, { flags, help }),
    // ftp.exe's script opens the host itself, with what it says of the login.
    target: script === undefined ? target : undefined,
    targetOptions: options,
    input: process.stdin,
    output: process.stdout,
    errorOutput: process.stderr,
    terminal: isPerson,
    commands: flags.command ?? (file === undefined ? undefined : textOf(file)),
    first: flags.execute,
    windowsScript: script,
    board: boardMode(flags),
    quiet: flags.quiet,
    settings: { ...modeSetting(process.env["FTPMODE"], flags), ...(isDebug ? { debug: "on" } : {}) },
    startFile: flags.rc === false ? false : undefined,
    askPassword: process.stdin.isTTY
      ? async (question) => await askSecret(question, { keyboard: process.stdin, screen: process.stderr })
      : undefined,
  };
}

/** FTPMODE, as ftp has it, unless --mode says something. `gate` is what $ftp_proxy does here. */
function modeSetting(text: string | undefined, { mode }: OpenFlags): Readonly<Record<string, string>> {
  const modes = { active: "eprt,port", passive: "epsv,pasv" }[text?.toLowerCase() ?? ""];
  return modes === undefined || mode !== undefined ? {} : { modes };
}

type Way = { readonly flags: OpenFlags; readonly help: ConnectHelp };

/** Options of the shell count more than flags, and those more than a bookmark. */
async function reached(target: string, options: ConnectOptions, { flags, help }: Way): Promise<Connected> {
  const place = await placeOf(target, flags);
  const { url, options: placed } = place;
  const port = options.port ?? url.port ?? defaultPort(url.scheme);
  const { macros, ...login } = await loginOf(place, { ...placed, ...defined(options) }, { flags, help });
  const client = await connect(formatFtpUrl({ ...url, path: "" }), {
    ...placed,
    ...options,
    data: { ...placed.data, ...options.data },
    commands: [...(placed.commands ?? []), ...(options.commands ?? [])],
    proxy: options.proxy ?? placed.proxy ?? proxyFromEnvironment(url.host, { env: process.env, port }),
    ...login,
  });
  return { client, path: url.path, macros };
}

type Login = Pick<ConnectOptions, "user" | "password" | "account">;
type FoundLogin = Login & { readonly macros?: Connected["macros"] };

function defined({ user, password }: Login): Login {
  return { ...(user === undefined ? {} : { user }), ...(password === undefined ? {} : { password }) };
}

/** What was said, else $LFTP_PASSWORD if it may, else .netrc, else a question; without any of them a guest. */
async function loginOf(
  place: Place,
  { user = place.url.user, password, account }: Login,
  { flags, help }: Way,
): Promise<FoundLogin> {
  const { url } = place;
  const known = password ?? (await passwordSaid(place, flags)) ?? passwordOfLftp(flags);
  const isAsked = known === undefined && flags.netrc !== false;
  const found = isAsked ? await netrcLogin(url.host, { user, flags, say: help.say }) : undefined;
  const name = user ?? found?.user;
  return {
    user: name,
    password: known ?? found?.password ?? (await asked(name, { url, help })),
    account: account ?? url.account ?? found?.account,
    macros: found?.macros,
  };
}

function passwordOfLftp({ envPassword }: OpenFlags): string | undefined {
  return envPassword === true ? process.env["LFTP_PASSWORD"] : undefined;
}

type Question = { readonly url: FtpUrl; readonly help: ConnectHelp };

async function asked(name: string | undefined, { url, help }: Question): Promise<string | undefined> {
  if (name === undefined || name === "anonymous" || name === "ftp") return undefined;
  const password = await help.ask(name, url.host);
  if (password !== undefined) return password;
  throw new FtpError("AUTH", `there is no password for ${name} at ${url.host}`, {
    phase: "login",
    hint: "put it into ~/.netrc or a --password-file; here nobody can be asked",
  });
}

function windowsScript(given: string, flags: OpenFlags, { target, port }: Named): WindowsScript {
  return {
    // -s:FILE comes as ":FILE".
    text: textOf(given.replace(/^:/, "")),
    host: target === undefined ? undefined : `${target}${port === undefined ? "" : ` ${portOf(port)}`}`,
    logsIn: flags.n !== true,
    isAnonymous: flags.A === true,
    usesGlobs: flags.g !== true,
  };
}

function textOf(file: string): string {
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw cannotRead(file, error);
  }
  if (text.length > SCRIPT_MOST) throw new CliError(`${file} has more than ${SCRIPT_MOST} characters.`, EXIT.usage);
  return text;
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new CliError(`"${text}" is no port.`, EXIT.usage);
}
