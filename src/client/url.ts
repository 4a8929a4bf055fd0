/**
 * URLs of FTP (RFC 1738 §3.2, RFC 3986 for their frame), and the shorter forms that hands type: `host/path`, `host:/path`.
 * Whatever they say goes into commands, so that no escape may bring a line end with it (attack 64). No message repeats a
 * password.
 */
import { isIPv6 } from "node:net";
import { type ByteString, bytesOf, bytesOfText } from "../base/bytes.ts";
import { withoutPassword } from "../base/masked.ts";
import { didYouMean } from "../base/nearest.ts";
import { plainName } from "../net/tls/host-names.ts";
import { printable, usageError } from "./errors.ts";
import { readFingerprint, showFingerprint } from "./fingerprint.ts";
import { ARGUMENT_MOST } from "./limits.ts";

/** "ftp": TLS where it is offered; "ftpes": AUTH TLS first of all; "ftps": TLS from the first octet. */
export const URL_SCHEMES = ["ftp", "ftps", "ftpes"] as const;
export type UrlScheme = (typeof URL_SCHEMES)[number];

/** `;type=` of RFC 1738 §3.2.2: text, image, or the listing of a folder. */
export type UrlType = "a" | "i" | "d";

export type FtpUrl = {
  readonly scheme: UrlScheme;
  /** A name in small ASCII letters, or an address without brackets; with its zone behind `%`. */
  readonly host: string;
  /** Absent: `defaultPort`. */
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** For ACCT: `user;account=…@`, our own addition to WinSCP's form. */
  readonly account?: string | undefined;
  /** Decoded. From the server's root with `/` at its front, else from the home; "" is the home itself. */
  readonly path: string;
  /** The path's octets, where its escapes are no UTF-8: these are to be sent. `path` shows them as latin1 then. */
  readonly octets?: ByteString | undefined;
  readonly type?: UrlType | undefined;
  /** SHA-256 of the server's certificate, 64 small hexadecimal digits: `user;fingerprint=…@`, as WinSCP writes it. */
  readonly fingerprint?: string | undefined;
};

/** Characters of a URL: a path of `ARGUMENT_MOST` octets with every one escaped, and the rest. */
const URL_MOST = 3 * ARGUMENT_MOST + 4_096;
/** Characters of a piece that a message repeats. */
const SHOWN_MOST = 60;

/** The port that servers of this kind listen on. */
export function defaultPort(scheme: UrlScheme): number {
  return scheme === "ftps" ? 990 : 21;
}

/**
 * @param options.lenient also takes what has no scheme: `host`, `host/path`, `//host/path`, `user@host:21`, and with the path
 * as it stands, without escapes, `host:path` and `host:/path` (scp's form).
 * @throws {FtpError} USAGE, with the nearest right form where there is one.
 */
export function parseFtpUrl(text: string, options: { readonly lenient?: boolean } = {}): FtpUrl {
  if (text.length > URL_MOST) throw usageError(`the URL has ${text.length} characters; ${URL_MOST} are the most`);
  // oxlint-disable-next-line no-control-regex -- control characters are what is meant
  if (/[\0\r\n]/.test(text)) throw usageError("the URL holds a line end or NUL, which no command can carry");
  const { scheme, rest } = schemeOf(text.trim(), options.lenient ?? false);
  const slash = rest.indexOf("/");
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  const written = slash === -1 ? "" : rest.slice(slash + 1);
  const at = authority.lastIndexOf("@");
  return {
    scheme,
    ...hostOf(authority.slice(at + 1), { scheme, tail: written }),
    ...(at === -1 ? {} : loginOf(authority.slice(0, at))),
    ...pathOf(written),
  };
}

/** The URL again, in one spelling for each meaning, without the password: for people, logs and bookmarks. */
export function formatFtpUrl(url: FtpUrl): string {
  const account = url.account === undefined ? "" : `;account=${escaped(url.account)}`;
  const pin = url.fingerprint === undefined ? "" : `;fingerprint=${dashed(url.fingerprint)}`;
  const login = `${url.user === undefined ? "" : escaped(url.user)}${account}${pin}`;
  const host = isIPv6(url.host) ? `[${url.host.replace("%", "%25")}]` : url.host;
  const port = url.port === undefined ? "" : `:${url.port}`;
  const octets = url.octets ?? bytesOfText(url.path);
  // RFC 1738 §3.2.2: the slash that ends the host is no part of the path, so that one from the root begins with %2F.
  const path = escapedOctets(octets).replace(/^\//, "%2F");
  const type = url.type === undefined ? "" : `;type=${url.type}`;
  return `${url.scheme}://${login === "" ? "" : `${login}@`}${host}${port}/${path}${type}`;
}

function schemeOf(text: string, lenient: boolean): { readonly scheme: UrlScheme; readonly rest: string } {
  const [, name, rest = ""] = /^([a-z][a-z\d+.-]*):\/\/(.*)$/is.exec(text) ?? [];
  if (name !== undefined) {
    const scheme = URL_SCHEMES.find((known) => known === name.toLowerCase());
    if (scheme !== undefined) return { scheme, rest };
    const guess = didYouMean(name, URL_SCHEMES);
    throw usageError(
      `"${shown(name)}://" is not spoken here: write ftp://, ftpes:// (AUTH TLS) or ftps:// (implicit TLS).${guess}`,
    );
  }
  const single = /^(ftp|ftps|ftpes):\/?(?!\/)(.+)$/is.exec(text);
  if (single !== null) throw usageError(`two slashes are missing: write ${single[1]}://${shownUrl(single[2] ?? "")}`);
  if (lenient) return { scheme: "ftp", rest: bare(text) };
  throw usageError(`"${shownUrl(text)}" has no scheme: write ftp://${shownUrl(text.replace(/^\/+/, ""))}`);
}

/** What a hand typed without a scheme, as what stands behind `ftp://`. */
function bare(text: string): string {
  if (text.startsWith("//")) return text.slice(2);
  const slash = text.indexOf("/");
  const at = text.slice(0, slash === -1 ? undefined : slash).lastIndexOf("@");
  // An IPv6 address without brackets gets an error of its own.
  if (isIPv6(text.slice(at + 1, slash === -1 ? undefined : slash))) return text;
  const [, host, path] = /^(\[[^\]]*\]|[^:/[]*):(?!\d+(?:\/|$)|$)(.*)$/s.exec(text.slice(at + 1)) ?? [];
  if (host === undefined || path === undefined) return text;
  return `${text.slice(0, at + 1)}${host}/${escapedOctets(bytesOfText(path))}`;
}

type HostPart = { readonly host: string; readonly port?: number };

function hostOf(text: string, { scheme, tail }: { scheme: UrlScheme; tail: string }): HostPart {
  if (text === "" || text.startsWith(":"))
    throw usageError(`the URL names no host: write ${scheme}://ftp.example.org/`);
  if (isIPv6(text)) throw usageError(`an IPv6 address stands in brackets: write ${scheme}://[${text}]/`);
  const [, inside, name = "", digits] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(text) ?? [];
  const host = inside === undefined ? hostName(name, text) : addressInBrackets(inside);
  if (digits === undefined) return { host };
  // An empty port is none (RFC 3986 §3.2.3).
  if (digits === "") return { host };
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port >= 1 && port <= 65_535) return { host, port };
  // `user:pa/ss@host` looks like a port; what was typed may be a password then, and is not repeated.
  if (tail.includes("@")) {
    throw usageError('a password is cut short by "/": write %2F for a slash in it, %40 for "@", %3A for ":"');
  }
  // Letters are the password of somebody who has forgotten the host, as like as not.
  const what = /^\d+$/.test(digits)
    ? `the port "${shown(digits)}" is none`
    : `what stands behind "${host}:" is no port`;
  throw usageError(`${what} from 1 to 65535: write ${scheme}://${host}:${defaultPort(scheme)}/`);
}

function hostName(name: string, whole: string): string {
  const decoded = textOfEscapes(name, "host");
  const host = plainName(decoded);
  if (host !== undefined && !decoded.includes("*")) return host;
  throw usageError(`"${shown(whole)}" is neither a host name nor an address`);
}

/** RFC 3986 §3.2.2; the zone behind `%25`, and behind the bare `%` that people copy from their system. */
function addressInBrackets(inside: string): string {
  const [, address = "", zone] = /^([^%]*)(?:%(?:25)?([\w.~-]{1,64}))?$/.exec(inside) ?? [];
  if (!isIPv6(address))
    throw usageError(`"[${shown(inside)}]" is no IPv6 address: write [2001:db8::1] or [fe80::1%25eth0]`);
  return zone === undefined ? address.toLowerCase() : `${address.toLowerCase()}%${zone}`;
}

type LoginPart = Pick<FtpUrl, "user" | "password" | "account" | "fingerprint">;

/** `user:password;fingerprint=…;account=…`. Another `;` belongs to the name or the password (RFC 1738 §5). */
function loginOf(text: string): LoginPart {
  let login = text;
  let account: string | undefined;
  let fingerprint: string | undefined;
  for (;;) {
    const [all, name = "", value = ""] = /;(fingerprint|account)=([^;]*)$/i.exec(login) ?? [];
    if (all === undefined) break;
    if (name.toLowerCase() === "account") account = textOfEscapes(value, "account");
    else fingerprint = pinOf(textOfEscapes(value, "fingerprint"));
    login = login.slice(0, -all.length);
  }
  const colon = login.indexOf(":");
  const user = textOfEscapes(colon === -1 ? login : login.slice(0, colon), "user");
  if (user === "" && colon !== -1) throw usageError("the URL has a password and no user: write user:password@");
  return {
    ...(user === "" ? {} : { user }),
    ...(colon === -1 ? {} : { password: textOfEscapes(login.slice(colon + 1), "password") }),
    ...(account === undefined ? {} : { account }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
  };
}

function pinOf(value: string): string {
  const digits = readFingerprint(value);
  if (digits !== undefined) return digits;
  throw usageError(
    `the fingerprint "${shown(value)}" is no SHA-256: 64 hexadecimal digits, with dashes or colons if you like`,
  );
}

/** `?` and `#` have no meaning in these URLs and are found in names: they belong to the path. */
function pathOf(written: string): Pick<FtpUrl, "path" | "octets" | "type"> {
  const [, before = written, given] = /^(.*);type=([^/;]*)$/is.exec(written) ?? [];
  const type = given === undefined ? undefined : typeOf(given);
  const octets = octetsOfEscapes(before, "path");
  const text = utf8Of(octets);
  return {
    path: text ?? bytesOf(octets),
    ...(text === undefined ? { octets: bytesOf(octets) } : {}),
    ...(type === undefined ? {} : { type }),
  };
}

function typeOf(given: string): UrlType {
  const type = (["a", "i", "d"] as const).find((known) => known === given.toLowerCase());
  if (type !== undefined) return type;
  throw usageError(
    `";type=${shown(given)}" is not ;type=a, ;type=i or ;type=d; write %3Btype= if it belongs to the name`,
  );
}

type Place = "host" | "user" | "password" | "account" | "fingerprint" | "path";

/** RFC 3986 §2.1. Text beside the escapes is UTF-8. */
function octetsOfEscapes(text: string, place: Place): Buffer {
  const bad = /%(?![\da-f]{2}).{0,2}/is.exec(text);
  if (bad !== null) {
    const what = place === "password" ? "a % without two hexadecimal digits" : `"${shown(bad[0])}", which is no escape`;
    throw usageError(`the ${place} of the URL holds ${what}: write %25 for a percent sign`);
  }
  const octets = Buffer.from(
    bytesOfText(text).replaceAll(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
    "latin1",
  );
  for (const [octet, name] of UNSENDABLE) {
    if (octets.includes(octet)) throw usageError(`the ${place} of the URL holds ${name}, which no command can carry`);
  }
  if (octets.length > ARGUMENT_MOST) {
    throw usageError(`the ${place} of the URL has ${octets.length} octets; ${ARGUMENT_MOST} are the most`);
  }
  return octets;
}

const UNSENDABLE: readonly (readonly [number, string])[] = [
  [0x0d, "a carriage return (%0D)"],
  [0x0a, "a line feed (%0A)"],
  [0, "a NUL (%00)"],
];

function textOfEscapes(text: string, place: Place): string {
  const decoded = utf8Of(octetsOfEscapes(text, place));
  if (decoded !== undefined) return decoded;
  throw usageError(`the escapes in the ${place} of the URL are no UTF-8: write é as %C3%A9, or as it is`);
}

function utf8Of(octets: Buffer): string | undefined {
  const text = octets.toString("utf8");
  return Buffer.from(text, "utf8").equals(octets) ? text : undefined;
}

function escaped(text: string): string {
  return escapedOctets(bytesOfText(text)).replaceAll("/", "%2F");
}

/** All but the unreserved characters of RFC 3986 §2.3 and the slashes between the parts of a path. */
function escapedOctets(octets: ByteString): string {
  return octets.replaceAll(
    /[^\w.~/-]/g,
    (octet) => `%${octet.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`,
  );
}

function dashed(fingerprint: string): string {
  return showFingerprint(fingerprint).replaceAll(":", "-").toLowerCase();
}

/** A URL for a message: its password is left out. */
function shownUrl(text: string): string {
  return shown(withoutPassword(text));
}

function shown(text: string): string {
  const clean = printable(text);
  return clean.length > SHOWN_MOST ? `${clean.slice(0, SHOWN_MOST)}…` : clean;
}
