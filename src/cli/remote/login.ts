/** As whom a command signs in: what was said, else .netrc, else a question; and where the password comes from. */
import { readFileSync } from "node:fs";
import { type NetrcMacro, findLogin, netrcPaths, readNetrc } from "../../client/netrc.ts";
import type { FtpUrl } from "../../client/url.ts";
import { cannotRead } from "../cannot-read.ts";
import { CliError, EXIT } from "../exit.ts";
import { askSecret } from "../password-prompt.ts";
import { type Shown, fitting } from "../wrap.ts";
import type { RemoteFlags } from "./flags.ts";

/** Octets of standard input that may be a password. */
const PASSWORD_MOST = 4_096;

export type Login = { readonly user?: string; readonly password?: string; readonly account?: string };

/** What .netrc says of a host; `macros` are for a shell. */
type NetrcLogin = Login & { readonly macros: readonly NetrcMacro[] };

/** A server, and the command of its bookmark that gives the password. */
export type LoginPlace = { readonly url: FtpUrl; readonly passwordCommand?: string | undefined };

type Asking = {
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
};

/** URL and flags first, then .netrc, then a question; without any of them a guest. @throws {CliError}, {FtpError} */
export async function loginOf(place: LoginPlace, flags: RemoteFlags, { say, signal }: Asking): Promise<Login> {
  const { url } = place;
  const user = flags.user ?? url.user;
  const password = await passwordSaid(place, flags, signal);
  const tell = (name: string | undefined, from: string): void => {
    if (flags.verbose === true) say(`note: signing in at ${url.host} as ${name ?? "anonymous"}, ${from}`);
  };
  if (password !== undefined) {
    tell(user, "with the password that was given");
    return { ...(user === undefined ? {} : { user }), password };
  }
  const found = flags.netrc === false ? undefined : await netrcLogin(url.host, { user, flags, say });
  if (found?.password !== undefined) {
    const { macros: _, ...login } = found;
    return login;
  }
  const name = user ?? found?.user;
  if (name === undefined || name === "anonymous" || name === "ftp") {
    tell(name, "as a guest");
    return name === undefined ? {} : { user: name };
  }
  tell(name, "with a password that is asked for");
  return { user: name, password: await askPassword(name, url.host) };
}

/** By flag, else of the URL, else by the command of the bookmark. @throws {CliError} */
export async function passwordSaid(
  { url, passwordCommand }: LoginPlace,
  { passwordFile, passwordCommand: asked, passwordEnv }: RemoteFlags,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if ([passwordFile, asked, passwordEnv].filter((given) => given !== undefined).length > 1) {
    throw new CliError("One of --password-file, --password-command and --password-env is enough.", EXIT.usage);
  }
  if (passwordFile !== undefined) return passwordIn(passwordFile);
  if (passwordEnv !== undefined) return passwordInVariable(passwordEnv);
  const command = asked ?? (url.password === undefined ? passwordCommand : undefined);
  if (command === undefined) return url.password;
  const { passwordFrom } = await import("./password-command.ts");
  return await passwordFrom(command, { signal });
}

function passwordInVariable(name: string): string {
  const password = process.env[name];
  if (password !== undefined && password !== "") return password;
  throw new CliError(`The variable ${name} of --password-env is ${password === "" ? "empty" : "not set"}.`, EXIT.usage);
}

export async function netrcLogin(
  host: string,
  {
    user,
    flags,
    say,
  }: { readonly user: string | undefined; readonly flags: RemoteFlags; readonly say: (line: string) => void },
): Promise<NetrcLogin | undefined> {
  const files = typeof flags.netrc === "string" ? [flags.netrc] : netrcPaths(process.env);
  const { file, text, warnings } = await readNetrc(files);
  for (const warning of warnings) say(`warning: ${warning}`);
  const entry = findLogin(text, { host, user });
  if (entry === undefined) return undefined;
  const { login = user, password, account, macros } = entry;
  if (flags.verbose === true) {
    const what = password === undefined ? "the name" : "name and password";
    say(`note: signing in at ${host} as ${login ?? "anonymous"}, ${what} from ${file}`);
  }
  return {
    macros,
    ...(login === undefined ? {} : { user: login }),
    ...(password === undefined ? {} : { password }),
    ...(account === undefined ? {} : { account }),
  };
}

/** Standard input can be read once; the servers of one command share its password. */
let fromInput: string | undefined;

function passwordIn(file: string): string {
  if (file === "-" && fromInput !== undefined) return fromInput;
  try {
    const text = readFileSync(file === "-" ? 0 : file, "utf8").slice(0, PASSWORD_MOST);
    const [password = ""] = text.split(/\r?\n/, 1);
    if (file === "-") fromInput = password;
    return password;
  } catch (error) {
    throw cannotRead(`the password from ${file}`, error);
  }
}

/** One question after another: the keyboard is one. */
let asking: Promise<unknown> = Promise.resolve();

async function askPassword(user: string, host: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new CliError(
      `There is no password for ${user} at ${host}, and nobody can be asked here.\n` +
        "Put it into ~/.netrc, or say where it is: --password-file, --password-command or --password-env.",
      EXIT.usage,
    );
  }
  const answer = asking.then(
    async () =>
      await askSecret(`Password of ${user} at ${host}: `, { keyboard: process.stdin, screen: process.stderr }),
  );
  asking = answer.catch(() => {});
  return await answer;
}

let isWarned = false;

export type WarnTerms = {
  readonly quiet?: boolean | undefined;
  readonly argv?: readonly string[];
  readonly stream?: Shown & { write(text: string): unknown };
};

/**
 * One line about a password in a URL on the command line, to a person alone: in the log of a script that somebody wrote so
 * on purpose it would be the same line every night (as mysql's is).
 * @param text the URL as it was typed.
 */
export function warnOfPassword(
  text: string,
  { user, password }: Pick<FtpUrl, "user" | "password">,
  { quiet, argv = process.argv, stream = process.stderr }: WarnTerms,
): void {
  const isSecret = password !== undefined && password !== "" && user !== "anonymous" && user !== "ftp";
  if (isWarned || quiet === true || stream.isTTY !== true || !isSecret || !argv.includes(text)) return;
  isWarned = true;
  const warning =
    "warning: everybody on this machine can see the password in this URL, and the shell keeps it. " +
    "Better: ~/.netrc, a bookmark, --password-command, --password-env, or none, and it is asked for.";
  stream.write(`${fitting(warning, stream)}\n`);
}
