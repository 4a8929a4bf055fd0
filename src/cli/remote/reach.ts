/** From what a person types to a client that is signed in: bookmark or URL, login from .netrc or a question, proxy, notes. */
import { type BookmarkOptions, bookmarksFile, findBookmark, readBookmarks } from "../../client/bookmarks.ts";
import { connect } from "../../client/client.ts";
import { FtpError, printable } from "../../client/errors.ts";
import { proxyFromEnvironment } from "../../client/proxy-environment.ts";
import type { Client, ConnectOptions, ServerInfo } from "../../client/types.ts";
import { type FtpUrl, defaultPort, formatFtpUrl, parseFtpUrl } from "../../client/url.ts";
import { type RemoteFlags, connectOptions, tlsOptions } from "./flags.ts";
import { type LoginPlace, loginOf, warnOfPassword } from "./login.ts";

export type Place = LoginPlace & {
  readonly options: ConnectOptions;
  /** Neither a URL nor a bookmark: taken for a host. */
  readonly isGuess?: boolean;
};

export type Reached = AsyncDisposable & { readonly client: Client; readonly url: FtpUrl; readonly path: string };

/** Whether it names a server rather than a file here. */
export function isRemote(text: string): boolean {
  return /^(?:ftp|ftps|ftpes):\/\//i.test(text);
}

/** @throws {FtpError} USAGE for what is neither a URL nor a bookmark. */
export async function placeOf(text: string, flags: RemoteFlags): Promise<Place> {
  const options = connectOptions(flags);
  if (isRemote(text)) {
    const url = parseFtpUrl(text);
    warnOfPassword(text, url, flags);
    return { url, options };
  }
  const bookmark = findBookmark(await readBookmarks(bookmarksFile({ env: process.env })), text);
  if (bookmark === undefined) return { url: parseFtpUrl(text, { lenient: true }), options, isGuess: true };
  const { url, options: kept } = bookmark;
  return { url, options: withBookmark(options, { flags, kept }), passwordCommand: kept.passwordCommand };
}

/** What was said on the command line counts more than a bookmark. */
function withBookmark(
  options: ConnectOptions,
  { flags, kept }: { readonly flags: RemoteFlags; readonly kept: BookmarkOptions },
): ConnectOptions {
  const { tls, trust, modes, proxy, proxyStyle, charset, connections, commands, listing, zoneMinutes } = kept;
  return {
    ...options,
    tls: { ...tlsOptions(flags), mode: flags.tls ?? tls, trust: flags.tlsTrust ?? trust ?? "first-use" },
    data: { ...options.data, modes: flags.mode ?? modes },
    proxy: options.proxy ?? (proxy === undefined ? undefined : { url: proxy, style: proxyStyle }),
    charset: options.charset ?? charset,
    listing: options.listing ?? listing,
    zoneMinutes: options.zoneMinutes ?? zoneMinutes,
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
  return await reachPlace(await placeOf(text, flags), flags, { say, signal });
}

/** The same for a place that was looked up before. */
export async function reachPlace(
  place: Place,
  flags: RemoteFlags,
  { say, signal }: { readonly say: (line: string) => void; readonly signal?: AbortSignal | undefined },
): Promise<Reached> {
  const { url } = place;
  const client = await connectTo(place, { flags, say, signal }).catch((error: unknown) => {
    throw place.isGuess === true ? guessError(error) : error;
  });
  if (flags.verbose === true) say(`note: ${wayOf(client.info)}`);
  return { client, url, path: url.path, [Symbol.asyncDispose]: async () => await client.close() };
}

/** A name that nobody knows may have been meant for a bookmark. */
function guessError(error: unknown): unknown {
  if (!(error instanceof FtpError) || error.phase !== "resolve") return error;
  const { code, message, phase, retryable, cause } = error;
  const hint = "the bookmarks: ferryman bookmark list; a host may need its domain";
  return new FtpError(code, `${message.replace(/\.$/, "")}, and no bookmark`, { phase, retryable, cause, hint });
}

/** `ftp.example.org is 192.0.2.1:21, signed in as ann, TLSv1.3`. */
function wayOf({ host, address, port, user, tls }: ServerInfo): string {
  const how = tls === undefined ? "in clear text" : `by ${tls.version}`;
  return `${host} is ${address} port ${port}; signed in as ${user}, ${how}`;
}

async function connectTo(
  place: Place,
  {
    flags,
    say,
    signal,
  }: { readonly flags: RemoteFlags; readonly say: (line: string) => void; readonly signal?: AbortSignal | undefined },
): Promise<Client> {
  const { url, options } = place;
  const port = url.port ?? defaultPort(url.scheme);
  const proxy = options.proxy ?? proxyFromEnvironment(url.host, { env: process.env, port });
  const login = await loginOf(place, flags, { say, signal });
  const believed = flags.store === false ? "believed this once, as nothing is kept" : "believed from now on";
  const isOfNetrc = login.user !== undefined && url.user === undefined && flags.user === undefined;
  const connecting = connect(formatFtpUrl({ ...url, path: "" }), {
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
          say(`note: the certificate of ${host} port ${port} is new and ${believed}: SHA-256 ${fingerprint}`);
      },
      retry: ({ error, attempt, waitMs }) => {
        if (flags.quiet !== true)
          say(`note: ${printable(error.message)}; try ${attempt + 1} in ${(waitMs / 1000).toFixed(1)} s`);
      },
      ...(flags.debug === true ? debugging(say) : {}),
    },
  });
  return await connecting.catch((error: unknown) => {
    throw isOfNetrc ? netrcError(error, login.user ?? "") : error;
  });
}

/** Nobody has typed the name that the server refuses. */
function netrcError(error: unknown, user: string): unknown {
  if (!(error instanceof FtpError) || error.code !== "AUTH") return error;
  const { code, message, phase, command, reply, cause } = error;
  const hint = `the name ${user} is that of ~/.netrc for this host; -u NAME signs in as another user, --no-netrc as a guest`;
  return new FtpError(code, message, { phase, command, reply, cause, hint });
}

function debugging(say: (line: string) => void): NonNullable<ConnectOptions["on"]> {
  return {
    command: ({ id, line }) => say(`[${id}] > ${printable(line)}`),
    reply: ({ id, reply }) => {
      for (const line of reply.lines) say(`[${id}] < ${reply.code} ${printable(line)}`);
    },
  };
}

/** For events: a URL without its password; what is none stays unnamed, as nobody knows what is in it. */
export function shownUrl(text: string): string | undefined {
  try {
    return isRemote(text) ? formatFtpUrl(parseFtpUrl(text)) : undefined;
  } catch {
    return undefined;
  }
}

/** For a command that wants exactly one thing of a server. @throws {FtpError} USAGE. */
export function demandPath(url: FtpUrl, what: string): string {
  if (url.path !== "") return url.path;
  throw new FtpError("USAGE", `${formatFtpUrl(url)} names no ${what}`, { phase: "local" });
}

/**
 * How octets go: as the flag says, else as the URL does (RFC 1738 §3.2.2).
 * @throws {FtpError} USAGE for `;type=d`, which is a listing.
 */
export function typeOf(url: FtpUrl, ascii: true | undefined): "ascii" | "binary" {
  if (url.type === "d") {
    const hint = "its names: ferryman cat with the same URL; more of them: ferryman ls";
    throw new FtpError("USAGE", `${formatFtpUrl(url)} is the listing of a folder, and no file`, {
      phase: "local",
      hint,
    });
  }
  return ascii === true || url.type === "a" ? "ascii" : "binary";
}

/** For what copies octets as they are. @throws {FtpError} USAGE for `;type=a`. */
export function demandOctets(url: FtpUrl, command: string): void {
  if (url.type !== "a") return;
  const hint = "text with ;type=a goes by get and put, one file after another";
  throw new FtpError("USAGE", `${command} copies octets as they are, and ${formatFtpUrl(url)} asks for text`, {
    phase: "local",
    hint,
  });
}

/** A path that was found, in the form of the one that was asked for: from the folder after the login, or from the root. */
export function pathAsAsked(found: string, { asked, home }: { readonly asked: string; readonly home: string }): string {
  const base = home.endsWith("/") ? home : `${home}/`;
  return !asked.startsWith("/") && found.startsWith(base) ? found.slice(base.length) : found;
}

/** Where a file goes that is to keep its name. @param folder as it was asked for; "" is the one after the login. */
export function inFolder(folder: string, name: string): string {
  return folder === "" ? name : `${folder.replace(/\/+$/, "")}/${name}`;
}
