/** Proxies as callers name them, and what follows from one for the ways to a data connection. */
import { showEndpoint } from "../net/addresses.ts";
import { plainName } from "../net/tls/host-names.ts";
import { printable, usageError } from "./errors.ts";
import type { ProxyOptions } from "./types.ts";

/**
 * "http": CONNECT (RFC 9110 §9.3.6), "https": the same inside TLS; "socks5" (RFC 1928) with names resolved here, or by the
 * proxy where that fails, "socks5h" by the proxy always; "socks4a" for those that speak nothing newer; "ftp": the proxy
 * is itself an FTP server, which the login tells where to go (`proxyLogin`).
 */
export type ProxyKind = "http" | "https" | "socks5" | "socks5h" | "socks4a" | "ftp";

export type Proxy = {
  readonly kind: ProxyKind;
  readonly host: string;
  readonly port: number;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** For people: the URL without its login. */
  readonly shown: string;
};

const KINDS: Readonly<Record<string, ProxyKind>> = {
  http: "http",
  https: "https",
  socks: "socks5",
  socks5: "socks5",
  socks5h: "socks5h",
  socks4: "socks4a",
  socks4a: "socks4a",
  ftp: "ftp",
};
/** 1080 is that of SOCKS (RFC 1928 §3), 3128 is what most HTTP proxies listen on; curl takes 1080 for those too. */
const PORTS: Readonly<Record<ProxyKind, number>> = {
  http: 3128,
  https: 443,
  socks5: 1080,
  socks5h: 1080,
  socks4a: 1080,
  ftp: 21,
};
/** Octets of a proxy's user name and of its password: one octet holds the length (RFC 1929 §2). */
const LOGIN_MOST = 255;

/** @throws {FtpError} USAGE. Its message never holds the login. */
export function parseProxy(given: string | ProxyOptions): Proxy {
  const text = (typeof given === "string" ? given : given.url).trim();
  // The environment mostly says `proxy.example.org:3128`, and means HTTP.
  const [, scheme = "http", rest = ""] = /^(?:([a-z\d]+):\/\/)?(.*)$/is.exec(text) ?? [];
  const kind = Object.hasOwn(KINDS, scheme.toLowerCase()) ? KINDS[scheme.toLowerCase()] : undefined;
  if (kind === undefined) {
    throw usageError(`"${printable(scheme)}://" is no proxy that is known here: ${Object.keys(KINDS).join(", ")}`);
  }
  const [, login, address = ""] = /^(?:(.*)@)?([^/@]*)\/?$/s.exec(rest) ?? [];
  const place = placeOf(address, PORTS[kind]);
  if (place === undefined) {
    throw usageError(`the proxy's URL names no host and port: write ${scheme}://proxy.example.org:${PORTS[kind]}`);
  }
  const shown = `${scheme.toLowerCase()}://${showEndpoint({ address: place.host, port: place.port })}`;
  return { kind, ...place, ...(login === undefined ? {} : loginOf(login)), shown };
}

function placeOf(text: string, usual: number): { readonly host: string; readonly port: number } | undefined {
  const [, inside, name = "", digits] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = plainName(inside ?? name);
  const port = digits === undefined ? usual : Number(digits);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

/**
 * Whether EPRT and PORT can work: a server cannot reach us through a proxy. An FTP proxy opens the connection itself.
 * @param proxy as in `ConnectOptions`.
 */
export function allowsActive(proxy: string | ProxyOptions | undefined): boolean {
  return proxy === undefined || parseProxy(proxy).kind === "ftp";
}

function loginOf(login: string): { readonly user: string; readonly password: string } {
  const colon = login.indexOf(":");
  const user = decoded(colon === -1 ? login : login.slice(0, colon));
  return { user, password: decoded(colon === -1 ? "" : login.slice(colon + 1)) };
}

function decoded(text: string): string {
  let plain: string;
  try {
    plain = decodeURIComponent(text);
  } catch {
    throw usageError("the login in the proxy's URL holds a bad escape: write %25 for a percent sign");
  }
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  if (/[\0-\x1f\x7f]/.test(plain)) throw usageError("the login in the proxy's URL holds a control character");
  if (Buffer.byteLength(plain) > LOGIN_MOST)
    throw usageError(`the login in the proxy's URL is longer than ${LOGIN_MOST} octets`);
  return plain;
}
