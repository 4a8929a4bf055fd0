/**
 * Opens a TCP connection for the client: names resolved in both families, addresses raced (RFC 8305), through a proxy where
 * one is given; and says for each address why no connection came about.
 */
import { type Socket, isIP } from "node:net";
import { connect as connectTls, getCACertificates } from "node:tls";
import { systemCode } from "../base/system-code.ts";
import { type Endpoint, plainAddress, showEndpoint } from "../net/addresses.ts";
import { type FtpConnection, FtpError, type FtpPhase, printable } from "./errors.ts";
import { type Proxy, parseProxy } from "./proxy.ts";
import { type FailedTry, Race, RaceLost } from "./race.ts";
import { type Lookup, resolveHost } from "./resolve.ts";
import { TunnelRefused, openTunnel } from "./tunnel.ts";
import type { ProxyOptions } from "./types.ts";

/** Addresses that a SOCKS proxy is asked for, one after another: each costs a connection and round trips of its own. */
const PROXY_ADDRESSES_MOST = 4;

export type DialTarget = {
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
};

export type DialOptions = {
  /** Addresses of this family alone; default that of `localAddress`, or both. */
  readonly family?: 4 | 6 | undefined;
  /** The call rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for all of it: names, tries, the proxy's answer. */
  readonly timeoutMs: number;
  readonly localAddress?: string | undefined;
  /** An FTP proxy is dialled like any host, with `proxyLogin` afterwards: here it is a USAGE error. */
  readonly proxy?: string | ProxyOptions | undefined;
  /** PEM of the authority of an `https://` proxy, beside those that Node knows. */
  readonly proxyCa?: string | undefined;
  /** Default: that of the system. */
  readonly lookup?: Lookup | undefined;
  /** For the error. Default "control". */
  readonly connection?: FtpConnection | undefined;
};

export type Dialled = {
  /** Paused; nothing was read but a proxy's answer. Half-open: the caller ends it. It has no listener for errors. */
  readonly socket: Socket;
  /** The peer's address; the host as it was given where a proxy resolves it. */
  readonly address: string;
  /** The proxy's URL without its login. */
  readonly via?: string | undefined;
};

/** @throws {FtpError} UNREACHABLE, TIMEOUT, AUTH and TLS_UNTRUSTED (of the proxy), TLS_FAILED, USAGE; or the signal's reason. */
export async function dial(target: DialTarget, options: DialOptions): Promise<Dialled> {
  options.signal?.throwIfAborted();
  const proxy = options.proxy === undefined ? undefined : parseProxy(options.proxy);
  const clock = new AbortController();
  const giveUp = (): void => clock.abort();
  const timer = setTimeout(giveUp, options.timeoutMs);
  options.signal?.addEventListener("abort", giveUp, { once: true });
  const work: Work = { target, options, signal: clock.signal, stage: { phase: "resolve", whom: target.host } };
  try {
    return await (proxy === undefined ? dialStraight(work) : dialThrough(proxy, work));
  } catch (error) {
    options.signal?.throwIfAborted();
    throw located(clock.signal.aborted ? tooSlow(work) : error, options.connection);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", giveUp);
  }
}

type Stage = { readonly phase: FtpPhase; readonly whom: string; readonly race?: Race };

type Work = {
  readonly target: DialTarget;
  readonly options: DialOptions;
  readonly signal: AbortSignal;
  /** Where it stands, for the message of a time-out. */
  stage: Stage;
};

async function dialStraight(work: Work): Promise<Dialled> {
  const { target } = work;
  const socket = await connectTo(target, { work, whom: target.host, family: familyOf(work.options) });
  return { socket, address: plainAddress(socket.remoteAddress ?? target.host) };
}

function familyOf({ family, localAddress = "" }: DialOptions): 4 | 6 | undefined {
  if (family !== undefined) return family;
  const own = isIP(localAddress);
  return own === 4 || own === 6 ? own : undefined;
}

type ConnectTerms = {
  readonly work: Work;
  /** The host or the proxy, for messages. */
  readonly whom: string;
  readonly family: 4 | 6 | undefined;
};

async function connectTo({ host, port }: DialTarget, { work, whom, family }: ConnectTerms): Promise<Socket> {
  const { signal, options } = work;
  work.stage = { phase: "resolve", whom };
  const { first, later } = await resolveHost(host, { family, lookup: options.lookup, signal });
  const race = new Race({ port, localAddress: options.localAddress, signal });
  work.stage = { phase: "connect", whom, race };
  race.add(first);
  if (later === undefined) race.close();
  else {
    void later.then((addresses) => {
      race.interleave(addresses);
      race.close();
    });
  }
  try {
    return await race.won;
  } catch (error) {
    throw error instanceof RaceLost ? unreachable(whom, error.failures) : error;
  }
}

async function dialThrough(proxy: Proxy, work: Work): Promise<Dialled> {
  if (proxy.kind === "ftp") {
    throw new FtpError("USAGE", `the FTP proxy ${proxy.shown} opens no tunnel: connect to it and sign in through it`, {
      phase: "connect",
    });
  }
  const addresses = await askedOf(proxy, work);
  for (const [index, address] of addresses.entries()) {
    try {
      const socket = await tunnelTo({ address, port: work.target.port }, { proxy, work });
      return { socket, address, via: proxy.shown };
    } catch (error) {
      if (!(error instanceof TunnelRefused) || index === addresses.length - 1) throw error;
    }
  }
  throw new FtpError("UNREACHABLE", `${work.target.host}: no address to ask ${proxy.shown} for`, { phase: "resolve" });
}

/** What the proxy is told: the name, or for socks5 our addresses for it, if there are any. */
async function askedOf(proxy: Proxy, { target, options, signal }: Work): Promise<readonly string[]> {
  if (proxy.kind !== "socks5") return [target.host];
  try {
    const { first } = await resolveHost(target.host, { family: options.family, lookup: options.lookup, signal });
    return first.slice(0, PROXY_ADDRESSES_MOST);
  } catch (error) {
    // Behind such a proxy the names of the outside are often unknown: the proxy may know better.
    if (error instanceof FtpError && error.code === "UNREACHABLE") return [target.host];
    throw error;
  }
}

function ignore(): void {
  // The proxy's answer, or the want of one, says what was wrong.
}

async function tunnelTo(target: Endpoint, { proxy, work }: { proxy: Proxy; work: Work }): Promise<Socket> {
  const whom = `the proxy ${proxy.shown}`;
  // `family` is about the host; the proxy is whatever it is.
  const plain = await connectTo(proxy, { work, whom, family: familyOf({ ...work.options, family: undefined }) });
  work.stage = { phase: "connect", whom };
  // Between two answers nobody else listens, and an unheard error would end the process.
  plain.on("error", ignore);
  const end = (): void => void plain.destroy();
  work.signal.addEventListener("abort", end, { once: true });
  try {
    work.signal.throwIfAborted();
    const socket = proxy.kind === "https" ? await overTls(plain, { proxy, ca: work.options.proxyCa }) : plain;
    if (socket !== plain) socket.on("error", ignore);
    await openTunnel(socket, { proxy, target });
    socket.off("error", ignore);
    return socket;
  } catch (error) {
    plain.destroy();
    throw error;
  } finally {
    work.signal.removeEventListener("abort", end);
  }
}

/** TLS with the proxy itself. Its certificate must be one that authorities vouch for: our login goes to it. */
async function overTls(socket: Socket, { proxy, ca }: { proxy: Proxy; ca: string | undefined }): Promise<Socket> {
  const secure = connectTls({
    socket,
    host: proxy.host,
    ALPNProtocols: ["http/1.1"],
    ...(isIP(proxy.host) === 0 ? { servername: proxy.host } : {}),
    ...(ca === undefined ? {} : { ca: [...getCACertificates("default"), ca] }),
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const failed = (error?: Error): void => reject(tlsFault(proxy, error));
  const closed = (): void => failed();
  secure.once("secureConnect", resolve).once("error", failed).once("close", closed);
  try {
    await promise;
    return secure;
  } finally {
    secure.off("error", failed).off("close", closed);
  }
}

function tlsFault(proxy: Proxy, error: Error | undefined): FtpError {
  const why = error === undefined ? "it closed the connection" : printable(error.message);
  const isUntrusted = /CERT|SIGNATURE|ISSUER/.test(systemCode(error));
  const hint = isUntrusted
    ? "An authority of your own is told to Node with NODE_EXTRA_CA_CERTS=file.pem."
    : "Does it speak TLS on that port? If not, its URL begins with http://.";
  const code = isUntrusted ? "TLS_UNTRUSTED" : "TLS_FAILED";
  return new FtpError(code, `the proxy ${proxy.shown}: no TLS with it: ${why}`, { phase: "tls", hint, cause: error });
}

/** The system's codes in words, and what to do. */
const WORDS: Readonly<Record<string, readonly [string, string?]>> = {
  ECONNREFUSED: [
    "connection refused",
    "Nothing listens there, or a firewall says so: is the server running, and the port right?",
  ],
  EHOSTUNREACH: ["no way to the host", "Is the host switched on and in a network that this machine reaches?"],
  ENETUNREACH: ["no way to that network", "Has this machine a connection of that family (IPv4, IPv6)?"],
  ETIMEDOUT: ["no answer", "A firewall may drop the packets, or the host is off."],
  ECONNRESET: ["connection cut"],
  EACCES: ["forbidden by this machine", "A firewall or sandbox of this machine refuses outgoing connections."],
  EPERM: ["forbidden by this machine", "A firewall or sandbox of this machine refuses outgoing connections."],
  EADDRNOTAVAIL: ["no such local address", "Is the local address one of this machine, and are ports left?"],
  EINVAL: ["the local address does not fit", "Is the local address of the same family and link?"],
  EMFILE: ["too many open files here", "Raise the limit of open files (ulimit -n) or use fewer connections."],
};

function unreachable(whom: string, failures: readonly FailedTry[]): FtpError {
  const hinted = failures.find(({ code }) => WORDS[code]?.[1] !== undefined)?.code ?? "";
  return new FtpError("UNREACHABLE", `${whom}: ${listed(failures)}`, {
    phase: "connect",
    hint: WORDS[hinted]?.[1],
    cause: new AggregateError(failures.map(({ message }) => new Error(message))),
  });
}

/** `connection refused at 192.0.2.1:21 and [2001:db8::1]:21, no way to the host at …`. */
function listed(failures: readonly FailedTry[]): string {
  const places = new Map<string, string[]>();
  for (const { remote, code, message } of failures) {
    const words = WORDS[code]?.[0] ?? printable(message);
    places.set(words, [...(places.get(words) ?? []), showEndpoint(remote)]);
  }
  return [...places].map(([words, at]) => `${words} at ${joined(at)}`).join(", ");
}

function joined(items: readonly string[]): string {
  const last = items.at(-1) ?? "";
  return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} and ${last}`;
}

function tooSlow({ stage: { phase, whom, race }, options: { timeoutMs } }: Work): FtpError {
  const time = `within ${timeoutMs / 1000} s`;
  const asked = race?.unanswered.map(showEndpoint) ?? [];
  const silent = asked.length > 0 ? ` at ${joined(asked)}` : "";
  const rest = race === undefined || race.failures.length === 0 ? "" : `, ${listed(race.failures)}`;
  const what = phase === "resolve" ? "the name server did not answer" : "no answer";
  const hint =
    phase === "resolve" ? "Is this machine connected, and its name server reachable?" : WORDS["ETIMEDOUT"]?.[1];
  return new FtpError("TIMEOUT", `${whom}: ${what} ${time}${silent}${rest}`, { phase, hint });
}

/** The same error for a data connection; what is none of ours stays as it is. */
function located(error: unknown, connection: FtpConnection = "control"): unknown {
  if (!(error instanceof FtpError) || error.connection === connection || error.connection === "none") return error;
  const { code, message, phase, hint, retryable, cause } = error;
  return new FtpError(code, message, { phase, hint, retryable, cause, connection });
}
