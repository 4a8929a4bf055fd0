/** From what a person types to a client that is signed in: bookmark or URL, login from .netrc or a question, proxy, notes. */
import { readFileSync } from "node:fs";
import { type BookmarkOptions, bookmarksFile, findBookmark, readBookmarks } from "../../client/bookmarks.ts";
import { connect } from "../../client/client.ts";
import { FtpError, printable } from "../../client/errors.ts";
import { type NetrcMacro, findLogin, netrcPaths, readNetrc } from "../../client/netrc.ts";
import { proxyFromEnvironment } from "../../client/proxy-environment.ts";
import type { Client, ConnectOptions } from "../../client/types.ts";
import { type FtpUrl, defaultPort, formatFtpUrl, parseFtpUrl } from "../../client/url.ts";
import { CliError, EXIT } from "../exit.ts";
import { askSecret } from "../password-prompt.ts";
import { type RemoteFlags, connectOptions, tlsOptions } from "./flags.ts";

/** Octets of standard input that may be a password. */
const PASSWORD_MOST = 4_096;

export type Place = { readonly url: FtpUrl; readonly options: ConnectOptions };

export type Reached = AsyncDisposable & { readonly client: Client; readonly url: FtpUrl; readonly path: string };

/** Whether it names a server rather than a file here. */
export function isRemote(text: string): boolean {
  return /^(?:ftp|ftps|ftpes):\/\//i.test(text);
}

/** @throws {FtpError} USAGE for what is neither a URL nor a bookmark. */
export async function placeOf(text: string, flags: RemoteFlags): Promise<Place> {
  const options = connectOptions(flags);
  if (isRemote(text)) return { url: parseFtpUrl(text), options };
  const bookmark = findBookmark(await readBookmarks(bookmarksFile({ env: process.env })), text);
  if (bookmark === undefined) return { url: parseFtpUrl(text, { lenient: true }), options };
  return { url: bookmark.url, options: withBookmark(options, { flags, kept: bookmark.options }) };
}

/** What was said on the command line counts more than a bookmark. */
function withBookmark(
  options: ConnectOptions,
  { flags, kept }: { readonly flags: RemoteFlags; readonly kept: BookmarkOptions },
): ConnectOptions {
  const { tls, trust, modes, proxy, proxyStyle, charset, connections, commands } = kept;
  return {
    ...options,
    tls: { ...tlsOptions(flags), mode: flags.tls ?? tls, trust: flags.tlsTrust ?? trust ?? "first-use" },
    data: { ...options.data, modes: flags.mode ?? modes },
    proxy: options.proxy ?? (proxy === undefined ? undefined : { url: proxy, style: proxyStyle }),
    charset: options.charset ?? charset,
    connections: options.connections ?? connections,
    commands,
  };
}

/** Connects. @param say one line to a person. @throws {FtpError}, {CliError} */
export async function reach(
  text: string,
  flags: RemoteFlags,
  { say, signal }: { readonly say: (line: string) => void; readonly signal?: AbortSignal | undefined },
): Promise<Reached> {
  const { url, options } = await placeOf(text, flags);
  const client = await connectTo(url, options, { flags, say, signal });
  return { client, url, path: url.path, [Symbol.asyncDispose]: async () => await client.close() };
}

async function connectTo(
  url: FtpUrl,
  options: ConnectOptions,
  {
    flags,
    say,
    signal,
  }: { readonly flags: RemoteFlags; readonly say: (line: string) => void; readonly signal?: AbortSignal | undefined },
): Promise<Client> {
  const port = url.port ?? defaultPort(url.scheme);
  const proxy = options.proxy ?? proxyFromEnvironment(url.host, { env: process.env, port });
  const login = await loginOf(url, flags, say);
  return await connect(formatFtpUrl({ ...url, path: "" }), {
    ...options,
    ...login,
    proxy,
    signal,
    on: {
      fallback: ({ what }) => {
        if (flags.quiet !== true) say(`note: ${printable(what)}`);
      },
      trust: ({ host, fingerprint }) => {
        if (flags.quiet !== true)
          say(`note: the certificate of ${host} is new and believed from now on: SHA-256 ${fingerprint}`);
      },
      retry: ({ error, attempt, waitMs }) => {
        if (flags.quiet !== true)
          say(`note: ${printable(error.message)}; try ${attempt + 1} in ${(waitMs / 1000).toFixed(1)} s`);
      },
      ...(flags.debug === true ? debugging(say) : {}),
    },
  });
}

function debugging(say: (line: string) => void): NonNullable<ConnectOptions["on"]> {
  return {
    command: ({ id, line }) => say(`[${id}] > ${printable(line)}`),
    reply: ({ id, reply }) => {
      for (const line of reply.lines) say(`[${id}] < ${reply.code} ${printable(line)}`);
    },
  };
}

type Login = { readonly user?: string; readonly password?: string; readonly account?: string };
/** What .netrc says of a host; `macros` are for a shell. */
type NetrcLogin = Login & { readonly macros: readonly NetrcMacro[] };

/** URL and flags first, then .netrc, then a question; without any of them a guest. */
export async function loginOf(url: FtpUrl, flags: RemoteFlags, say: (line: string) => void): Promise<Login> {
  const user = flags.user ?? url.user;
  const password = flags.passwordFile === undefined ? url.password : passwordIn(flags.passwordFile);
  if (password !== undefined) return { ...(user === undefined ? {} : { user }), password };
  const found = flags.netrc === false ? undefined : await netrcLogin(url.host, { user, flags, say });
  if (found?.password !== undefined) {
    const { macros: _, ...login } = found;
    return login;
  }
  const name = user ?? found?.user;
  if (name === undefined || name === "anonymous" || name === "ftp") return name === undefined ? {} : { user: name };
  return { user: name, password: await askPassword(name, url.host) };
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
  const { text, warnings } = await readNetrc(files);
  for (const warning of warnings) say(`warning: ${warning}`);
  const entry = findLogin(text, { host, user });
  if (entry === undefined) return undefined;
  const { login = user, password, account, macros } = entry;
  return {
    macros,
    ...(login === undefined ? {} : { user: login }),
    ...(password === undefined ? {} : { password }),
    ...(account === undefined ? {} : { account }),
  };
}

export function passwordIn(file: string): string {
  try {
    const text = readFileSync(file === "-" ? 0 : file, "utf8").slice(0, PASSWORD_MOST);
    return text.split(/\r?\n/, 1)[0] ?? "";
  } catch (error) {
    throw new CliError(
      `Cannot read the password from ${file}: ${error instanceof Error ? error.message : ""}`,
      EXIT.usage,
    );
  }
}

async function askPassword(user: string, host: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new CliError(
      `There is no password for ${user} at ${host}: put it into ~/.netrc or a --password-file; here nobody can be asked.`,
      EXIT.usage,
    );
  }
  return await askSecret(`Password of ${user} at ${host}: `, { keyboard: process.stdin, screen: process.stderr });
}

/** For a command that wants exactly one thing of a server. @throws {FtpError} USAGE. */
export function demandPath(url: FtpUrl, what: string): string {
  if (url.path !== "") return url.path;
  throw new FtpError("USAGE", `${formatFtpUrl(url)} names no ${what}`, { phase: "local" });
}
