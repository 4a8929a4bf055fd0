/** What every command that goes to a server can be told about the way there: flags, and the client's options from them. */
import { readFileSync } from "node:fs";
import { Help, InvalidArgumentError, Option, type Command } from "commander";
import { parseDuration, parseOctets } from "../../base/units.ts";
import { DATA_MODES, type DataMode } from "../../client/errors.ts";
import { LISTING_KINDS, type ListingKind } from "../../protocol/listings/reader.ts";
import type { ConnectOptions, TlsMode, TlsOptions } from "../../client/types.ts";
import { cannotRead } from "../cannot-read.ts";
import { CliError, EXIT } from "../exit.ts";

export type RemoteFlags = {
  readonly user?: string;
  readonly passwordFile?: string;
  readonly passwordCommand?: string;
  readonly passwordEnv?: string;
  readonly account?: string;
  readonly tls?: TlsMode;
  readonly tlsTrust?: TlsOptions["trust"];
  readonly tlsPin?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly clearData?: true;
  readonly mode?: readonly DataMode[];
  readonly activeAddress?: string;
  /** false: `--no-port-mapping`. */
  readonly portMapping?: boolean;
  readonly activePorts?: { readonly from: number; readonly to: number };
  readonly proxy?: string;
  readonly proxyStyle?: NonNullable<Exclude<ConnectOptions["proxy"], string>>["style"];
  readonly connections?: number;
  readonly retries?: number;
  readonly timeout?: number;
  readonly stall?: number;
  readonly limitRate?: number;
  readonly charset?: string;
  readonly listing?: ListingKind;
  /** Minutes ahead of UTC. */
  readonly zone?: number;
  readonly ipv4?: true;
  readonly ipv6?: true;
  /** false: `--no-netrc`. */
  readonly netrc?: string | boolean;
  /** false: `--no-store`. */
  readonly store?: boolean;
  readonly quiet?: true;
  /** Not of the shell, where -v is what it is for ftp.exe. */
  readonly verbose?: true;
  /** Milliseconds for all that one command does; not of the shell. */
  readonly maxTime?: number;
  readonly json?: true;
  readonly debug?: true;
};

/** Words for `--mode`, beside the modes themselves. */
const MODE_WORDS: Readonly<Record<string, readonly DataMode[]>> = {
  auto: DATA_MODES,
  passive: ["epsv", "pasv"],
  active: ["eprt", "port"],
};

export const REMOTE_HELP = `
A URL is ftp://[user[:password]@]host[:port]/path, relative to the folder after
login (ftp://host/%2Fpath from the root). ftpes:// demands TLS, ftps:// is
implicit TLS on port 990; ftp:// takes TLS where it is offered. A bookmark's
name stands for its URL.

Exit codes: 0 ok, 1 failed, 2 wrong usage, 75 try again later, 77 not permitted
or not trusted, 130 interrupted`;

const WAY_GROUP = "The way to the server:";
const TELLING_GROUP = "What is told:";

/** A group of help with a heading of its own, behind the options that are the command's alone. */
export function grouped(command: Command, heading: string, add: (command: Command) => Command): Command {
  const before = command.options.length;
  add(command);
  for (const option of command.options.slice(before)) option.helpGroup(heading);
  const help = new Help();
  return command.configureHelp({
    groupItems: (all, shown, groupOf) => {
      const isOwn = (item: (typeof all)[number]): boolean => groupOf(item) === "Options:";
      return help.groupItems([...all.filter(isOwn), ...all.filter((item) => !isOwn(item))], shown, groupOf);
    },
  });
}

export function withRemoteFlags(command: Command): Command {
  grouped(command, WAY_GROUP, wayFlags);
  return grouped(command, TELLING_GROUP, (each) =>
    each
      .option("-q, --quiet", "errors alone")
      .option("--json", "a line of JSON for each thing, on standard output")
      .option("--debug", "commands and replies on standard error, without passwords"),
  );
}

function wayFlags(command: Command): Command {
  return command
    .option("-u, --user <NAME>", "user name (default: of the URL, of ~/.netrc, else anonymous)")
    .option("--password-file <FILE>", "file whose first line is the password; - for standard input")
    .option("--password-command <COMMAND>", "program whose first line is the password, such as 'pass show ftp/ann'")
    .option("--password-env <NAME>", "variable that holds the password")
    .option("--account <NAME>", "account, for servers that ask for one")
    .addOption(new Option("--tls <MODE>", "TLS of a ftp:// URL").choices(["off", "auto", "explicit", "implicit"]))
    .addOption(
      new Option("--tls-trust <WHOM>", "certificates that no authority vouches for (default: first-use)").choices([
        "ca",
        "first-use",
        "any",
      ]),
    )
    .option("--tls-pin <SHA256>", "fingerprint of the one certificate to believe")
    .option("--tls-ca <FILE>", "PEM of your own authorities")
    .option("--tls-cert <FILE>", "PEM of your own certificate")
    .option("--tls-key <FILE>", "PEM of its key")
    .option("--clear-data", "files in clear text, the login by TLS")
    .option("-m, --mode <LIST>", "data modes in their order: epsv,pasv,eprt,port, passive, active", readModes)
    .option("--active-address <ADDRESS>", "our address as the server sees it, for active mode")
    .option("--active-ports <A-B>", "our ports for active mode", readPorts)
    .option("--no-port-mapping", "active mode asks no router for a port (PCP, NAT-PMP)")
    .option("--proxy <URL>", "http://, https://, socks5://, socks5h:// or ftp:// proxy (default: $ftp_proxy)")
    .addOption(
      new Option("--proxy-style <STYLE>", "how an ftp:// proxy is told the host").choices([
        "user@host",
        "user@host:port",
        "site",
        "open",
        "user@proxyuser@host",
      ]),
    )
    .option("--connections <N>", "connections at the same time (default: 8 at most)", readCount)
    .option("--retries <N>", "tries of each file in all (default: 5)", readCount)
    .option("--timeout <TIME>", "how long a connection or a reply may take (default: 30s)", readTime)
    .option("--stall <TIME>", "how long no octet may move (default: 60s)", readTime)
    .option("--limit-rate <SIZE>", "octets per second of all files together, such as 500K or 2M", readRate)
    .option("--charset <NAME>", "of names that are not UTF-8, such as windows-1251 (default: guessed)")
    .addOption(
      new Option("--listing <KIND>", "how folders are listed (default: the best that works)").choices(LISTING_KINDS),
    )
    .option("--zone <OFFSET>", "the server's time zone in LIST, such as +02:00 (default: found out)", readZone)
    .option("-4, --ipv4", "IPv4 alone")
    .option("-6, --ipv6", "IPv6 alone")
    .option("--netrc <FILE>", "file with logins (default: ~/.netrc)")
    .option("--no-netrc", "no such file")
    .option("--no-store", "nothing is kept of this server, and nothing known of it used");
}

/** For commands that do one thing and end. */
export function withVerbose(command: Command): Command {
  return grouped(command, TELLING_GROUP, (each) =>
    each
      .option("-v, --verbose", "also as whom, whence the password, and which way")
      .option("--max-time <TIME>", "how long all of it may take; what is left then goes on another time", readTime),
  );
}

function readModes(text: string): readonly DataMode[] {
  const modes = text
    .split(",")
    .flatMap((word) => MODE_WORDS[word] ?? DATA_MODES.filter((mode) => mode === word.toLowerCase()));
  const isWhole = text
    .split(",")
    .every((word) => word in MODE_WORDS || DATA_MODES.some((mode) => mode === word.toLowerCase()));
  if (isWhole && modes.length > 0) return [...new Set(modes)];
  throw new InvalidArgumentError("Write auto, passive, active, or some of epsv,pasv,eprt,port.");
}

function readPorts(text: string): { from: number; to: number } {
  const [, from = "", to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const ports = { from: Number(from), to: Number(to) };
  if (ports.from >= 1 && ports.to <= 65_535 && ports.from <= ports.to) return ports;
  throw new InvalidArgumentError("Write ports like 50000-50100.");
}

export function readCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,4}$/.test(text) && count >= 1) return count;
  throw new InvalidArgumentError("Write a number from 1 to 9999.");
}

/** As a count, and 0. */
export function readNumber(text: string): number {
  return /^0+$/.test(text) ? 0 : readCount(text);
}

function readTime(text: string): number {
  const seconds = parseDuration(text);
  if (seconds !== undefined && seconds >= 1) return seconds * 1000;
  throw new InvalidArgumentError("Write a time like 10s or 2m.");
}

function readRate(text: string): number {
  const octets = parseOctets(binary(text));
  if (octets !== undefined && octets > 0) return octets;
  throw new InvalidArgumentError("Write octets per second like 500K or 2M.");
}

export function readSize(text: string): number {
  const octets = parseOctets(binary(text));
  if (octets !== undefined) return octets;
  throw new InvalidArgumentError("Write a size like 500K or 10M.");
}

/** 500K, as curl and wget are told, is 500 KiB. */
function binary(text: string): string {
  return /^[\d.]+[kmgt]$/i.test(text) ? `${text}iB` : text;
}

/** Minutes ahead of UTC, of `+02:00`, `-0330`, `+2` or `utc`. */
function readZone(text: string): number {
  const [, sign = "", hours = "", minutes = "0"] = /^([-+])(\d{1,2})(?::?([0-5]\d))?$/.exec(text) ?? [];
  const ahead = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
  if (/^(?:utc|gmt|z)$/i.test(text)) return 0;
  // 0 and not -0.
  if (sign !== "" && Math.abs(ahead) <= ZONE_MOST) return ahead + 0;
  throw new InvalidArgumentError("Write hours and minutes ahead of UTC like +02:00 or -03:30, or utc.");
}

/** Minutes: UTC+14 is the farthest zone. */
const ZONE_MOST = 14 * 60;

/** @throws InvalidArgumentError for a set or braces without their end, which would fit only a name that is spelled so. */
export function readGlob(text: string): string {
  const plain = text.replace(/\\./g, "").replace(/\[[!^]?.[^\]]*\]/g, "");
  if (plain.includes("[")) throw new InvalidArgumentError('A "[" has no "]" behind it; write \\[ for the character.');
  const isOpen = plain.split("{").length !== plain.split("}").length;
  if (isOpen) throw new InvalidArgumentError('A "{" and its "}" do not match; write \\{ for the character.');
  return text;
}

/** Milliseconds. */
export function readAge(text: string): number {
  const seconds = parseDuration(text);
  if (seconds !== undefined) return seconds * 1000;
  throw new InvalidArgumentError("Write a time like 90m, 12h or 7d.");
}

/** @throws {CliError} for a file that cannot be read. */
export function connectOptions(flags: RemoteFlags): ConnectOptions {
  return {
    user: flags.user,
    account: flags.account,
    // As ssh does: most FTP servers have a certificate that no authority vouches for.
    tls: { ...tlsOptions(flags), trust: flags.tlsTrust ?? "first-use" },
    data: {
      modes: flags.mode,
      activeAddress: flags.activeAddress,
      activePorts: flags.activePorts,
      portMapping: flags.portMapping,
    },
    proxy: flags.proxy === undefined ? undefined : { url: flags.proxy, style: flags.proxyStyle },
    connections: flags.connections,
    retry: flags.retries === undefined ? undefined : { attempts: flags.retries },
    replyMs: flags.timeout,
    stallMs: flags.stall,
    rate: flags.limitRate,
    charset: flags.charset,
    listing: flags.listing,
    zoneMinutes: flags.zone,
    store: flags.store === false ? false : undefined,
    family: familyOf(flags),
  };
}

function familyOf({ ipv4, ipv6 }: RemoteFlags): 4 | 6 | undefined {
  if (ipv4 === true && ipv6 === true) throw new CliError("-4 and -6 leave no address at all.", EXIT.usage);
  if (ipv4 === true) return 4;
  return ipv6 === true ? 6 : undefined;
}

export function tlsOptions(flags: RemoteFlags): TlsOptions & { readonly mode?: TlsMode | undefined } {
  return {
    mode: flags.tls,
    trust: flags.tlsTrust,
    fingerprint: flags.tlsPin,
    ca: pem(flags.tlsCa),
    cert: pem(flags.tlsCert),
    key: pem(flags.tlsKey ?? flags.tlsCert),
    data: flags.clearData === true ? "clear" : undefined,
  };
}

function pem(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "latin1");
  } catch (error) {
    throw cannotRead(file, error);
  }
}
